"""Streams in asynchronous code."""

from __future__ import annotations

import asyncio
import time
from typing import List

import pytest

import pinfold


def test_async_for_gives_the_same(session: pinfold.Session) -> None:
    async def main() -> str:
        stream = session.generate()
        text = "".join([chunk.text async for chunk in stream])
        assert stream.finish is not None and stream.finish.reason == "end_of_generation"
        return text

    assert asyncio.run(main()) == "hello"


def test_acomplete_gives_the_text(session: pinfold.Session) -> None:
    assert asyncio.run(session.acomplete(max_tokens=3)) == "hel"


def test_the_loop_is_not_blocked() -> None:
    """A piece takes 300 milliseconds; the loop must turn meanwhile."""

    async def main(session: pinfold.Session) -> int:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0.01)
                turns += 1

        counter = asyncio.create_task(count())
        async for _ in session.generate(max_tokens=2):
            pass
        counter.cancel()
        return turns

    with pinfold.Model.scripted("ab", step_microseconds=300_000) as model, model.session() as session:
        session.append("q")
        assert asyncio.run(main(session)) > 10


def test_cancelling_the_task_cancels_the_generation(slow: pinfold.Session) -> None:
    async def main() -> List[str]:
        seen: List[str] = []

        async def read() -> None:
            async for chunk in slow.generate():
                seen.append(chunk.text)

        task = asyncio.create_task(read())
        while not seen:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # The session is whole as soon as the task is over.
        slow.append("x")
        return seen

    assert "a rather long answer " * 40 != "".join(asyncio.run(main()))


def test_a_timeout_cancels_a_long_wait() -> None:
    async def main(session: pinfold.Session) -> float:
        start = time.monotonic()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(session.acomplete(), 0.1)
        return time.monotonic() - start

    with pinfold.Model.scripted("x" * 200, step_microseconds=50_000) as model, model.session() as session:
        session.append("q")
        assert asyncio.run(main(session)) < 5
        assert session.append("x") > 1


def test_errors_come_through() -> None:
    async def main(session: pinfold.Session) -> None:
        await session.acomplete()

    with pinfold.Model.scripted("hello world", context_tokens=6) as model, model.session() as session:
        session.append("q")
        with pytest.raises(pinfold.ContextFull):
            asyncio.run(main(session))


def test_many_streams_at_once() -> None:
    async def main(sessions: List[pinfold.Session]) -> List[str]:
        return list(await asyncio.gather(*(session.acomplete() for session in sessions)))

    with pinfold.Model.scripted("hello", step_microseconds=1000, sessions=32) as model:
        sessions = [model.session() for _ in range(32)]
        for session in sessions:
            session.append("q")
        assert asyncio.run(main(sessions)) == ["hello"] * 32


def test_leaving_async_with_ends_the_stream(slow: pinfold.Session) -> None:
    async def main() -> None:
        async with slow.generate() as stream:
            async for _ in stream:
                break
        slow.append("x")

    asyncio.run(main())
