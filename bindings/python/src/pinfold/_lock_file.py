"""A lock file: what an app runs, pinned by digest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Iterable, Optional, Tuple, Union, cast

from . import _callback, _check, _model, _pinned
from ._cancel import Cancel
from ._model import Model, ModelOptions
from ._native import raw
from ._owned import Owned
from ._pinned import PinnedAdapter, PinnedCheckpoint, PinnedFile, PinnedGolden, VerifyReport
from ._session import SamplingOptions
from ._store import Store

if TYPE_CHECKING:
    from typing_extensions import Unpack

PullProgress = Callable[[str, int, int], object]
VerifyProgress = Callable[[str, int, int], object]


class LockFile(Owned[raw.LockFile]):
    """What an app runs, pinned by digest. A name gives exactly the pinned bytes, or an error::

        lock = pinfold.LockFile.open("pinfold.lock")
        store = pinfold.Store.open()
        lock.pull("intent", store)
        with lock.load("intent", store) as model, model.session() as session:
            ...

    `open`, `open_signed`, `from_bytes` and `find` make one; the program ``pinfold`` writes lock files. May be used from
    any thread. As a context manager it closes itself; a closed one raises `ValueError`.
    """

    __slots__ = ()

    def __init__(self, lock_file: raw.LockFile) -> None:
        """Not for apps: `open` and the others make lock files."""
        if not isinstance(lock_file, raw.LockFile):
            raise TypeError("use LockFile.open, LockFile.open_signed, LockFile.from_bytes or LockFile.find")
        super().__init__(lock_file)

    def _open(self) -> raw.LockFile:
        lock_file = self._raw
        if lock_file is None:
            raise ValueError("the lock file is closed")
        return lock_file

    @classmethod
    def open(cls, path: Union[str, os.PathLike[str]] = "pinfold.lock") -> LockFile:
        """Reads the lock file at ``path``.

        Raises `Io`, or `BadLock`, whose message begins with path, line and column.
        """
        return cls(raw.LockFile.open(_check.path("path", path)))

    @classmethod
    def open_signed(cls, path: Union[str, os.PathLike[str]], public_key: str) -> LockFile:
        """Reads a lock file that must be signed: its minisign signature lies beside it, with ``.minisig`` at the end
        of the name.

        public_key: the key that the app embeds: its base64, or the text of the ``.pub`` file

        Raises `Io`, `BadSignature` or `BadLock`.
        """
        return cls(raw.LockFile.open_signed(_check.path("path", path), _check.text("public_key", public_key)))

    @classmethod
    def from_bytes(
        cls, data: Union[bytes, bytearray, memoryview], *, path: Union[str, os.PathLike[str]] = "pinfold.lock"
    ) -> LockFile:
        """Reads a lock file that is in memory, e.g. a resource of the package.

        path: what stands in errors; ``file:`` sources are relative to its folder

        Raises `BadLock`.
        """
        return cls(raw.LockFile.open_bytes(_check.path("path", path), _check.data("data", data)))

    @classmethod
    def find(cls, folder: Union[str, os.PathLike[str]] = ".") -> LockFile:
        """Reads the nearest ``pinfold.lock``, in ``folder`` or one above it. Raises `Io` if there is none, `BadLock`."""
        return cls(raw.LockFile.find(_check.path("folder", folder)))

    @property
    def path(self) -> str:
        """The file's path."""
        return self._open().path()

    def checkpoints(self) -> Tuple[PinnedCheckpoint, ...]:
        """The checkpoints, in the order of their names."""
        return cast(Tuple[PinnedCheckpoint, ...], _pinned.lift(self._open().checkpoints()))

    def adapters(self) -> Tuple[PinnedAdapter, ...]:
        """The adapters, in the order of their names."""
        return cast(Tuple[PinnedAdapter, ...], _pinned.lift(self._open().adapters()))

    def goldens(self) -> Tuple[PinnedGolden, ...]:
        """The goldens, in the order of their names."""
        return cast(Tuple[PinnedGolden, ...], _pinned.lift(self._open().goldens()))

    def sampling(self, name: str) -> SamplingOptions:
        """The settings of the sampler of this name, as keyword arguments::

            session.generate(**lock.sampling("careful"), max_tokens=100)

        Raises `NotPinned`.
        """
        found = self._open().sampling(_check.text("name", name))
        return cast(SamplingOptions, {field: getattr(found, field) for field in SamplingOptions.__annotations__})

    def resolve(self, name: str, store: Store, *, full_check: bool = False) -> PinnedFile:
        """A file with exactly the bytes that the checkpoint or adapter ``name`` is pinned to: of the store, or else of
        a ``file:`` source. Nothing is downloaded.

        full_check: whether the file is hashed even if it was before and was not touched since

        Raises `NotPinned`, `NotPulled`, `WrongDigest` or `Io`.
        """
        arguments = _check.text("name", name), _raw_store(store), _check.flag("full_check", full_check)
        return cast(PinnedFile, _pinned.lift(self._open().resolve(*arguments)))

    def check_signature(self, name: str, store: Store, public_key: str) -> None:
        """Checks that the bytes of ``name`` are signed by this minisign key, with the signature that the lock file
        carries. Raises `BadSignature`, and what `resolve` raises."""
        arguments = _check.text("name", name), _raw_store(store), _check.text("public_key", public_key)
        self._open().check_signature(*arguments)

    def pull(
        self,
        name: str,
        store: Store,
        *,
        connections: int = 4,
        attempts: int = 5,
        hub_endpoint: Optional[str] = None,
        hub_token: Optional[str] = None,
        certificates: Optional[Union[str, os.PathLike[str]]] = None,
        stall_timeout_ms: int = 30000,
        progress: Optional[PullProgress] = None,
        cancel: Optional[Cancel] = None,
    ) -> PinnedFile:
        """Brings the bytes of ``name`` into the store, unless they are there.

        connections: for one file, 1 to 16
        attempts: at one source before the next is tried, 1 to 100; those that brought bytes do not count
        hub_endpoint: the address of the Hub; by default ``HF_ENDPOINT`` of the environment
        hub_token: its access token; by default ``HF_TOKEN`` of the environment; sent to the endpoint only
        certificates: a PEM file of certificates that are trusted as well; by default ``SSL_CERT_FILE``
        stall_timeout_ms: milliseconds without a byte after which a connection is given up
        progress: called with the source, the bytes that are done and those there are in all (0 if that is not known
            yet), maybe on another thread; if it raises, the pull ends with `Callback`, whose ``__cause__`` is the
            exception
        cancel: a flag that ends the pull; Ctrl-C sets it. What arrived is kept for the next attempt

        Raises `NotPinned`, `PullFailed`, `NoSpace`, `InvalidOption`, `Io`, `Cancelled` or `Callback`.
        """
        lock_file, name, into = self._open(), _check.text("name", name), _raw_store(store)
        options = raw.PullOptions(
            connections=_check.u32("connections", connections),
            attempts=_check.u32("attempts", attempts),
            hub_endpoint=_check.some_text("hub_endpoint", hub_endpoint),
            hub_token=_check.some_text("hub_token", hub_token),
            certificates=_check.some_path("certificates", certificates),
            stall_timeout_ms=_check.u32("stall_timeout_ms", stall_timeout_ms),
        )
        found = _callback.watched(
            _callback.PullWatch,
            progress,
            cancel,
            lambda watch, flag: lock_file.pull(name, into, options, watch, flag),
        )
        return cast(PinnedFile, _pinned.lift(found))

    def load(
        self,
        name: str,
        store: Store,
        *,
        progress: Optional[_model.Progress] = None,
        cancel: Optional[Cancel] = None,
        **options: Unpack[ModelOptions],
    ) -> Model:
        """Resolves ``name`` and loads it.

        Takes what `Model.load` takes. Raises what `resolve` and `Model.load` raise.
        """
        lock_file, name, kept = self._open(), _check.text("name", name), _raw_store(store)
        lowered = _model.lower_options(**options)
        model = _callback.watched(
            _callback.LoadWatch,
            progress,
            cancel,
            lambda watch, flag: lock_file.load(name, kept, lowered, watch, flag),
        )
        return Model(model)

    def verify(
        self,
        store: Store,
        *,
        names: Union[str, Iterable[str]] = (),
        full_check: bool = True,
        tolerance: float = 0.1,
        threads: int = 0,
        progress: Optional[VerifyProgress] = None,
        cancel: Optional[Cancel] = None,
    ) -> VerifyReport:
        """Checks the files and replays the goldens.

        names: of checkpoints, adapters or goldens; empty for everything
        full_check: whether files are hashed even if they were before and were not touched since
        tolerance: what a log-probability may differ by where another backend or version recorded a golden, in nats
        threads: that compute; 0 to choose by the machine
        progress: called with what is looked at, the number of things that are done and those there are, maybe on
            another thread

        What is wrong with a pin stands in the report. Raises `NotPinned` for an unknown name, `Cancelled` or `Callback`.
        """
        lock_file, kept = self._open(), _raw_store(store)
        options = raw.VerifyOptions(
            names=_check.texts("names", names),
            full_check=_check.flag("full_check", full_check),
            tolerance=_check.f32("tolerance", tolerance),
            threads=_check.u32("threads", threads),
        )
        report = _callback.watched(
            _callback.VerifyWatch,
            progress,
            cancel,
            lambda watch, flag: lock_file.verify(kept, options, watch, flag),
        )
        return cast(VerifyReport, _pinned.lift(report))

    def __reduce__(self) -> Any:
        raise TypeError("a LockFile cannot be copied or pickled: open it again")

    def __repr__(self) -> str:
        return "<pinfold.LockFile closed>" if self._raw is None else f"<pinfold.LockFile {self.path!r}>"


def _raw_store(store: Store) -> raw.Store:
    if not isinstance(store, Store):
        raise TypeError(f"store must be Store, not {type(store).__name__}")
    return store._open()
