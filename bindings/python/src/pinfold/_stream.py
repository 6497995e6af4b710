"""A generation, pulled piece by piece, in a loop or in an asynchronous one."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Optional, Type

from . import _fork, _values
from ._errors import PinfoldError
from ._native import next_chunk, raw
from ._owned import Owned
from ._values import Chunk, Finish
from ._wait import interruptible, on_main_thread

# Seconds. While pieces come faster than this, the main thread waits for the next one directly: it sees a Ctrl-C soon
# enough, and the helper thread would cost more than the piece.
_QUICK = 0.02

# Asynchronous readers wait here and not in asyncio's own pool, which is small and serves others too. A thread is made
# only when all others wait.
_THREADS = 256
_threads: Optional[ThreadPoolExecutor] = None


def _pool() -> ThreadPoolExecutor:
    global _threads
    if _threads is None:
        _threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="pinfold-stream")
    return _threads


def _forget_pool() -> None:
    global _threads
    _threads = None


_fork.in_child(_forget_pool)


class Stream(Owned[raw.Stream]):
    """A generation under way: an iterator over `Chunk`s, and an asynchronous one.

    It comes from `Session.generate`::

        for chunk in session.generate(max_tokens=100):
            print(chunk, end="", flush=True)

        async for chunk in session.generate(max_tokens=100):
            print(chunk, end="", flush=True)

    Pieces that are ready come joined, so a reader that is slower than the engine makes fewer turns. The engine runs
    ahead by at most 64 pieces. A stream that is closed, dropped or cancelled ends, and its session then holds the
    tokens that were given out and no more, and can be used again at once. When an exception (Ctrl-C, a cancelled
    task) breaks into the wait for a piece, the generation is cancelled, and the session may hold that one piece more
    than was seen.

    May be used from any thread; one reads at a time. As a context manager it closes itself.
    """

    __slots__ = ("_finish", "_quick")

    def __init__(self, stream: raw.Stream) -> None:
        """Not for apps: `Session.generate` makes streams."""
        super().__init__(stream)
        self._finish: Optional[Finish] = None
        self._quick = False

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Chunk:
        """Waits for the next piece.

        Raises what ended the generation, e.g. `ContextFull`, once the text before it was given out.
        """
        chunk = self._pull()
        if chunk is None:
            raise StopIteration
        return chunk

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> Chunk:
        """The same without blocking the loop: a thread waits. Cancelling the task cancels the generation."""
        stream = self._raw
        if stream is None:
            raise StopAsyncIteration
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(_pool(), self._pull)
        try:
            chunk = await asyncio.shield(future)
        except asyncio.CancelledError:
            stream.cancel()
            # At most a step of the engine; then the session may be used again before the task goes on.
            await asyncio.wait([future])
            await asyncio.shield(loop.run_in_executor(_pool(), self._stop, stream))
            if not future.cancelled():
                future.exception()
            raise
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    def _pull(self) -> Optional[Chunk]:
        """The next piece; nothing at the end."""
        stream = self._raw
        if stream is None:
            return None
        try:
            start = time.monotonic()
            if self._quick or not on_main_thread():
                chunk = next_chunk(stream)
            else:
                chunk = interruptible(lambda: next_chunk(stream), stream.cancel)
            self._quick = time.monotonic() - start < _QUICK
        except PinfoldError:
            self._raw = None
            raise
        except BaseException:
            self._stop(stream)
            raise
        if chunk is None:
            self._end(stream)
        return chunk

    def _stop(self, stream: raw.Stream) -> None:
        """Cancels, and waits until the session may be used again: at most a step of the engine."""
        stream.cancel()
        try:
            next_chunk(stream)
        except PinfoldError:
            # What stopped it by itself; the caller has an exception already.
            pass
        self._end(stream)

    def _end(self, stream: raw.Stream) -> None:
        finish = stream.finish()
        if finish is not None:
            self._finish = _values.lift(Finish, finish)
        self._raw = None

    @property
    def finish(self) -> Optional[Finish]:
        """How it ended; nothing while it goes on, after an error, and if it was closed before its end."""
        return self._finish

    def cancel(self) -> None:
        """Ends the generation, from any thread: no more text comes, and `finish` says `FinishReason.CANCELLED` once
        the stream was read to its end. After the end it does nothing. Never blocks."""
        stream = self._raw
        if stream is not None:
            stream.cancel()

    def close(self) -> None:
        """Cancels what is left and frees what the stream holds. Closing it again does nothing."""
        stream, self._raw = self._raw, None
        if stream is not None:
            # A reader on another thread holds the stream too, and is to end.
            stream.cancel()

    async def __aenter__(self) -> Stream:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __reduce__(self) -> Any:
        raise TypeError("a Stream cannot be copied or pickled")

    def __repr__(self) -> str:
        state = "open" if self._raw is not None else "closed" if self._finish is None else self._finish.reason
        return f"<pinfold.Stream {state}>"
