"""Threads: the interpreter lock is free while Rust works, and objects are shared."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pinfold


def test_the_interpreter_lock_is_free_while_a_stream_waits() -> None:
    """One piece takes a second. Would the lock be held meanwhile, the counter would stand."""
    counted, done = [0], threading.Event()

    def count() -> None:
        while not done.is_set():
            counted[0] += 1
            time.sleep(0.001)

    with pinfold.Model.scripted("x", step_microseconds=1_000_000) as model, model.session() as session:
        session.append("q")
        counter = threading.Thread(target=count)
        counter.start()
        try:
            before = counted[0]
            # Not on the main thread, where a helper would make the call.
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(session.complete, max_tokens=1).result(30) == "x"
            assert counted[0] - before > 50
        finally:
            done.set()
            counter.join()


def test_several_sessions_generate_at_once() -> None:
    def answer(session: pinfold.Session) -> str:
        session.append("q")
        return session.complete()

    with pinfold.Model.scripted("hello world", step_microseconds=1000) as model:
        sessions = [model.session() for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(answer, sessions)) == ["hello world"] * 8


def test_a_stream_is_cancelled_from_another_thread(slow: pinfold.Session) -> None:
    stream = slow.generate()
    next(stream)
    threading.Timer(0.05, stream.cancel).start()
    assert len(list(stream)) < 800
    assert stream.finish is not None and stream.finish.reason == "cancelled"


def test_closing_ends_a_reader_on_another_thread(slow: pinfold.Session) -> None:
    stream = slow.generate()
    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(lambda: sum(1 for _ in stream))
        time.sleep(0.05)
        slow.close()
        assert reader.result(30) < 800


def test_readers_share_a_stream() -> None:
    with pinfold.Model.scripted("x" * 500) as model, model.session() as session:
        session.append("q")
        stream = session.generate()
        with ThreadPoolExecutor(4) as pool:
            counts = [pool.submit(lambda: sum(len(chunk.tokens) for chunk in stream)) for _ in range(4)]
            assert sum(count.result(30) for count in counts) == 500


def test_sessions_open_and_close_on_many_threads() -> None:
    def work(number: int) -> None:
        for _ in range(20):
            with model.session() as session:
                session.append("q")
                assert session.complete(max_tokens=2) == "he"

    with pinfold.Model.scripted("hello", sessions=8, context_tokens=4096) as model:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
