#!/usr/bin/env python3
"""Writes the made-up files of this folder and their lines of index.csv.

The fields are those that llama-bench of each year prints, in their order; the times are bytes over
8 GB/s and 60 us a layer. Those of reported-* are
public figures. Run it in this folder.
"""
import csv
import json

YEARS = {
    2023: "build_commit build_number cuda opencl metal gpu_blas blas cpu_info gpu_info model_filename model_type "
    "model_size model_n_params n_batch n_threads f16_kv n_gpu_layers main_gpu mul_mat_q tensor_split n_prompt n_gen "
    "test_time avg_ns stddev_ns avg_ts stddev_ts",
    2024: "build_commit build_number cuda opencl metal gpu_blas blas cpu_info gpu_info model_filename model_type "
    "model_size model_n_params n_batch n_threads type_k type_v n_gpu_layers split_mode main_gpu no_kv_offload "
    "mul_mat_q tensor_split n_prompt n_gen test_time avg_ns stddev_ns avg_ts stddev_ts",
    2025: "build_commit build_number cpu_info gpu_info backends model_filename model_type model_size model_n_params "
    "n_batch n_ubatch n_threads cpu_mask cpu_strict poll type_k type_v n_gpu_layers n_cpu_moe split_mode main_gpu "
    "no_kv_offload flash_attn devices tensor_split tensor_buft_overrides use_mmap embeddings no_op_offload no_host "
    "n_prompt n_gen n_depth test_time avg_ns stddev_ns avg_ts stddev_ts",
    2026: "build_commit build_number cpu_info gpu_info backends model_filename model_type model_size model_n_params "
    "n_batch n_ubatch n_threads cpu_mask cpu_strict poll type_k type_v n_gpu_layers n_cpu_moe split_mode main_gpu "
    "no_kv_offload flash_attn devices tensor_split tensor_buft_overrides use_mmap use_direct_io embeddings "
    "no_op_offload no_host fit_target fit_min_ctx n_prompt n_gen n_depth test_time avg_ns stddev_ns avg_ts stddev_ts",
}
VALUES = {
    "build_commit": "c392e50", "build_number": 4748, "cpu_info": "Cortex-A76", "gpu_info": "", "backends": "CPU",
    "n_batch": 2048, "n_ubatch": 512, "n_threads": 4, "cpu_mask": "0x0", "cpu_strict": False, "poll": 50,
    "type_k": "f16", "type_v": "f16", "f16_kv": True, "n_gpu_layers": 0, "n_cpu_moe": 0, "split_mode": "layer",
    "main_gpu": 0, "no_kv_offload": False, "flash_attn": False, "devices": "auto", "tensor_split": "0.00",
    "tensor_buft_overrides": "none", "use_mmap": True, "use_direct_io": False, "embeddings": False,
    "no_op_offload": 0, "no_host": False, "fit_target": 0, "fit_min_ctx": 0, "mul_mat_q": True, "n_depth": 0,
    "test_time": "2026-06-01T10:00:00Z",
}
for flag in ("cuda", "opencl", "metal", "gpu_blas", "blas"):
    VALUES[flag] = False
# file name, model_type, parameters, layers
QWEN = ("qwen2.5-0.5b-instruct-q8_0.gguf", "qwen2 1B Q8_0", 494032768, 24)
SMOL = ("SmolLM2-135M-Instruct-Q8_0.gguf", "llama ?B Q8_0", 134515008, 30)
LLAMA = ("Llama-3.2-1B-Instruct-Q8_0.gguf", "llama 1B Q8_0", 1235814432, 16)
GEMMA = ("gemma-3-270m-it-Q8_0.gguf", "gemma3 270M Q8_0", 268098176, 18)


def make(year, model, prompt, gen, **given):
    name, kind, params, layers = model
    size = params * 34 // 32
    token_ns = size / 8 + 60000 * layers
    ns = int(gen * token_ns if gen else prompt * token_ns / 10)
    tokens = prompt + gen
    values = dict(VALUES, model_filename="models/" + name, model_type=kind, model_size=size, model_n_params=params,
                  n_prompt=prompt, n_gen=gen, avg_ns=ns, stddev_ns=ns // 100, avg_ts=round(1e9 * tokens / ns, 6),
                  stddev_ts=round(1e7 * tokens / ns, 6))
    if year >= 2026:
        values["flash_attn"] = 0
    values.update(given)
    test = {field: values[field] for field in YEARS[year].split()}
    test["samples_ns"] = [ns - ns // 100, ns, ns + ns // 100]
    test["samples_ts"] = [round(1e9 * tokens / n, 4) for n in test["samples_ns"]]
    return test


def pair(year, models=(QWEN, SMOL), **given):
    return [make(year, m, p, g, **given) for m in models for p, g in ((128, 0), (0, 64))]


def as_json(tests):
    bodies = ["  {\n" + ",\n".join('    "%s": %s' % (k, json.dumps(v)) for k, v in t.items()) + "\n  }" for t in tests]
    return "[\n" + ",\n".join(bodies) + "\n]\n"


def as_jsonl(tests):
    return "".join(json.dumps(t) + "\n" for t in tests)


def plain(value):
    return str(int(value)) if isinstance(value, bool) else str(value)


def fields(test):
    return [k for k in test if not k.startswith("samples")]


def as_csv(tests):
    rows = [",".join('"%s"' % plain(t[k]).replace('"', '""') for k in fields(t)) for t in tests]
    return "\n".join([",".join(fields(tests[0]))] + rows) + "\n"


def as_sql(tests):
    columns = ",\n".join("  %s TEXT" % k for k in fields(tests[0]))
    out = "CREATE TABLE IF NOT EXISTS test (\n%s\n);\n\n" % columns
    for t in tests:
        out += "INSERT INTO test (%s) VALUES (%s);\n" % (
            ", ".join(fields(t)), ", ".join("'%s'" % plain(t[k]).replace("'", "''") for k in fields(t)))
    return out


def scaled(value, units):
    for factor, unit in units:
        if value >= factor:
            return "%.2f %s" % (value / factor, unit)


def as_markdown(tests, sign="\u00b1", space="", extra=()):
    columns = ["model", "size", "params", "backend", "threads"] + list(extra) + ["test", "t/s"]
    out = "| " + " | ".join("%10s" % c for c in columns) + " |\n|" + " ---------: |" * len(columns) + "\n"
    for t in tests:
        kind = "pp%s%d" % (space, t["n_prompt"]) if t["n_prompt"] else "tg%s%d" % (space, t["n_gen"])
        if t.get("n_depth"):
            kind += " @ d%d" % t["n_depth"]
        cells = [t["model_type"], scaled(t["model_size"], ((2**30, "GiB"), (2**20, "MiB"))),
                 scaled(t["model_n_params"], ((1e9, "B"), (1e6, "M"))), t.get("backends", "CPU"), t["n_threads"]]
        names = {"fa": "flash_attn", "ngl": "n_gpu_layers"}
        cells += [plain(t[names.get(c, c)]) for c in extra]
        cells += [kind, "%.2f %s %.2f" % (t["avg_ts"], sign, t["stddev_ts"])]
        out += "| " + " | ".join("%10s" % c for c in cells) + " |\n"
    return out + "\nbuild: %s (%d)\n" % (tests[0]["build_commit"], tests[0]["build_number"])


# Figures that people reported (README.md says where), in our own layout: columns, rows, and what is
# cut off the end.
REPORTED = (
    ("reported-radxa-q8b.md", "model size params backend threads test t/s", (
        "llama 1B Q4_K - Medium | 636.18 MiB | 1.10 B | CPU | 8 | pp512 | 194.49 ± 0.74",
        "llama 1B Q4_K - Medium | 636.18 MiB | 1.10 B | CPU | 8 | pp4096 | 132.65 ± 0.14",
        "llama 1B Q4_K - Medium | 636.18 MiB | 1.10 B | CPU | 8 | tg128 | 38.81 ± 0.40",
        "llama 1B Q4_K - Medium | 636.18 MiB | 1.10 B | CPU | 8 | pp4096+tg128 | 116.17 ± 0.01",
        "llama 3B Q4_K - Medium | 1.87 GiB | 3.21 B | CPU | 8 | pp512 | 72.31 ± 0.02",
        "llama 3B Q4_K - Medium | 1.87 GiB | 3.21 B | CPU | 8 | pp4096 | 56.83 ± 0.01",
    ), "refused", 4, 0, "two networks are needed"),
    ("reported-i5-4278u.md", "model size params backend threads test t/s", (
        "llama 3B Q4_K - Medium | 1.87 GiB | 3.21 B | CPU | 2 | pp512 | 17.70 ± 0.08",
        "llama 3B Q4_K - Medium | 1.87 GiB | 3.21 B | CPU | 2 | pp4096 | 14.06 ± 0.04",
        "llama 3B Q4_K - Medium | 1.87 GiB | 3.21 B | CPU | 2 | tg128 | 7.68 ± 0.03",
        "llama 3B Q4_K - Medium | 1.87 GiB | 3.21 B | CPU | 2 | pp4096+tg128 | 12.14 ± 0.01",
    ), "refused", 3, 0, "two networks are needed"),
    ("reported-threads.md", "model size params backend threads test t/s", (
        "llama 1B Q4_0 | 727.75 MiB | 1.24 B | CPU | 1 | tg64 | 47.84 ± 0.08",
        "llama 1B Q4_0 | 727.75 MiB | 1.24 B | CPU | 2 | tg64 | 87.31 ± 0.16",
        "llama 1B Q4_0 | 727.75 MiB | 1.24 B | CPU | 4 | tg64 | 157.63 ± 1.01",
        "llama 1B Q4_0 | 727.75 MiB | 1.24 B | CPU | 6 | tg64 | 188.15 ± 9.39",
        "llama 1B Q4_0 | 727.75 MiB | 1.24 B | CPU | 8 | tg64 | 237.40 ± 0.71",
        "llama 1B Q4_0 | 727.75 MiB | 1.24 B | CPU | 10 | tg64 | 243.65 ± 0.14",
    ), "refused", 6, 0, "two networks are needed"),
    ("reported-rtx.md", "model size params backend ngl test t/s", (
        "qwen3 0.6B Q4_K - Medium | 372.65 MiB | 596.05 M | CUDA | 99 | pp512 | 13301.44 ± 1392.80",
        "qwen3 0.6B Q4_K - Medium | 372.65 MiB | 596.05 M | CUDA | 99 | tg128 | 345.30 ± 3.62",
        "llama 1B Q8_0 | 1.22 GiB | 1.24 B | CUDA | 99 | pp512 | 12012.39 ± 597.70",
        "llama 1B Q8_0 | 1.22 GiB | 1.24 B | CUDA | 99 | tg128 | 212.27 ± 2.50",
        "gemma3 1B Q4_K - Medium | 762.49 MiB | 999.89 M | CUDA | 99 | pp512 | 10965.69 ± 507.58",
        "gemma3 1B Q4_K - Medium | 762.49 MiB | 999.89 M | CUDA | 99 | tg128 | 225.08 ± 2.93",
        "phi3 3B Q4_K - Medium | 2.31 GiB | 3.84 B | CUDA | 99 | pp512 | 3929.40 ± 186.02",
        "phi3 3B Q4_K - Medium | 2.31 GiB | 3.84 B | CUDA | 99 | tg128 | 103.83 ± 1.82",
    ), "fits", 6, 0, "unknown model"),
    ("reported-jetson-nano.md", "model size params backend ngl test t/s", (
        "gemma3 1B Q4_K - Medium | 762.49 MiB | 999.89 M | CUDA | 27 | pp512 | 115.75 ± 0.08",
        "gemma3 1B Q4_K - Medium | 762.49 MiB | 999.89 M | CUDA | 27 | tg128 | 5.84 ± 0.01",
    ), "refused", 2, 0, "two networks are needed"),
    ("reported-offload.md", "model size params backend ngl threads test t/s", (
        "llama ?B Q4_K - Medium | 72.74 MiB | 116.93 M | CUDA | 0 | 8 | pp512 | 44386.72 ± 184.30",
        "llama ?B Q4_K - Medium | 72.74 MiB | 116.93 M | CUDA | 0 | 8 | tg128 | 816.19 ± 3.35",
        "llama ?B Q4_K - Medium | 72.74 MiB | 116.93 M | CUDA | 99 | 8 | pp512 | 144243.73 ± 363.10",
        "llama ?B Q4_K - Medium | 72.74 MiB | 116.93 M | CUDA | 99 | 8 | tg128 | 1904.55 ± 64.01",
    ), "refused", 0, 0, "test 1 and 3 more: unknown model"),
)

LOG = "load_backend: loaded CPU backend from libggml-cpu.so\nllama_model_loader: - kv 0: general.name str = {x}\n"
index = []


def put(name, data, status, used, left_out=0, message=""):
    with open(name, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())
    index.append([name, status, used, left_out, message])


def whole():
    for year in YEARS:
        tests = pair(year)
        put("%d.json" % year, as_json(tests), "fits", 4)
        put("%d.jsonl" % year, as_jsonl(tests), "fits", 4)
        put("%d.csv" % year, as_csv(tests), "fits", 4)
        put("%d.sql" % year, as_sql(tests), "fits", 4)
        put("%d.md" % year, as_markdown(tests, space=" " if year == 2023 else ""), "fits", 4)


def around():
    tests = pair(2025)
    text = as_json(tests)
    put("log-before.json", LOG + text, "fits", 4)
    put("log-after.csv", as_csv(tests) + "\nllama_perf: total time = 12 ms\n", "fits", 4)
    put("log-inside.jsonl", (LOG).join(as_jsonl([t]) for t in tests), "fits", 4)
    put("log-inside.md", as_markdown(tests).replace("\n", "\nset_warmup: warming up\n"), "fits", 4)
    put("log-in-object.json", text.replace('    "n_prompt": 0', 'warning: slow\n    "n_prompt": 0', 1), "refused", 3, 1, "not whole")
    put("bom.json", "\ufeff" + text, "fits", 4)
    put("bom.csv", "\ufeff" + as_csv(tests), "fits", 4)
    put("crlf.json", text.replace("\n", "\r\n"), "fits", 4)
    put("crlf.csv", as_csv(tests).replace("\n", "\r\n"), "fits", 4)
    put("crlf.md", as_markdown(tests).replace("\n", "\r\n"), "fits", 4)
    put("utf16le.json", text.encode("utf-16"), "fits", 4)
    put("utf16be.md", b"\xfe\xff" + as_markdown(tests).encode("utf-16-be"), "fits", 4)
    put("console.md", as_markdown(tests, sign="\u252c\u2592"), "fits", 4)
    put("quoted.md", "> " + as_markdown(tests).replace("\n", "\n> "), "fits", 4)


def joined():
    first, second = pair(2025, (QWEN,)), pair(2025, (SMOL,))
    put("cat.json", as_json(first) + as_json(second), "fits", 4)
    put("cat.md", as_markdown(first) + as_markdown(second), "fits", 4)
    put("cat.csv", as_csv(first) + as_csv(second), "fits", 4)
    put("cat-json-md.txt", as_json(first) + as_json(second) + as_markdown(second), "fits", 4, 0, "taken on")
    put("object.json", as_json(first)[2:-2] + as_json(second)[2:-2], "fits", 4)


def cut():
    tests = pair(2026, (QWEN, SMOL, GEMMA))
    for name, text, used, left in (("cut.json", as_json(tests), 5, 1), ("cut.jsonl", as_jsonl(tests), 5, 1),
                                   ("cut.csv", as_csv(tests), 5, 1), ("cut.sql", as_sql(tests), 5, 1)):
        put(name, text[:len(text) - 80], "fits", used, left, "not whole")
    text = as_markdown(tests)
    put("cut.md", text[:text.rindex("| tg") if "| tg" in text else -60], "fits", 5, 1, "not whole")
    put("cut-first.json", as_json(tests)[400:], "fits", 5)
    put("cut-all.json", as_json(tests)[:300], "refused", 0, 1, "no row that can be used")


def apart():
    both = pair(2025)
    gpu = pair(2025, backends="CUDA", gpu_info="GTX 1650", n_gpu_layers=-1)
    put("cpu-and-gpu.json", as_json(both + gpu), "fits", 4, 0, "test 5 and 3 more: taken on")
    put("gpu-all.json", as_json(gpu + pair(2025, (LLAMA,), backends="CUDA", gpu_info="GTX 1650", n_gpu_layers=99)),
        "fits", 6)
    put("flash.json", as_json(both + pair(2025, (LLAMA,), flash_attn=True)), "fits", 4, 0, "flash attention")
    put("two-caches.json", as_json(both + pair(2025, (LLAMA,), type_v="q8_0")), "fits", 4, 0, "a cache of two types")
    put("ubatch.json", as_json(both + [make(2025, LLAMA, 512, 0, n_ubatch=64)]), "fits", 4, 0, "prompts in pieces")
    put("windows.json", as_json([dict(t, model_filename="C:\\models\\" + t["model_filename"][7:]) for t in both]),
        "fits", 4)
    put("depth.json", as_json(both + [make(2025, QWEN, 0, 64, n_depth=512)]), "fits", 5)
    put("prompt-at-depth.json", as_json(both + [make(2025, QWEN, 64, 0, n_depth=512)]), "fits", 4, 0, "at a depth")
    put("both-in-one.json", as_json(both + [make(2025, QWEN, 64, 16)]), "fits", 4, 0, "cannot be told apart")
    wrong = [dict(t, model_size=t["model_size"] // 2) for t in both]
    put("half-size.json", as_json(wrong), "fits", 4, 0, "test 1 and 3 more: 'qwen2 1B Q8_0' is")
    put("prompts.md", as_markdown([t for t in both if t["n_prompt"]]), "fits", 2, 0, "prompts only")
    put("generation.csv", as_csv([t for t in both if t["n_gen"]]), "fits", 2)
    put("one-network.json", as_json(pair(2025, (QWEN,))), "refused", 2, 0, "two networks are needed")
    other = [dict(t, model_filename="a%d.gguf" % i, model_n_params=3) for i, t in enumerate(both)]
    put("unknown.json", as_json(other), "refused", 0, 0, "test 1 and 3 more: unknown model")
    put("new-type.json", as_json(pair(2025, (QWEN[:1] + ("qwen2 1B XQ9_9",) + QWEN[2:],))), "refused", 0, 0,
        "unknown weight type")
    put("empty-list.json", "[\n]\n", "refused", 0, 0, "holds no test of llama-bench")
    put("header-only.md", as_markdown(both).split("\n")[0] + "\n", "refused", 0)
    put("help.txt", "usage: llama-bench [options]\n\noptions:\n  -h, --help\n", "refused", 0)
    put("empty.txt", "", "refused", 0)



def reported():
    for name, columns, rows, status, used, left_out, message in REPORTED:
        lines = ["| " + " | ".join(columns.split()) + " |", "|" + " --- |" * len(columns.split())]
        put(name, "\n".join(lines + ["| %s |" % row for row in rows]) + "\n", status, used, left_out, message)
    ascend = make(2025, QWEN, 0, 128, model_filename="/home/models/qwen2.5:0.5b-instruct-fp16", backends="CANN",
                  model_type="qwen2 1B F16", model_size=988208640, gpu_info="Ascend910B3", n_gpu_layers=32,
                  avg_ns=2099229836, stddev_ns=28969817)
    put("reported-ascend.json", as_json([ascend])[:-20], "refused", 0, 1, "no row that can be used")
    keys = "build_commit model_type n_batch n_prompt n_gen avg_ns avg_ts".split()
    put("reported-trimmed.json", as_json([{k: t[k] for k in keys} for t in pair(2025, (QWEN,))]), "refused", 0, 0,
        "unknown model")
    put("no-header.md", "\n".join(as_markdown(pair(2025)).split("\n")[2:]), "refused", 0)


whole()
around()
joined()
cut()
apart()
reported()
with open("index.csv", "w") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["file", "status", "used", "not_whole", "message"])
    writer.writerows(index)
