"""The values that calls take and give: named tuples and enumerations, all of them immutable."""

from __future__ import annotations

import enum
from typing import Any, NamedTuple, Optional, Tuple, Type, TypeVar


class Name(str, enum.Enum):
    """An enumeration whose members are equal to their names in lower case."""

    def __str__(self) -> str:
        return str(self.value)


class FinishReason(Name):
    """Why a generation ended."""

    END_OF_GENERATION = "end_of_generation"
    """The model ended its text."""
    STOP = "stop"
    """A stop text appeared."""
    LENGTH = "length"
    """``max_tokens`` were generated."""
    CANCELLED = "cancelled"
    """It was cancelled, or its session was closed."""


class Role(Name):
    """Who says a message."""

    SYSTEM = "system"
    """The author of the app."""
    USER = "user"
    """The user."""
    ASSISTANT = "assistant"
    """The model."""
    TOOL = "tool"
    """A tool that the model called."""


class DeviceKind(Name):
    """What kind of device it is."""

    CPU = "cpu"
    """The processor."""
    GPU = "gpu"
    """A graphics processor with memory of its own."""
    INTEGRATED_GPU = "integrated_gpu"
    """A graphics processor that shares the processor's memory."""
    ACCELERATOR = "accelerator"
    """Another accelerator."""


class LogLevel(Name):
    """How much a log line matters."""

    ERROR = "error"
    """Something failed."""
    WARN = "warn"
    """Something is not as it should be."""
    INFO = "info"
    """What happens, in brief."""
    DEBUG = "debug"
    """What happens, with details."""
    TRACE = "trace"
    """Everything."""


class Message(NamedTuple):
    """One turn of a conversation."""

    role: Role
    """Who says it."""
    content: str
    """The text."""


class TokenLogprob(NamedTuple):
    """A token and the natural logarithm of its probability."""

    token: int
    """The token's id."""
    logprob: float
    """At most 0."""


class GeneratedToken(NamedTuple):
    """A token that was sampled."""

    token: int
    """The token's id."""
    logprob: Optional[float]
    """The natural logarithm of its probability, before any filter, if it was asked for."""
    top: Tuple[TokenLogprob, ...]
    """The likeliest tokens, the likeliest first, if they were asked for."""


class Chunk(NamedTuple):
    """A piece of a generation: whole characters, or the tokens at the end that added no text.

    ``str(chunk)`` is its text.
    """

    text: str
    """The text; empty only at the end of a generation."""
    tokens: Tuple[GeneratedToken, ...]
    """The tokens that were sampled since the piece before."""

    def __str__(self) -> str:
        return self.text


class Finish(NamedTuple):
    """How a generation ended, and what it cost."""

    reason: FinishReason
    """Why it ended."""
    prompt_tokens: int
    """Tokens that were computed before the first new one."""
    generated_tokens: int
    """Tokens that were generated; the one that ended the generation is not counted."""
    prompt_seconds: float
    """Seconds until the first token was sampled."""
    generation_seconds: float
    """Seconds from then to the end."""


class Device(NamedTuple):
    """Something that can compute."""

    name: str
    """Its name, unique on this machine."""
    description: str
    """For people."""
    kind: DeviceKind
    """Its kind."""
    memory_free: int
    """Bytes of memory that are free, as far as the device tells."""
    memory_total: int
    """Bytes of memory in all."""
    kernels: Optional[str]
    """For a processor, the instruction set of the kernels that run on it."""


class MemoryEstimate(NamedTuple):
    """Bytes that running a checkpoint takes."""

    weights: int
    """The weights."""
    kv_cache: int
    """Keys and values of all tokens."""
    compute: int
    """Scratch space of one decode, and the logits."""


class Facts(NamedTuple):
    """Facts about a loaded checkpoint."""

    architecture: str
    """The architecture's name, as in GGUF's ``general.architecture``."""
    parameters: int
    """The number of parameters."""
    bytes: int
    """The bytes of all tensors."""
    context_length: int
    """The length of the context that it was trained on, in tokens."""
    embedding_width: int
    """The width of an embedding."""
    has_encoder: bool
    """Whether an encoder runs before the decoder."""
    has_decoder: bool
    """Whether it generates at all; a pure encoder does not."""
    chat_template: Optional[str]
    """The chat template (Jinja), if the file has one."""


class CheckpointInfo(NamedTuple):
    """What is in a checkpoint file whose header passed the preflight."""

    name: Optional[str]
    """The name that its author gave it."""
    architecture: str
    """The architecture: ``llama``, ``bert``..."""
    quantization: str
    """How the weights are quantized: ``Q4_K_M``, ``F16``..."""
    licence: Optional[str]
    """The licence, as an SPDX expression or in words."""
    parameters: int
    """The number of parameters."""
    weight_bytes: int
    """The bytes of all tensors."""
    context_length: int
    """The length of the context that it was trained on, in tokens."""
    layers: int
    """The number of layers."""
    width: int
    """The width of an embedding."""
    vocabulary: int
    """The number of tokens of the vocabulary."""
    tokenizer: str
    """The class of its tokenizer: ``llama`` (SentencePiece), ``gpt2`` (BPE), ``bert`` (WordPiece)..."""
    chat_template: Optional[str]
    """The chat template (Jinja), if the file has one."""
    memory: MemoryEstimate
    """The memory that it takes with the options that were given."""


class EmbeddedInfo(NamedTuple):
    """A checkpoint that is compiled into the library."""

    name: str
    """What `Model.embedded` takes."""
    summary: str
    """What it does, in a line."""
    licence: str
    """The licence of the weights, as an SPDX expression."""
    bytes: int
    """The bytes of the file."""
    digest: str
    """The SHA-256 of the file, in hexadecimal."""


_Value = TypeVar("_Value")

_NAMES = {"reason": FinishReason, "kind": DeviceKind}


def lift(kind: Type[_Value], raw: Any) -> _Value:
    """The value of this kind that a generated record, whose fields have the same names, stands for."""
    fields = {}
    for name in kind._fields:  # type: ignore[attr-defined]
        value = getattr(raw, name)
        if name in _NAMES:
            value = _NAMES[name][value.name]
        elif name == "memory":
            value = lift(MemoryEstimate, value)
        fields[name] = value
    return kind(**fields)
