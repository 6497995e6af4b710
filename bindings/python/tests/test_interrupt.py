"""Ctrl-C: a signal that comes while the main thread waits for Rust ends the work, promptly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from typing import Iterator

import pytest

import pinfold

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")


# A job in the background of a shell ignores the signal, and Python leaves it so.
HEARING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"


@pytest.fixture(autouse=True)
def hearing() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(code: str, after: float = 0.5) -> str:
    """The output of a program that gets SIGINT some time after it said `ready`."""
    code = HEARING + "import time, pinfold\n" + textwrap.dedent(code)
    program = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    try:
        assert program.stdout.readline() == "ready\n"
        time.sleep(after)
        program.send_signal(signal.SIGINT)
        start = time.monotonic()
        out, _ = program.communicate(timeout=30)
        assert time.monotonic() - start < 10
    finally:
        program.kill()
    assert program.returncode == 0
    return out


def test_it_ends_the_wait_for_a_slow_piece() -> None:
    """Each token takes 2 seconds: the exception comes after one step and not at the end of 20."""
    code = """
        model = pinfold.Model.scripted("x" * 20, step_microseconds=2_000_000)
        session = model.session()
        session.append("q")
        stream = session.generate()
        print("ready", flush=True)
        try:
            for chunk in stream: pass
        except KeyboardInterrupt:
            print("interrupted", len(session.tokens()) < 10, next(stream, None))
    """
    assert interrupted(code) == "interrupted True None\n"


def test_it_ends_a_fast_stream() -> None:
    code = """
        model = pinfold.Model.scripted("x" * 100_000, step_microseconds=500, context_tokens=200_000)
        session = model.session()
        session.append("q")
        print("ready", flush=True)
        try:
            session.complete()
        except KeyboardInterrupt:
            session.append("usable")
            print("interrupted")
    """
    assert interrupted(code) == "interrupted\n"


def test_it_ends_a_load() -> None:
    code = """
        def watch(share):
            if share == 0: print("ready", flush=True)
            time.sleep(1)
        try:
            pinfold.Model.embedded("intent", progress=watch)
        except KeyboardInterrupt:
            print("interrupted")
    """
    assert interrupted(code) == "interrupted\n"


def test_it_ends_asynchronous_code() -> None:
    code = """
        import asyncio
        model = pinfold.Model.scripted("x" * 1000, step_microseconds=50_000)
        session = model.session()
        session.append("q")
        async def main():
            print("ready", flush=True)
            async for chunk in session.generate(): pass
        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            session.append("usable")
            print("interrupted")
    """
    assert interrupted(code) == "interrupted\n"


def test_another_handler_may_raise_what_it_likes(slow: pinfold.Session) -> None:
    class Alarm(Exception):
        pass

    def ring(number: int, frame: object) -> None:
        raise Alarm

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(Alarm):
            slow.complete()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    slow.append("x")


def test_other_threads_go_on() -> None:
    """Only the main thread sees the signal; a generation on another thread is not its business."""
    with pinfold.Model.scripted("hello", step_microseconds=50_000) as model, model.session() as session:
        session.append("q")
        texts = []
        reader = threading.Thread(target=lambda: texts.append(session.complete()))
        reader.start()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        reader.join(30)
        assert texts == ["hello"]
