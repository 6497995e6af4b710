"""Pinfold runs pinned checkpoints on the device: a GGUF file through llama.cpp, or one that ships inside.

A `Model` is a loaded checkpoint, a `Session` a sequence of tokens over it, a `Stream` a generation that is pulled piece
by piece::

    import pinfold

    with pinfold.Model.embedded("intent") as model, model.session() as session:
        prompt = model.chat_prompt([("user", "play some jazz by miles davis")])
        session.append(prompt, parse_special=True)
        for chunk in session.generate(max_tokens=150):
            print(chunk, end="", flush=True)

**Text.** `Session.append` adds text, `Session.generate` streams what follows, `Session.complete` returns it whole.
`Session.rewind`, `Session.fork`, `Session.save` and `Session.restore` move between prompts that begin alike.

**Pins.** A `LockFile` names what an app runs by digest; `LockFile.pull` brings the bytes into a `Store`,
`LockFile.load` runs exactly these, and `LockFile.verify` proves that prompts still give what they gave.

**Asynchronous code.** ``async for chunk in session.generate()`` and ``await session.acomplete()`` do not block the
loop, and cancelling the task cancels the generation. Load with ``await asyncio.to_thread(pinfold.Model.load, path)``.

**Stopping.** `Stream.cancel`, a `Cancel` flag given to a call, closing or dropping a stream, a cancelled task and
Ctrl-C all stop the engine within a step. The session keeps what was given out and can be used again at once.

**Threads.** Every object may be used from any thread; the interpreter lock is free while Rust works. Several sessions
of one model generate at the same time.

**Memory.** ``with`` and ``close()`` free at once what an object holds: a model closes its sessions, a session its
stream. Objects that are dropped free themselves, in any order. A closed object raises `ValueError`.

**Errors.** All are `PinfoldError`, each an exception of its own with a ``code`` that is the same in all languages and a
``message`` that says what to do. A wrong type is a `TypeError`.

**Log.** Silent until `log_to_logging` or `set_log_sink` is called. It never holds text of the user.
"""

from ._callback import log_to_logging, set_log_sink
from ._cancel import Cancel
from ._errors import (
    BadCheckpoint,
    BadLock,
    BadSession,
    BadSignature,
    BadSource,
    BadStore,
    Callback,
    Cancelled,
    ChatTemplate,
    ContextFull,
    Engine,
    InvalidOption,
    InvalidText,
    Io,
    LoadFailed,
    NoCandidate,
    NoSpace,
    NotPinned,
    NotPulled,
    OutOfMemory,
    PinfoldError,
    PullFailed,
    SessionBusy,
    SessionEmpty,
    TooManySessions,
    UnknownCheckpoint,
    UnknownToken,
    Unsupported,
    WrongDigest,
)
from ._lock_file import LockFile
from ._machine import __version__, devices
from ._model import Model, embedded_checkpoints, inspect
from ._model import ModelOptions as ModelOptions
from ._pinned import (
    Cause,
    Collected,
    DamagedEntry,
    Difference,
    FileReport,
    GoldenOutcome,
    GoldenReport,
    PinnedAdapter,
    PinnedCheckpoint,
    PinnedFile,
    PinnedGolden,
    StoreEntry,
    VerifyReport,
)
from ._session import GenerateOptions as GenerateOptions
from ._session import SamplingOptions as SamplingOptions
from ._session import Session
from ._store import Store
from ._stream import Stream
from ._values import (
    CheckpointInfo,
    Chunk,
    Device,
    DeviceKind,
    EmbeddedInfo,
    Facts,
    Finish,
    FinishReason,
    GeneratedToken,
    LogLevel,
    MemoryEstimate,
    Message,
    Role,
    TokenLogprob,
)

__all__ = [
    "BadCheckpoint",
    "BadLock",
    "BadSession",
    "BadSignature",
    "BadSource",
    "BadStore",
    "Callback",
    "Cancel",
    "Cancelled",
    "Cause",
    "ChatTemplate",
    "CheckpointInfo",
    "Chunk",
    "Collected",
    "ContextFull",
    "DamagedEntry",
    "Device",
    "DeviceKind",
    "Difference",
    "EmbeddedInfo",
    "Engine",
    "Facts",
    "FileReport",
    "Finish",
    "FinishReason",
    "GeneratedToken",
    "GoldenOutcome",
    "GoldenReport",
    "InvalidOption",
    "InvalidText",
    "Io",
    "LoadFailed",
    "LockFile",
    "LogLevel",
    "MemoryEstimate",
    "Message",
    "Model",
    "NoCandidate",
    "NoSpace",
    "NotPinned",
    "NotPulled",
    "OutOfMemory",
    "PinfoldError",
    "PinnedAdapter",
    "PinnedCheckpoint",
    "PinnedFile",
    "PinnedGolden",
    "PullFailed",
    "Role",
    "Session",
    "SessionBusy",
    "SessionEmpty",
    "Store",
    "StoreEntry",
    "Stream",
    "TokenLogprob",
    "TooManySessions",
    "UnknownCheckpoint",
    "UnknownToken",
    "Unsupported",
    "VerifyReport",
    "WrongDigest",
    "__version__",
    "devices",
    "embedded_checkpoints",
    "inspect",
    "log_to_logging",
    "set_log_sink",
]

# As users name them: in tracebacks, in `repr` and in the manual that `help(pinfold)` prints. The types of options
# are not in the manual, where they would only show what a `dict` can do; they are for annotations.
for _name in (*__all__, "GenerateOptions", "ModelOptions", "SamplingOptions"):
    _public = globals()[_name]
    if getattr(_public, "__module__", "").startswith("pinfold."):
        _public.__module__ = "pinfold"
del _name, _public
