"""The flag that stops work from another thread."""

from __future__ import annotations

from typing import Any, Optional

from ._native import raw


class Cancel:
    """A flag that stops a load, a prefill or a generation from another thread.

    Setting it takes no lock and never blocks. A flag that was set stays set: make a new one for new work. One flag
    may be given to any number of calls.
    """

    __slots__ = ("_raw",)

    def __init__(self) -> None:
        self._raw = _new()

    def cancel(self) -> None:
        """Asks the work to stop; it does so within one decode step or one slice of a prefill."""
        self._raw.cancel()

    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._raw.is_cancelled()

    def __reduce__(self) -> Any:
        raise TypeError("a Cancel cannot be copied or pickled")

    def __repr__(self) -> str:
        return f"<pinfold.Cancel {'set' if self.is_cancelled() else 'not set'}>"


def _new() -> raw.Cancel:
    return raw.Cancel()  # type: ignore[no-untyped-call]


def lower(value: Optional[Cancel]) -> Optional[raw.Cancel]:
    """The flag that was given."""
    if value is None:
        return None
    if not isinstance(value, Cancel):
        raise TypeError(f"cancel must be Cancel, not {type(value).__name__}")
    return value._raw


def or_own(value: Optional[Cancel]) -> raw.Cancel:
    """The flag that was given, or a new one for what must be stopped without it."""
    return lower(value) or _new()
