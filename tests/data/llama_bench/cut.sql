CREATE TABLE IF NOT EXISTS test (
  build_commit TEXT,
  build_number TEXT,
  cpu_info TEXT,
  gpu_info TEXT,
  backends TEXT,
  model_filename TEXT,
  model_type TEXT,
  model_size TEXT,
  model_n_params TEXT,
  n_batch TEXT,
  n_ubatch TEXT,
  n_threads TEXT,
  cpu_mask TEXT,
  cpu_strict TEXT,
  poll TEXT,
  type_k TEXT,
  type_v TEXT,
  n_gpu_layers TEXT,
  n_cpu_moe TEXT,
  split_mode TEXT,
  main_gpu TEXT,
  no_kv_offload TEXT,
  flash_attn TEXT,
  devices TEXT,
  tensor_split TEXT,
  tensor_buft_overrides TEXT,
  use_mmap TEXT,
  use_direct_io TEXT,
  embeddings TEXT,
  no_op_offload TEXT,
  no_host TEXT,
  fit_target TEXT,
  fit_min_ctx TEXT,
  n_prompt TEXT,
  n_gen TEXT,
  n_depth TEXT,
  test_time TEXT,
  avg_ns TEXT,
  stddev_ns TEXT,
  avg_ts TEXT,
  stddev_ts TEXT
);

INSERT INTO test (build_commit, build_number, cpu_info, gpu_info, backends, model_filename, model_type, model_size, model_n_params, n_batch, n_ubatch, n_threads, cpu_mask, cpu_strict, poll, type_k, type_v, n_gpu_layers, n_cpu_moe, split_mode, main_gpu, no_kv_offload, flash_attn, devices, tensor_split, tensor_buft_overrides, use_mmap, use_direct_io, embeddings, no_op_offload, no_host, fit_target, fit_min_ctx, n_prompt, n_gen, n_depth, test_time, avg_ns, stddev_ns, avg_ts, stddev_ts) VALUES ('c392e50', '4748', 'Cortex-A76', '', 'CPU', 'models/qwen2.5-0.5b-instruct-q8_0.gguf', 'qwen2 1B Q8_0', '524909816', '494032768', '2048', '512', '4', '0x0', '0', '50', 'f16', 'f16', '0', '0', 'layer', '0', '0', '0', 'auto', '0.00', 'none', '1', '0', '0', '0', '0', '0', '0', '128', '0', '0', '2026-06-01T10:00:00Z', '858287705', '8582877', '149.134141', '1.491341');
INSERT INTO test (build_commit, build_number, cpu_info, gpu_info, backends, model_filename, model_type, model_size, model_n_params, n_batch, n_ubatch, n_threads, cpu_mask, cpu_strict, poll, type_k, type_v, n_gpu_layers, n_cpu_moe, split_mode, main_gpu, no_kv_offload, flash_attn, devices, tensor_split, tensor_buft_overrides, use_mmap, use_direct_io, embeddings, no_op_offload, no_host, fit_target, fit_min_ctx, n_prompt, n_gen, n_depth, test_time, avg_ns, stddev_ns, avg_ts, stddev_ts) VALUES ('c392e50', '4748', 'Cortex-A76', '', 'CPU', 'models/qwen2.5-0.5b-instruct-q8_0.gguf', 'qwen2 1B Q8_0', '524909816', '494032768', '2048', '512', '4', '0x0', '0', '50', 'f16', 'f16', '0', '0', 'layer', '0', '0', '0', 'auto', '0.00', 'none', '1', '0', '0', '0', '0', '0', '0', '0', '64', '0', '2026-06-01T10:00:00Z', '4291438528', '42914385', '14.913414', '0.149134');
INSERT INTO test (build_commit, build_number, cpu_info, gpu_info, backends, model_filename, model_type, model_size, model_n_params, n_batch, n_ubatch, n_threads, cpu_mask, cpu_strict, poll, type_k, type_v, n_gpu_layers, n_cpu_moe, split_mode, main_gpu, no_kv_offload, flash_attn, devices, tensor_split, tensor_buft_overrides, use_mmap, use_direct_io, embeddings, no_op_offload, no_host, fit_target, fit_min_ctx, n_prompt, n_gen, n_depth, test_time, avg_ns, stddev_ns, avg_ts, stddev_ts) VALUES ('c392e50', '4748', 'Cortex-A76', '', 'CPU', 'models/SmolLM2-135M-Instruct-Q8_0.gguf', 'llama ?B Q8_0', '142922196', '134515008', '2048', '512', '4', '0x0', '0', '50', 'f16', 'f16', '0', '0', 'layer', '0', '0', '0', 'auto', '0.00', 'none', '1', '0', '0', '0', '0', '0', '0', '128', '0', '0', '2026-06-01T10:00:00Z', '251715513', '2517155', '508.510574', '5.085106');
INSERT INTO test (build_commit, build_number, cpu_info, gpu_info, backends, model_filename, model_type, model_size, model_n_params, n_batch, n_ubatch, n_threads, cpu_mask, cpu_strict, poll, type_k, type_v, n_gpu_layers, n_cpu_moe, split_mode, main_gpu, no_kv_offload, flash_attn, devices, tensor_split, tensor_buft_overrides, use_mmap, use_direct_io, embeddings, no_op_offload, no_host, fit_target, fit_min_ctx, n_prompt, n_gen, n_depth, test_time, avg_ns, stddev_ns, avg_ts, stddev_ts) VALUES ('c392e50', '4748', 'Cortex-A76', '', 'CPU', 'models/SmolLM2-135M-Instruct-Q8_0.gguf', 'llama ?B Q8_0', '142922196', '134515008', '2048', '512', '4', '0x0', '0', '50', 'f16', 'f16', '0', '0', 'layer', '0', '0', '0', 'auto', '0.00', 'none', '1', '0', '0', '0', '0', '0', '0', '0', '64', '0', '2026-06-01T10:00:00Z', '1258577568', '12585775', '50.851057', '0.508511');
INSERT INTO test (build_commit, build_number, cpu_info, gpu_info, backends, model_filename, model_type, model_size, model_n_params, n_batch, n_ubatch, n_threads, cpu_mask, cpu_strict, poll, type_k, type_v, n_gpu_layers, n_cpu_moe, split_mode, main_gpu, no_kv_offload, flash_attn, devices, tensor_split, tensor_buft_overrides, use_mmap, use_direct_io, embeddings, no_op_offload, no_host, fit_target, fit_min_ctx, n_prompt, n_gen, n_depth, test_time, avg_ns, stddev_ns, avg_ts, stddev_ts) VALUES ('c392e50', '4748', 'Cortex-A76', '', 'CPU', 'models/gemma-3-270m-it-Q8_0.gguf', 'gemma3 270M Q8_0', '284854312', '268098176', '2048', '512', '4', '0x0', '0', '50', 'f16', 'f16', '0', '0', 'layer', '0', '0', '0', 'auto', '0.00', 'none', '1', '0', '0', '0', '0', '0', '0', '128', '0', '0', '2026-06-01T10:00:00Z', '469590899', '4695908', '272.577685', '2.725777');
INSERT INTO test (build_commit, build_number, cpu_info, gpu_info, backends, model_filename, model_type, model_size, model_n_params, n_batch, n_ubatch, n_threads, cpu_mask, cpu_strict, poll, type_k, type_v, n_gpu_layers, n_cpu_moe, split_mode, main_gpu, no_kv_offload, flash_attn, devices, tensor_split, tensor_buft_overrides, use_mmap, use_direct_io, embeddings, no_op_offload, no_host, fit_target, fit_min_ctx, n_prompt, n_gen, n_depth, test_time, avg_ns, stddev_ns, avg_ts, stddev_ts) VALUES ('c392e50', '4748', 'Cortex-A76', '', 'CPU', 'models/gemma-3-270m-it-Q8_0.gguf', 'gemma3 270M Q8_0', '284854312', '268098176', '2048', '512', '4', '0x0', '0', '50', 'f16', 'f16', '0', '0', 'layer', '0', '0', '0', 'auto', '0.00', 'none', '1', '0', '0', '0', '0', '0', '0', '0', '64', '