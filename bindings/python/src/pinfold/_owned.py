"""What Model, Session and Stream share: each holds an object of Rust's until it is closed."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Generic, Optional, Type, TypeVar

from . import _fork

_Raw = TypeVar("_Raw")
_Self = TypeVar("_Self", bound="Owned[Any]")


class Owned(Generic[_Raw]):
    """Holds an object of the generated module; as a context manager it closes itself."""

    __slots__ = ("__weakref__", "_raw")

    def __init__(self, raw: _Raw) -> None:
        self._raw: Optional[_Raw] = raw
        _fork.note(self)

    def close(self) -> None:
        """Frees what is held. Closing again does nothing."""
        self._raw = None

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def _abandon(self) -> None:
        """Gives up what belongs to another process."""
        raw, self._raw = self._raw, None
        _fork.forget(raw)
