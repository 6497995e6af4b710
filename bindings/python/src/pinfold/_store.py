"""The bytes of pins on this machine."""

from __future__ import annotations

import os
from typing import Any, Callable, Iterable, Optional, Tuple, Union, cast

from . import _callback, _check, _pinned
from ._cancel import Cancel
from ._native import raw
from ._owned import Owned
from ._pinned import Collected, DamagedEntry, StoreEntry

StoreProgress = Callable[[int, int], object]


class Store(Owned[raw.Store]):
    """The folder with the bytes of pins, each file under its digest; all apps of a user may share it::

        store = pinfold.Store.open()
        for entry in store.entries():
            print(entry.digest, entry.size)

    `open` makes one. May be used from any thread, and beside other processes on the same folder. As a context manager
    it closes itself; a closed one raises `ValueError`.
    """

    __slots__ = ()

    def __init__(self, store: raw.Store) -> None:
        """Not for apps: `Store.open` makes stores."""
        if not isinstance(store, raw.Store):
            raise TypeError("use Store.open")
        super().__init__(store)

    def _open(self) -> raw.Store:
        store = self._raw
        if store is None:
            raise ValueError("the store is closed")
        return store

    @classmethod
    def open(
        cls, root: Optional[Union[str, os.PathLike[str]]] = None, *, quota: Optional[int] = None
    ) -> Store:
        """Opens the store, and makes its folders if they are missing.

        root: its folder; by default ``PINFOLD_STORE`` of the environment, or else ``pinfold`` in the user's data folder
        quota: bytes that its files may take together; by default ``PINFOLD_STORE_QUOTA``, or else no limit

        Raises `Io`, `BadStore` or `InvalidOption`.
        """
        options = raw.StoreOptions(root=_check.some_path("root", root), quota=_check.some_u64("quota", quota))
        return cls(raw.Store.open(options))

    @property
    def root(self) -> str:
        """Its folder."""
        return self._open().root()

    def entries(self) -> Tuple[StoreEntry, ...]:
        """Its files, in the order of their digests. Raises `Io`."""
        return cast(Tuple[StoreEntry, ...], _pinned.lift(self._open().entries()))

    def verify(
        self,
        digests: Union[str, Iterable[str]] = (),
        *,
        progress: Optional[StoreProgress] = None,
        cancel: Optional[Cancel] = None,
    ) -> Tuple[DamagedEntry, ...]:
        """Hashes the files of ``digests``, or all, and gives those whose bytes were changed.

        ``progress(done, total)`` is told of bytes, maybe on another thread. Raises `NotPulled` for a digest that is not
        here, `Io`, `Cancelled` or `Callback`.
        """
        store, wanted = self._open(), _check.texts("digests", digests)
        found = _callback.watched(
            _callback.StoreWatch, progress, cancel, lambda watch, flag: store.verify(wanted, watch, flag)
        )
        return cast(Tuple[DamagedEntry, ...], _pinned.lift(found))

    def remove(self, digest: str) -> bool:
        """Removes a file; False if it is not here. Raises `Io`."""
        return self._open().remove(_check.text("digest", digest))

    def collect(self, *, dry_run: bool = False) -> Collected:
        """Removes what no known lock file pins, and what is left of downloads that nobody continues; with ``dry_run``
        it only says what it would remove.

        A lock file is known here once something of it was pulled. Raises `Io`, or `BadLock` of a known lock file that
        cannot be read: nothing is removed then.
        """
        return cast(Collected, _pinned.lift(self._open().collect(_check.flag("dry_run", dry_run))))

    def import_file(
        self,
        path: Union[str, os.PathLike[str]],
        *,
        expected_digest: Optional[str] = None,
        progress: Optional[StoreProgress] = None,
        cancel: Optional[Cancel] = None,
    ) -> str:
        """Copies a file into the store and gives its digest.

        With ``expected_digest`` other bytes raise `WrongDigest`. Raises `Io`, `NoSpace`, `Cancelled` or `Callback`.
        """
        store, file = self._open(), _check.path("path", path)
        expected = _check.some_text("expected_digest", expected_digest)
        return _callback.watched(
            _callback.StoreWatch,
            progress,
            cancel,
            lambda watch, flag: store.import_file(file, expected, watch, flag),
        )

    def __reduce__(self) -> Any:
        raise TypeError("a Store cannot be copied or pickled: open it again")

    def __repr__(self) -> str:
        return "<pinfold.Store closed>" if self._raw is None else f"<pinfold.Store {self.root!r}>"
