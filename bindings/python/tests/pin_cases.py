"""The steps of the shared cases that are about lock files and stores."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import pinfold

PINS = Path(__file__).resolve().parents[3] / "core/vectors/pins"

Step = Dict[str, Any]


class expecting:
    """The error that a step must raise; nothing if none is said."""

    def __init__(self, step: Step) -> None:
        self.code, self.part = step.get("error"), step.get("message", "")

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: Any, traceback: object) -> bool:
        if self.code is None:
            return False
        assert isinstance(error, pinfold.PinfoldError), f"{self.code} was expected, not {error!r}"
        assert (error.code, self.part in error.message) == (self.code, True), error.message
        return True


def open_lock(source: Step) -> pinfold.LockFile:
    if "bytes_of" in source:
        return pinfold.LockFile.from_bytes((PINS / source["bytes_of"]).read_bytes(), path=PINS / "embedded.lock")
    if "find" in source:
        return pinfold.LockFile.find(PINS / source["find"])
    if "public_key" in source:
        return pinfold.LockFile.open_signed(PINS / source["file"], source["public_key"])
    return pinfold.LockFile.open(PINS / source["file"])


class Watch:
    """Hears of the work of a step, and stops it as the step says."""

    def __init__(self, step: Step) -> None:
        self.step, self.cancel = step, pinfold.Cancel()
        self.last: Optional[Tuple[int, int]] = None
        if step.get("cancel") == "before":
            self.cancel.cancel()

    def __call__(self, *heard: Any) -> None:
        self.last = heard[-2:]
        if self.step.get("cancel") == "progress":
            self.cancel.cancel()
        if self.step.get("fail_progress"):
            raise ZeroDivisionError

    @property
    def options(self) -> Dict[str, Any]:
        return {"progress": self, "cancel": self.cancel}


class PinRunner:
    """Does the steps of a case."""

    def __init__(self, lock_file: pinfold.LockFile, store: pinfold.Store) -> None:
        self.lock_file, self.store = lock_file, store

    def do(self, step: Step) -> None:
        method: Callable[[Step], Any] = getattr(self, step["do"])
        with expecting(step):
            came = method(step)
            for key in ("length", "text"):
                if key in step:
                    assert came == step[key]
            assert "error" not in step, f"{step['error']} was expected"

    def digest(self, name: str) -> str:
        return next(pin.digest for pin in self.lock_file.checkpoints() if pin.name == name)

    def checkpoints(self, step: Step) -> str:
        def line(pin: pinfold.PinnedCheckpoint) -> str:
            signed = "signed" if pin.signed else "unsigned"
            template = "no template" if pin.chat_template_digest is None else "template"
            facts = (pin.name, pin.architecture, pin.quantization, pin.licence, pin.sources[0])
            return " ".join((*facts, str(pin.context_length), signed, template))

        return "\n".join(map(line, self.lock_file.checkpoints()))

    def adapters(self, step: Step) -> str:
        pins = self.lock_file.adapters()
        return "\n".join(" ".join((pin.name, pin.architecture, pin.base, pin.licence, pin.sources[0])) for pin in pins)

    def goldens(self, step: Step) -> str:
        return "\n".join(f"{golden.name} {golden.checkpoint}" for golden in self.lock_file.goldens())

    def sampling(self, step: Step) -> None:
        found = self.lock_file.sampling(step["name"])
        assert (found["temperature"], found["seed"], found["top_k"]) == (
            step["temperature"],
            step["seed"],
            step["top_k"],
        )
        assert len(found["logit_bias"] or {}) == 1

    def is_pinned(self, file: pinfold.PinnedFile) -> None:
        assert hashlib.sha256(Path(file.path).read_bytes()).hexdigest() == file.digest

    def resolve(self, step: Step) -> None:
        full_check = step.get("full_check", False)
        self.is_pinned(self.lock_file.resolve(step["name"], self.store, full_check=full_check))

    def pull(self, step: Step) -> None:
        watch = Watch(step)
        attempts = step.get("attempts", 5)
        file = self.lock_file.pull(step["name"], self.store, attempts=attempts, **watch.options)
        if step.get("whole"):
            size = next(pin.size for pin in self.lock_file.checkpoints() if pin.name == step["name"])
            assert watch.last == (size, size)
        assert file.path.startswith(self.store.root)
        self.is_pinned(file)

    def load(self, step: Step) -> None:
        self.lock_file.load(step["name"], self.store)

    def check_signature(self, step: Step) -> None:
        self.lock_file.check_signature(step["name"], self.store, step["public_key"])

    def verify(self, step: Step) -> None:
        names = step.get("names", [])
        report = self.lock_file.verify(self.store, names=names, threads=1, **Watch(step).options)
        causes: List[str] = [str(cause) for file in report.files for cause in file.causes]
        causes += [str(golden.cause) for golden in report.goldens if golden.cause is not None]
        assert (report.passed, causes) == (step["passed"], step["causes"])

    def entries(self, step: Step) -> int:
        return len(self.store.entries())

    def remove(self, step: Step) -> int:
        return int(self.store.remove(self.digest(step["name"])))

    def collect(self, step: Step) -> int:
        return len(self.store.collect(dry_run=step.get("dry_run", False)).removed)

    def verify_store(self, step: Step) -> int:
        return len(self.store.verify(**Watch(step).options))

    def import_file(self, step: Step) -> None:
        path = PINS / step["path"]
        expected = self.digest(step["name"]) if "name" in step else None
        digest = self.store.import_file(path, expected_digest=expected, **Watch(step).options)
        assert digest == hashlib.sha256(path.read_bytes()).hexdigest()

    def damage_stored(self, step: Step) -> None:
        digest = self.digest(step["name"])
        path = Path(next(entry.path for entry in self.store.entries() if entry.digest == digest))
        data = bytearray(path.read_bytes())
        data[step["damage"]] ^= 1
        path.unlink()
        path.write_bytes(data)
