"""Lock files and stores: what the shared cases do not say."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

import pinfold
from pin_cases import PINS

LOCK = PINS / "pinfold.lock"


@pytest.fixture()
def store(tmp_path: Path) -> pinfold.Store:
    return pinfold.Store.open(tmp_path / "store")


def test_a_pull_is_heard_and_its_file_can_be_used(store: pinfold.Store) -> None:
    lock, heard = pinfold.LockFile.open(LOCK), []
    file = lock.pull("intent", store, progress=lambda *told: heard.append(told))
    assert heard and heard[-1][1:] == (file_size := Path(file.path).stat().st_size, file_size)
    assert all(source.startswith("file:") for source, _, _ in heard)
    (entry,) = store.entries()
    assert (entry.digest, entry.size, entry.path) == (file.digest, file_size, file.path)
    assert isinstance(entry.used, datetime.datetime) and entry.used.tzinfo is not None
    assert [Path(path).name for path in entry.pinned_by] == ["pinfold.lock"]
    with lock.load("intent", store, progress=lambda share: None) as model:
        assert model.digest() == file.digest


def test_the_apps_exception_is_the_cause(store: pinfold.Store) -> None:
    lock = pinfold.LockFile.open(LOCK)

    def fail(*told: object) -> None:
        raise ZeroDivisionError

    work: Dict[str, Callable[[], Any]] = {
        "pull": lambda: lock.pull("intent", store, progress=fail),
        "verify": lambda: lock.verify(store, names="music", progress=fail),
        "import": lambda: store.import_file(LOCK, progress=fail),
    }
    for name, call in work.items():
        with pytest.raises(pinfold.Callback) as caught:
            call()
        assert isinstance(caught.value.__cause__, ZeroDivisionError), name
    assert store.entries() == ()


def test_settings_are_keyword_arguments(store: pinfold.Store) -> None:
    lock = pinfold.LockFile.open(LOCK)
    with pinfold.Model.scripted("hello") as model, model.session() as session:
        session.append("q")
        assert session.complete(**lock.sampling("careful"), max_tokens=2) is not None


def test_what_is_closed_says_so(store: pinfold.Store) -> None:
    lock = pinfold.LockFile.open(LOCK)
    store.close()
    with pytest.raises(ValueError, match="the store is closed"):
        lock.resolve("intent", store)
    lock.close()
    with pytest.raises(ValueError, match="the lock file is closed"):
        lock.checkpoints()
    assert (repr(lock), repr(store)) == ("<pinfold.LockFile closed>", "<pinfold.Store closed>")


@pytest.mark.parametrize(
    "call",
    [
        lambda lock, store: pinfold.LockFile.open(3),  # type: ignore[arg-type]
        lambda lock, store: pinfold.LockFile.from_bytes("text"),  # type: ignore[arg-type]
        lambda lock, store: pinfold.LockFile(lock),
        lambda lock, store: pinfold.Store(store),
        lambda lock, store: lock.resolve("intent", "store"),
        lambda lock, store: lock.resolve("intent", store, full_check=1),
        lambda lock, store: lock.pull("intent", store, progress=3),
        lambda lock, store: lock.pull("intent", store, cancel=True),
        lambda lock, store: lock.pull("intent", store, hub_token=b"secret"),
        lambda lock, store: lock.verify(store, names=3),
        lambda lock, store: store.remove(3),
    ],
)
def test_a_wrong_type_is_a_type_error(call: Any, store: pinfold.Store) -> None:
    with pytest.raises(TypeError):
        call(pinfold.LockFile.open(LOCK), store)


def test_a_wrong_value_says_what_to_do(store: pinfold.Store) -> None:
    lock = pinfold.LockFile.open(LOCK)
    with pytest.raises(pinfold.InvalidOption, match="connections"):
        lock.pull("intent", store, connections=17)
    with pytest.raises(pinfold.InvalidOption, match="stall_timeout_ms"):
        lock.pull("intent", store, stall_timeout_ms=-1)
    with pytest.raises(pinfold.InvalidOption, match="tolerance"):
        lock.verify(store, tolerance=-1)
    with pytest.raises(pinfold.InvalidText):
        lock.resolve("\ud800", store)
    with pytest.raises(pinfold.InvalidOption, match="digest"):
        store.remove("abc")
    with pytest.raises(pinfold.BadLock, match=r"^embedded.lock:1:1: "):
        pinfold.LockFile.from_bytes(b"", path="embedded.lock")
