"""The values that a lock file, a store and a verification give: named tuples and enumerations."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple, Optional, Tuple

from ._native import raw
from ._values import Name


class PinnedCheckpoint(NamedTuple):
    """A checkpoint that a lock file pins."""

    name: str
    """Its name in the lock file."""
    sources: Tuple[str, ...]
    """Where the bytes can be had, in the order in which they are tried."""
    digest: str
    """The SHA-256 of its bytes, in hexadecimal."""
    size: int
    """The number of its bytes."""
    licence: str
    """The licence of the weights, as an SPDX expression or in words."""
    signed: bool
    """Whether the lock file carries a signature of its bytes."""
    architecture: str
    """The architecture: ``llama``, ``bert``..."""
    quantization: str
    """How the weights are quantized: ``Q4_K_M``, ``F16``..."""
    context_length: int
    """Tokens of context that it was trained on."""
    tokenizer_digest: str
    """The SHA-256 of its tokenizer."""
    chat_template_digest: Optional[str]
    """The SHA-256 of its chat template, if it has one."""


class PinnedAdapter(NamedTuple):
    """An adapter that a lock file pins."""

    name: str
    """Its name in the lock file."""
    sources: Tuple[str, ...]
    """Where the bytes can be had, in the order in which they are tried."""
    digest: str
    """The SHA-256 of its bytes, in hexadecimal."""
    size: int
    """The number of its bytes."""
    licence: str
    """The licence of the weights, as an SPDX expression or in words."""
    signed: bool
    """Whether the lock file carries a signature of its bytes."""
    architecture: str
    """The architecture of its base."""
    base: str
    """The name of its base among the checkpoints."""
    base_digest: str
    """The SHA-256 of its base."""


class PinnedGolden(NamedTuple):
    """A generation that a lock file pins."""

    name: str
    """Its name in the lock file."""
    checkpoint: str
    """The name of its checkpoint."""
    text: str
    """The text that was generated."""
    runtime: str
    """The version of Pinfold that recorded it."""
    backend: str
    """What computed it, e.g. ``cpu avx2``."""
    llama_cpp: str
    """The revision of llama.cpp."""


class PinnedFile(NamedTuple):
    """A file that holds exactly the pinned bytes."""

    name: str
    """The name in the lock file."""
    path: str
    """Where it is."""
    digest: str
    """The SHA-256 of its bytes, which was checked."""


class StoreEntry(NamedTuple):
    """A file of a store."""

    digest: str
    """The SHA-256 of its bytes, and so its name."""
    size: int
    """The number of its bytes."""
    path: str
    """Where it is."""
    used: Optional[datetime.datetime]
    """When it was last resolved, or else stored."""
    pinned_by: Tuple[str, ...]
    """The lock files that pin it, among those that were pulled into this store and still exist."""


class DamagedEntry(NamedTuple):
    """A file of a store whose bytes were changed."""

    entry: StoreEntry
    """The file."""
    actual_digest: str
    """The SHA-256 of the bytes that it has now."""


class Collected(NamedTuple):
    """What `Store.collect` removed, or would remove."""

    removed: Tuple[StoreEntry, ...]
    """The files that no known lock file pins."""
    freed: int
    """Bytes, those of unfinished downloads included."""


class Cause(Name):
    """What changed."""

    MISSING = "missing"
    """The file is not on this machine."""
    WEIGHTS = "weights"
    """The weights, or other bytes that nothing below names."""
    TOKENIZER = "tokenizer"
    """The tokenizer."""
    CHAT_TEMPLATE = "chat_template"
    """The chat template."""
    METADATA = "metadata"
    """Other metadata of the file."""
    PREFLIGHT = "preflight"
    """The file would not run."""
    LOCK = "lock"
    """The lock file contradicts itself or the file."""
    PROMPT = "prompt"
    """The tokens of the prompt: the input, the tokenizer or the chat template."""
    COMPUTATION = "computation"
    """The probabilities: the weights, or how they are computed."""
    SAMPLER = "sampler"
    """The probabilities are as recorded, but another token was chosen."""


class GoldenOutcome(Name):
    """How a golden compares."""

    SAME = "same"
    """Token for token and byte for byte."""
    WITHIN_TOLERANCE = "within_tolerance"
    """Recorded by another backend or version: not the same, but within the tolerance."""
    DIFFERENT = "different"
    """Not the same."""
    NOT_RUN = "not_run"
    """It could not be replayed; the cause says why."""


class Difference(NamedTuple):
    """Where a golden differs first."""

    index: int  # type: ignore[assignment]
    """The index of the token among the generated ones."""
    expected_token: Optional[int]
    """The token that was recorded; None if the recorded generation had ended."""
    actual_token: Optional[int]
    """The token that was chosen now; None if the generation ended."""
    expected_text: str
    """The text that was recorded."""
    actual_text: str
    """The text that is generated now."""
    margin: Optional[float]
    """The logit of the token chosen now less that of the recorded one, before any filter."""


class FileReport(NamedTuple):
    """The outcome for a file."""

    name: str
    """Its name in the lock file."""
    passed: bool
    """Whether it is as pinned."""
    causes: Tuple[Cause, ...]
    """What changed in it, as far as that can be said."""
    detail: str
    """The same in words."""


class GoldenReport(NamedTuple):
    """The outcome for a golden."""

    name: str
    """Its name in the lock file."""
    checkpoint: str
    """The name of its checkpoint."""
    outcome: GoldenOutcome
    """How it compares."""
    exact: bool
    """Whether it was compared byte for byte: the same backend and version recorded it."""
    cause: Optional[Cause]
    """What changed, if anything did."""
    difference: Optional[Difference]
    """The first difference."""
    deviation: float
    """The largest difference of a log-probability from the recorded one, in nats."""
    detail: str
    """All of it in words."""


class VerifyReport(NamedTuple):
    """The outcome of a verification."""

    passed: bool
    """Whether everything is as pinned, or within the tolerance."""
    files: Tuple[FileReport, ...]
    """One for each file, in the order of their names."""
    goldens: Tuple[GoldenReport, ...]
    """One for each golden, in the order of their names."""


_RECORDS = {
    kind.__name__: kind
    for kind in (
        PinnedCheckpoint,
        PinnedAdapter,
        PinnedGolden,
        PinnedFile,
        StoreEntry,
        DamagedEntry,
        Collected,
        Difference,
        FileReport,
        GoldenReport,
        VerifyReport,
    )
}
_ENUMERATIONS = {kind.__name__: kind for kind in (Cause, GoldenOutcome)}


def lift(value: Any) -> Any:
    """The value that a generated one stands for: a record or an enumeration of the same name, or a list of them."""
    if isinstance(value, list):
        return tuple(lift(item) for item in value)
    record = _RECORDS.get(type(value).__name__)
    if record is not None and isinstance(value, getattr(raw, record.__name__)):
        return record(*(lift(getattr(value, field)) for field in record._fields))
    enumeration = _ENUMERATIONS.get(type(value).__name__)
    return value if enumeration is None else enumeration[value.name]
