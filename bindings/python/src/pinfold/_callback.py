"""Functions of the app that Rust calls: the progress of long work, and the log."""

from __future__ import annotations

import _thread
import atexit
import logging
from typing import Callable, Dict, Optional, Type, TypeVar, Union

from ._cancel import Cancel, or_own
from ._errors import Callback
from ._native import raw
from ._values import LogLevel
from ._wait import interruptible

_Result = TypeVar("_Result")

_STDLIB: Dict[LogLevel, int] = {
    LogLevel.ERROR: logging.ERROR,
    LogLevel.WARN: logging.WARNING,
    LogLevel.INFO: logging.INFO,
    LogLevel.DEBUG: logging.DEBUG,
    LogLevel.TRACE: logging.DEBUG // 2,
}

Sink = Callable[[LogLevel, str, str], object]


class _Watch:
    """Passes progress to the app, and keeps what it raised."""

    def __init__(self, progress: Callable[..., object]) -> None:
        if not callable(progress):
            raise TypeError(f"progress must be callable, not {type(progress).__name__}")
        self._progress = progress
        self.error: Optional[BaseException] = None

    def _tell(self, *arguments: object) -> None:
        try:
            self._progress(*arguments)
        except BaseException as error:  # An exception must not unwind through Rust.
            self.error = error
            # What it was stays on this side: the generated code passes on the `repr` of this one.
            raise RuntimeError("the app's function failed") from None


class LoadWatch(_Watch, raw.LoadProgress):
    """Of a load."""

    def loaded(self, share: float) -> None:
        """Called by Rust."""
        self._tell(share)


class PullWatch(_Watch, raw.PullProgress):
    """Of a download."""

    def pulled(self, source: str, done: int, total: int) -> None:
        """Called by Rust."""
        self._tell(source, done, total)


class VerifyWatch(_Watch, raw.VerifyProgress):
    """Of a verification."""

    def verified(self, subject: str, done: int, total: int) -> None:
        """Called by Rust."""
        self._tell(subject, done, total)


class StoreWatch(_Watch, raw.StoreProgress):
    """Of work on the files of a store."""

    def processed(self, done: int, total: int) -> None:
        """Called by Rust."""
        self._tell(done, total)


_Kind = TypeVar("_Kind", bound=_Watch)


def watched(
    kind: Type[_Kind],
    progress: Optional[Callable[..., object]],
    cancel: Optional[Cancel],
    work: Callable[[Optional[_Kind], raw.Cancel], _Result],
) -> _Result:
    """Works in a way that Ctrl-C ends, and names the app's exception as the cause where its progress failed."""
    flag = or_own(cancel)
    watch = None if progress is None else kind(progress)
    try:
        return interruptible(lambda: work(watch, flag), flag.cancel)
    except Callback as error:
        cause = None if watch is None else watch.error
        if cause is not None and not isinstance(cause, Exception):
            raise cause from None
        raise error from cause


class _Sink(raw.LogSink):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def log(self, level: raw.LogLevel, target: str, message: str) -> None:
        """Called by Rust."""
        try:
            self._sink(LogLevel[level.name], target, message)
        except KeyboardInterrupt:
            # It was not meant for the sink, which only happened to run: again, for the app.
            _thread.interrupt_main()
        except BaseException:  # noqa: S110
            # The line is lost. Saying so could fail in the same way.
            pass


def _level(level: Union[LogLevel, str]) -> LogLevel:
    if not isinstance(level, str):
        raise TypeError(f"level must be LogLevel or str, not {type(level).__name__}")
    try:
        return LogLevel(level)
    except ValueError:
        levels = ", ".join(LogLevel)
        raise ValueError(f"level: an unknown one; there are {levels}") from None


def set_log_sink(sink: Optional[Sink], level: Union[LogLevel, str] = LogLevel.INFO) -> None:
    """Sends log lines of ``level`` and above to ``sink``, in the place of the sink before; None for silence, which is
    how it starts.

    ``sink(level, target, message)`` is called on the thread that logs, so it must be quick and must not call Pinfold.
    ``target`` is the part that speaks, e.g. ``pinfold::llama``. If it raises, the line is lost and nothing else
    happens. Lines never hold text of the user. `log_to_logging` serves most apps.
    """
    known = raw.LogLevel[_level(level).name]
    if sink is not None and not callable(sink):
        raise TypeError(f"sink must be callable, not {type(sink).__name__}")
    raw.set_log_sink(None if sink is None else _Sink(sink), known)


def _to_logging(level: LogLevel, target: str, message: str) -> None:
    logger = logging.getLogger(target.replace("::", "."))
    logger.log(_STDLIB[level], "%s", message)


def log_to_logging(level: Union[LogLevel, str] = LogLevel.INFO) -> None:
    """Sends log lines of ``level`` and above to Python's `logging`: to the logger ``pinfold`` and those under it, e.g.
    ``pinfold.llama``. `LogLevel.TRACE` arrives as the number 5."""
    set_log_sink(_to_logging, level)


# The engine's threads may log while the interpreter ends, and must find no Python any more.
atexit.register(raw.set_log_sink, None, raw.LogLevel.ERROR)
