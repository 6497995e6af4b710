"""A loaded checkpoint, and looking into one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Iterable, List, Mapping, Optional, Tuple, TypedDict, Union

from . import _callback, _check, _values
from ._cancel import Cancel
from ._native import raw
from ._owned import Owned
from ._session import Session
from ._values import CheckpointInfo, EmbeddedInfo, Facts, Message
from ._weak import WeakMembers

if TYPE_CHECKING:
    from typing_extensions import Unpack

Progress = Callable[[float], object]


class ModelOptions(TypedDict, total=False):
    """The keyword arguments of `Model.load` that say how a model is loaded; `Model.load` describes them."""

    context_tokens: int
    sessions: int
    threads: int
    slice_tokens: int
    offload_layers: Optional[int]
    offload_devices: Iterable[str]
    mmap: bool
    check_memory: bool
    reproducible: bool


def lower_options(
    context_tokens: int = 0,
    sessions: int = 8,
    threads: int = 0,
    slice_tokens: int = 0,
    offload_layers: Optional[int] = None,
    offload_devices: Iterable[str] = (),
    mmap: bool = True,
    check_memory: bool = True,
    reproducible: bool = False,
) -> raw.ModelOptions:
    offload = raw.Offload(
        layers=_check.some_u32("offload_layers", offload_layers),
        devices=_check.texts("offload_devices", offload_devices),
    )
    return raw.ModelOptions(
        context_tokens=_check.u32("context_tokens", context_tokens),
        sessions=_check.u32("sessions", sessions),
        threads=_check.u32("threads", threads),
        slice_tokens=_check.u32("slice_tokens", slice_tokens),
        offload=offload,
        mmap=_check.flag("mmap", mmap),
        check_memory=_check.flag("check_memory", check_memory),
        reproducible=_check.flag("reproducible", reproducible),
    )


def _load(
    progress: Optional[Progress],
    cancel: Optional[Cancel],
    load: Callable[[Optional[raw.LoadProgress], raw.Cancel], raw.Model],
) -> Model:
    return Model(_callback.watched(_callback.LoadWatch, progress, cancel, load))


class Model(Owned[raw.Model]):
    """A loaded checkpoint, ready for sessions::

        with pinfold.Model.load("checkpoint.gguf") as model, model.session() as session:
            session.append("Once upon a time")
            for chunk in session.generate(max_tokens=100):
                print(chunk, end="", flush=True)

    `load`, `embedded`, `from_bytes` and `scripted` make one. May be used from any thread. As a context manager it
    closes itself; a closed one raises `ValueError`. A fork does not copy the engine's threads: in the child, a model of
    the parent is closed.
    """

    __slots__ = ("_sessions",)

    def __init__(self, model: raw.Model) -> None:
        """Not for apps: `load` and the others make models."""
        if not isinstance(model, raw.Model):
            raise TypeError("use Model.load, Model.embedded, Model.from_bytes or Model.scripted")
        super().__init__(model)
        self._sessions: WeakMembers[Session] = WeakMembers()

    def _open(self) -> raw.Model:
        model = self._raw
        if model is None:
            raise ValueError("the model is closed")
        return model

    @classmethod
    def load(
        cls,
        path: Union[str, os.PathLike[str]],
        *,
        context_tokens: int = 0,
        sessions: int = 8,
        threads: int = 0,
        slice_tokens: int = 0,
        offload_layers: Optional[int] = None,
        offload_devices: Iterable[str] = (),
        mmap: bool = True,
        check_memory: bool = True,
        reproducible: bool = False,
        progress: Optional[Progress] = None,
        cancel: Optional[Cancel] = None,
    ) -> Model:
        """Loads the GGUF checkpoint at ``path``, after the preflight. The defaults suit an app that chats.

        context_tokens: tokens that all sessions hold together; 0 for what the checkpoint was trained on, at most 4096
        sessions: that can be open at once, 1 to 256; they share the context, so this costs little
        threads: that compute; 0 to choose by the machine and the checkpoint
        slice_tokens: tokens of a prompt that are computed at once; 0 to choose by the size of the checkpoint
        offload_layers: the last so many layers go to a GPU; 0 for none, None for as many as fit
        offload_devices: names of `devices` that may be used; empty for all
        mmap: whether the file is mapped instead of read
        check_memory: whether a checkpoint that cannot fit into the free memory is refused
        reproducible: whether logits do not depend on slices, cached prefixes, other sessions and threads; prompts take
            as long as generation then, and each session has ``context_tokens`` of its own
        progress: called with the share that is loaded, 0 to 1, maybe on another thread; if it raises, the load ends
            with `Callback`, whose ``__cause__`` is the exception
        cancel: a flag that ends the load; Ctrl-C sets it

        Raises `Io`, `BadCheckpoint`, `OutOfMemory`, `Unsupported` (a pure encoder), `LoadFailed`, `InvalidOption`,
        `Cancelled` or `Callback`.
        """
        file = _check.path("path", path)
        options = lower_options(
            context_tokens,
            sessions,
            threads,
            slice_tokens,
            offload_layers,
            offload_devices,
            mmap,
            check_memory,
            reproducible,
        )
        return _load(progress, cancel, lambda watch, flag: raw.Model.load(file, options, watch, flag))

    @classmethod
    def embedded(
        cls,
        name: str,
        *,
        progress: Optional[Progress] = None,
        cancel: Optional[Cancel] = None,
        **options: Unpack[ModelOptions],
    ) -> Model:
        """Loads the checkpoint of this name that is compiled into the library; `embedded_checkpoints` lists them.

        Takes what `load` takes. Raises `UnknownCheckpoint`, and what `load` raises.
        """
        name, lowered = _check.text("name", name), lower_options(**options)
        return _load(progress, cancel, lambda watch, flag: raw.Model.load_embedded(name, lowered, watch, flag))

    @classmethod
    def from_bytes(
        cls,
        data: Union[bytes, bytearray, memoryview],
        *,
        name: str = "bytes",
        progress: Optional[Progress] = None,
        cancel: Optional[Cancel] = None,
        **options: Unpack[ModelOptions],
    ) -> Model:
        """Loads a GGUF checkpoint that is in memory; ``name`` stands in errors.

        Takes what `load` takes, and raises the same.
        """
        held, name, lowered = _check.data("data", data), _check.text("name", name), lower_options(**options)
        return _load(progress, cancel, lambda watch, flag: raw.Model.load_bytes(name, held, lowered, watch, flag))

    @classmethod
    def scripted(cls, answer: str, *, step_microseconds: int = 0, **options: Unpack[ModelOptions]) -> Model:
        """A model without a checkpoint that gives the same answer to every prompt, byte by byte, and ends: for tests
        of an app.

        Each token takes ``step_microseconds``. Its tokens are the 256 bytes, then ``<bos>`` and ``<eos>``; its context
        has 1024 tokens unless the options say otherwise. Raises `InvalidOption`.
        """
        step = _check.u32("step_microseconds", step_microseconds)
        return cls(raw.Model.scripted(_check.text("answer", answer), step, lower_options(**options)))

    def session(self, *, slide_keep: Optional[int] = None) -> Session:
        """Opens a session.

        slide_keep: without it a full context is an error and nothing is lost. A number makes the session slide: its
            first so many tokens stay and the oldest half of the others is dropped.

        Raises `TooManySessions`.
        """
        options = raw.SessionOptions(slide_keep=_check.some_u32("slide_keep", slide_keep))
        return Session(self._open().session(options), self._sessions)

    def tokenize(self, text: str, *, parse_special: bool = False) -> List[int]:
        """The tokens of ``text``, without a begin-of-sequence token.

        With ``parse_special``, special tokens that are spelled out are read as tokens: only for text that the author
        of a prompt or a chat template wrote.
        """
        text, parse_special = _check.text("text", text), _check.flag("parse_special", parse_special)
        return self._open().tokenize(text, parse_special)

    def detokenize(self, tokens: Iterable[int]) -> str:
        """The text of ``tokens`` as a reader sees it; what is not UTF-8 becomes U+FFFD. Raises `UnknownToken`."""
        return self._open().detokenize(_check.tokens(tokens))  # type: ignore[arg-type]

    def chat_prompt(self, messages: Iterable[Union[Message, Tuple[str, str], Mapping[str, str]]]) -> str:
        """The prompt that the checkpoint's chat template makes of ``messages``, ready for the answer.

        A message is a `Message`, a pair ``("user", "Hello")``, or a mapping with the keys ``role`` and ``content``.
        Give the prompt to `Session.append` with ``parse_special=True``. Raises `ChatTemplate` if there is none, or if
        it fails.
        """
        return self._open().chat_prompt([_check.message(item) for item in messages])

    @property
    def facts(self) -> Facts:
        """Facts about the checkpoint."""
        return _values.lift(Facts, self._open().facts())

    @property
    def context_tokens(self) -> int:
        """Tokens that all sessions hold together."""
        return self._open().context_tokens()

    @property
    def vocabulary_size(self) -> int:
        """The number of tokens of the vocabulary."""
        return self._open().vocabulary_size()

    def digest(self) -> str:
        """The SHA-256 of the checkpoint's bytes, in hexadecimal. The first call reads the file.

        Raises `Io`, or `BadSession` if the file was changed after it was loaded.
        """
        return self._open().digest()

    def close(self) -> None:
        """Closes the model with its sessions and streams, and gives the memory back. Closing it again does nothing."""
        for session in self._sessions:
            session.close()
        self._raw = None

    def __reduce__(self) -> Any:
        raise TypeError("a Model cannot be copied or pickled: load it again")

    def __repr__(self) -> str:
        if self._raw is None:
            return "<pinfold.Model closed>"
        return f"<pinfold.Model {self.facts.architecture}, {self.context_tokens} tokens>"


def inspect(path: Union[str, os.PathLike[str]], **options: Unpack[ModelOptions]) -> CheckpointInfo:
    """Reads the header of the checkpoint at ``path`` and runs the preflight, without loading the weights.

    The options of `Model.load` bear on the estimate of memory. Raises `Io` if it cannot be read, `BadCheckpoint` if it
    would not run.
    """
    return _values.lift(CheckpointInfo, raw.inspect_checkpoint(_check.path("path", path), lower_options(**options)))


def embedded_checkpoints() -> List[EmbeddedInfo]:
    """The checkpoints that are compiled into the library, in the order of their names."""
    return [_values.lift(EmbeddedInfo, found) for found in raw.embedded_checkpoints()]
