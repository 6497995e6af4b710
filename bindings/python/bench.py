"""What a token costs in Python above Rust, in microseconds: the same checkpoint and the same tokens, in turns.

    target/python/venv/bin/python bindings/python/bench.py [--turns N] [CHECKPOINT.gguf]

Rust is `core/benches/overhead.rs`: a session and its stream, in a process of its own. Of each, the best lower quartile
of all turns counts, which is what the machine does when nothing disturbs it. With stories260K a token costs Rust about
a tenth of a millisecond, so the boundary shows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import pinfold

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("PINFOLD_SHARED_DATA") or REPOSITORY.parent / "shared/data")
# As in the bench of Rust.
TOKENS = 200
ROUNDS = 60

# Microseconds a token on the clock, and those of the reading thread's processor.
Sample = Tuple[float, float]


def bench_of_rust() -> str:
    """The program, built."""
    build = ["cargo", "build", "--release", "--workspace", "--bench", "overhead", "--message-format=json"]
    out = subprocess.run(build, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    messages = map(json.loads, out.splitlines())
    return next(str(found["executable"]) for found in messages if found.get("target", {}).get("name") == "overhead")


def rust(program: str, checkpoint: Path) -> float:
    """Microseconds a token through a session of Rust's."""
    out = subprocess.run([program, checkpoint], check=True, stdout=subprocess.PIPE, text=True).stdout
    found = re.search(r"session ([\d.]+)", out)
    assert found, out
    return float(found[1])


def iterate(session: pinfold.Session) -> int:
    """A loop over the stream."""
    return sum(len(chunk.tokens) for chunk in session.generate(max_tokens=TOKENS))


async def iterate_async(session: pinfold.Session) -> int:
    """An asynchronous loop."""
    count = 0
    async for chunk in session.generate(max_tokens=TOKENS):
        count += len(chunk.tokens)
    return count


def sample(model: pinfold.Model, read: Callable[[pinfold.Session], int]) -> Sample:
    """One generation."""
    with model.session() as session:
        session.append_tokens([1])
        session.prefill()
        start, used = time.perf_counter(), time.thread_time()
        count = read(session)
        seconds, used = time.perf_counter() - start, time.thread_time() - used
    assert count == TOKENS
    return seconds * 1e6 / TOKENS, used * 1e6 / TOKENS


def quartile(samples: List[Sample]) -> Sample:
    """The lower one, of each."""
    wall, used = (sorted(column)[len(samples) // 4] for column in zip(*samples))
    return wall, used


def main() -> None:
    parser = argparse.ArgumentParser(description="What a token costs in Python above Rust")
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("checkpoint", type=Path, nargs="?", default=SHARED / "checkpoints/stories260K.gguf")
    arguments = parser.parse_args()
    program, checkpoint = bench_of_rust(), arguments.checkpoint
    base: List[float] = []
    found: Dict[str, List[Sample]] = {"for": [], "async for": []}
    loop = asyncio.new_event_loop()
    ways: Dict[str, Callable[[pinfold.Session], int]] = {
        "for": iterate,
        "async for": lambda session: loop.run_until_complete(iterate_async(session)),
    }
    with pinfold.Model.load(checkpoint, context_tokens=512, threads=1, offload_layers=0) as model:
        for _ in range(arguments.turns):
            base.append(rust(program, checkpoint))
            for name, read in ways.items():
                found[name].append(quartile([sample(model, read) for _ in range(ROUNDS)]))
    loop.close()
    print(f"rust {min(base):.1f} microseconds a token")
    for name, samples in found.items():
        wall, used = map(min, zip(*samples))
        print(f"python, {name}: above it {wall - min(base):.1f}; the reading thread computes {used:.1f}")


main()
