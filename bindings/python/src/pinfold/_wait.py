"""Long calls into Rust, made so that the main thread still sees Ctrl-C.

A signal's handler runs on the main thread, between two instructions of Python, and so not during a call into Rust.
What may take long is therefore done on a helper thread while the main thread waits for a lock, which a signal
interrupts. On other threads, which see no signals, the call is made directly.
"""

from __future__ import annotations

import sys
import threading
from typing import Any, Callable, Generic, List, Optional, TypeVar

_Result = TypeVar("_Result")

# Windows does not interrupt the wait for a lock, so the wait must end by itself now and then.
_SECONDS = 0.05 if sys.platform == "win32" else -1.0


class _Call(Generic[_Result]):
    """A call on a thread of its own."""

    def __init__(self, call: Callable[[], _Result]) -> None:
        self._call = call
        self._results: List[_Result] = []
        self._error: Optional[BaseException] = None
        self._done = threading.Lock()
        self._done.acquire()
        threading.Thread(target=self._run, name="pinfold-call", daemon=True).start()

    def _run(self) -> None:
        try:
            self._results.append(self._call())
        except BaseException as error:  # Passed on to the thread that waits.
            self._error = error
        finally:
            self._done.release()

    def wait(self) -> None:
        while not self._done.acquire(timeout=_SECONDS):
            pass
        self._done.release()

    def result(self) -> _Result:
        error, self._error = self._error, None
        if error is None:
            return self._results[0]
        try:
            raise error
        finally:
            # Its traceback holds this frame: a cycle would keep alive what the call used.
            del error


def on_main_thread() -> bool:
    """Whether signals are handled on this thread."""
    return threading.current_thread() is threading.main_thread()


def interruptible(call: Callable[[], _Result], stop: Callable[[], Any]) -> _Result:
    """Does a call that `stop` ends early. If a signal's handler raises meanwhile, stops it, waits until it is over
    and lets the exception through; a second one leaves at once."""
    if not on_main_thread():
        return call()
    try:
        running = _Call(call)
    except RuntimeError:
        # No thread can start any more: the interpreter ends, or the system has no more of them.
        return call()
    try:
        running.wait()
    except BaseException:
        stop()
        running.wait()
        raise
    return running.result()
