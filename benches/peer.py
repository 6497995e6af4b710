"""Compares Pinfold with llama-cpp-python on the same checkpoint, alternating in one run.

In: the program `pinfold` and a checkpoint. Out: a table of generation and prompt processing (tokens a
second), load time and peak memory, each with the ratio to the peer. Both run in processes of their own, in
turns, with the same number of threads; the median of the rounds counts.

    python benches/peer.py target/release/pinfold target/bench/shape-234mb.gguf --threads 2
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

PROMPT, GENERATE = 512, 64


def peer(path, threads):
    """One round of llama-cpp-python; prints its numbers. Runs in a process of its own."""
    import llama_cpp

    start = time.perf_counter()
    model = llama_cpp.Llama(path, n_ctx=PROMPT + 1, n_threads=threads, n_threads_batch=threads, verbose=False)
    load = time.perf_counter() - start
    tokens = [token % 300 + 10 for token in range(PROMPT)]
    model.eval(tokens[:8])
    model.reset()
    start = time.perf_counter()
    model.eval(tokens)
    prompt = PROMPT / (time.perf_counter() - start)
    model.reset()
    count, start = 0, None
    for _ in model.generate(tokens[:1], temp=0.0):
        if start is None:
            start = time.perf_counter()
            continue
        count += 1
        if count == GENERATE:
            break
    generate = count / (time.perf_counter() - start)
    print(json.dumps({"load": load, "prompt": prompt, "generate": generate, "memory": peak_memory()}))


def peak_memory():
    """The peak of this process in bytes."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def run(command):
    """Runs a process; returns the JSON object it prints, and its peak memory in bytes."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command} failed")
    return json.loads(out.splitlines()[-1]), usage.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pinfold")
    parser.add_argument("checkpoint")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    ours, theirs = [], []
    for _ in range(arguments.rounds):
        bench, memory = run(
            [arguments.pinfold, "bench", arguments.checkpoint, "--json", "--repetitions", "1",
             "--prompt-tokens", str(PROMPT), "--gen-tokens", str(GENERATE), "--threads", str(arguments.threads)]
        )
        ours.append({
            "load": bench["load_seconds"], "prompt": bench["prompt_tokens_per_second"],
            "generate": bench["gen_tokens_per_second"], "memory": memory,
        })
        result, _ = run([sys.executable, __file__, "--peer", arguments.checkpoint, str(arguments.threads)])
        theirs.append(result)
    print(f"{'':28}{'pinfold':>12}{'peer':>12}{'ratio':>8}")
    for key, name, scale in [
        ("generate", "generation, tokens/s", 1), ("prompt", "prompt, tokens/s", 1),
        ("load", "load, ms", 1e3), ("memory", "peak memory, MiB", 1 / (1 << 20)),
    ]:
        a, b = (statistics.median(row[key] for row in rows) * scale for rows in (ours, theirs))
        print(f"{name:28}{a:12.1f}{b:12.1f}{a / b:8.3f}")


if sys.argv[1:2] == ["--peer"]:
    peer(sys.argv[2], int(sys.argv[3]))
else:
    main()
