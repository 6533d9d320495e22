CREATE TABLE IF NOT EXISTS test (
  build_commit TEXT,
  build_number TEXT,
  cuda TEXT,
  opencl TEXT,
  metal TEXT,
  gpu_blas TEXT,
  blas TEXT,
  cpu_info TEXT,
  gpu_info TEXT,
  model_filename TEXT,
  model_type TEXT,
  model_size TEXT,
  model_n_params TEXT,
  n_batch TEXT,
  n_threads TEXT,
  f16_kv TEXT,
  n_gpu_layers TEXT,
  main_gpu TEXT,
  mul_mat_q TEXT,
  tensor_split TEXT,
  n_prompt TEXT,
  n_gen TEXT,
  test_time TEXT,
  avg_ns TEXT,
  stddev_ns TEXT,
  avg_ts TEXT,
  stddev_ts TEXT
);

INSERT INTO test (build_commit, build_number, cuda, opencl, metal, gpu_blas, blas, cpu_info, gpu_info, model_filename, model_type, model_size, model_n_params, n_batch, n_threads, f16_kv, n_gpu_layers, main_gpu, mul_mat_q, tensor_split, n_prompt, n_gen, test_time, avg_ns, stddev_ns, avg_ts, stddev_ts) VALUES ('c392e50', '4748', '0', '0', '0', '0', '0', 'Cortex-A76', '', 'models/qwen2.5-0.5b-instruct-q8_0.gguf', 'qwen2 1B Q8_0', '524909816', '494032768', '2048', '4', '1', '0', '0', '1', '0.00', '128', '0', '2026-06-01T10:00:00Z', '858287705', '8582877', '149.134141', '1.491341');
INSERT INTO test (build_commit, build_number, cuda, opencl, metal, gpu_blas, blas, cpu_info, gpu_info, model_filename, model_type, model_size, model_n_params, n_batch, n_threads, f16_kv, n_gpu_layers, main_gpu, mul_mat_q, tensor_split, n_prompt, n_gen, test_time, avg_ns, stddev_ns, avg_ts, stddev_ts) VALUES ('c392e50', '4748', '0', '0', '0', '0', '0', 'Cortex-A76', '', 'models/qwen2.5-0.5b-instruct-q8_0.gguf', 'qwen2 1B Q8_0', '524909816', '494032768', '2048', '4', '1', '0', '0', '1', '0.00', '0', '64', '2026-06-01T10:00:00Z', '4291438528', '42914385', '14.913414', '0.149134');
INSERT INTO test (build_commit, build_number, cuda, opencl, metal, gpu_blas, blas, cpu_info, gpu_info, model_filename, model_type, model_size, model_n_params, n_batch, n_threads, f16_kv, n_gpu_layers, main_gpu, mul_mat_q, tensor_split, n_prompt, n_gen, test_time, avg_ns, stddev_ns, avg_ts, stddev_ts) VALUES ('c392e50', '4748', '0', '0', '0', '0', '0', 'Cortex-A76', '', 'models/SmolLM2-135M-Instruct-Q8_0.gguf', 'llama ?B Q8_0', '142922196', '134515008', '2048', '4', '1', '0', '0', '1', '0.00', '128', '0', '2026-06-01T10:00:00Z', '251715513', '2517155', '508.510574', '5.085106');
INSERT INTO test (build_commit, build_number, cuda, opencl, metal, gpu_blas, blas, cpu_info, gpu_info, model_filename, model_type, model_size, model_n_params, n_batch, n_threads, f16_kv, n_gpu_layers, main_gpu, mul_mat_q, tensor_split, n_prompt, n_gen, test_time, avg_ns, stddev_ns, avg_ts, stddev_ts) VALUES ('c392e50', '4748', '0', '0', '0', '0', '0', 'Cortex-A76', '', 'models/SmolLM2-135M-Instruct-Q8_0.gguf', 'llama ?B Q8_0', '142922196', '134515008', '2048', '4', '1', '0', '0', '1', '0.00', '0', '64', '2026-06-01T10:00:00Z', '1258577568', '12585775', '50.851057', '0.508511');
