"""A sequence of tokens over a model, and generation from it."""

from __future__ import annotations

import asyncio
import os
import weakref
from typing import TYPE_CHECKING, Any, Iterable, List, Mapping, Optional, TypedDict, Union

from . import _check
from ._cancel import Cancel, lower, or_own
from ._native import raw
from ._owned import Owned
from ._stream import Stream
from ._values import TokenLogprob
from ._wait import interruptible
from ._weak import WeakMembers

if TYPE_CHECKING:
    from typing_extensions import Unpack


class SamplingOptions(TypedDict, total=False):
    """The keyword arguments of `Session.generate` that say how tokens are chosen; `LockFile.sampling` gives them."""

    temperature: float
    seed: int
    top_k: int
    top_p: float
    min_p: float
    typical_p: float
    repetition_penalty: float
    frequency_penalty: float
    presence_penalty: float
    penalty_window: int
    logit_bias: Optional[Mapping[int, float]]


class GenerateOptions(SamplingOptions, total=False):
    """The keyword arguments of `Session.generate`, which describes them."""

    max_tokens: Optional[int]
    stop: Union[str, Iterable[str]]
    logprobs: Optional[int]
    cancel: Optional[Cancel]


class Session(Owned[raw.Session]):
    """A sequence of tokens: what was read and what was generated. It comes from `Model.session`.

    May be used from any thread; calls are done one after another. While a stream of the session is open, every call
    but `tokens` raises `SessionBusy`. It keeps the checkpoint in memory until it is closed. As a context manager it closes itself;
    a closed one raises `ValueError`.

    Calls other than `prefill`, `next_tokens` and generation are short: they wait for at most one step of the engine.
    """

    __slots__ = ("_siblings", "_stream")

    def __init__(self, session: raw.Session, siblings: WeakMembers[Session]) -> None:
        """Not for apps: `Model.session` opens sessions."""
        super().__init__(session)
        self._stream: Optional[weakref.ref[Stream]] = None
        self._siblings = siblings
        siblings.add(self)

    def _open(self) -> raw.Session:
        session = self._raw
        if session is None:
            raise ValueError("the session is closed")
        return session

    def append(self, text: str, *, parse_special: bool = False) -> int:
        """Adds text and returns the number of tokens held. Nothing is computed yet.

        At the start of a session the checkpoint's begin-of-sequence token is put in front, where it wants one. With
        ``parse_special``, special tokens that are spelled out are read as tokens: only for text that the author of a
        prompt or a chat template wrote (`Model.chat_prompt`), never for a user's.

        Raises `ContextFull` if it does not fit, and nothing is added then; `InvalidText`.
        """
        text, parse_special = _check.text("text", text), _check.flag("parse_special", parse_special)
        return self._open().append(text, parse_special)

    def append_tokens(self, tokens: Iterable[int]) -> int:
        """Adds tokens as they are and returns the number of tokens held.

        Raises `UnknownToken` or `ContextFull`; nothing is added then.
        """
        return self._open().append_tokens(_check.tokens(tokens))  # type: ignore[arg-type]

    def prefill(self, *, cancel: Optional[Cancel] = None) -> None:
        """Computes what was added, so that the first token of the next generation comes at once.

        Raises `Cancelled`; what was computed by then stays. Ctrl-C sets ``cancel``.
        """
        session, flag = self._open(), or_own(cancel)
        interruptible(lambda: session.prefill(flag), flag.cancel)

    def generate(
        self,
        *,
        temperature: float = 0.0,
        seed: int = 0,
        top_k: int = 0,
        top_p: float = 1.0,
        min_p: float = 0.0,
        typical_p: float = 1.0,
        repetition_penalty: float = 1.0,
        frequency_penalty: float = 0.0,
        presence_penalty: float = 0.0,
        penalty_window: int = 64,
        logit_bias: Optional[Mapping[int, float]] = None,
        max_tokens: Optional[int] = None,
        stop: Union[str, Iterable[str]] = (),
        logprobs: Optional[int] = None,
        cancel: Optional[Cancel] = None,
    ) -> Stream:
        """Starts a generation after the tokens held; the stream computes what was added first.

        How tokens are chosen; the default is greedy, always the most likely token:

        temperature: flattens (above 1) or sharpens (below 1) the distribution; at 0 the highest logit is chosen
        seed: of the generator, 0 to 2^64 - 1: the same seed gives the same tokens on every platform
        top_k: keeps so many of the highest logits; 0 is off
        top_p: keeps the most likely tokens until their probability reaches this; 1 is off
        min_p: keeps the tokens that are at least this times as likely as the most likely one; 0 is off
        typical_p: keeps the tokens of typical surprise until their probability is above this; 1 is off
        repetition_penalty: makes tokens in the window less likely, by a factor; 1 is off
        frequency_penalty: subtracted from a token's logit once for each time that it stands in the window
        presence_penalty: subtracted once from the logit of each token in the window
        penalty_window: how many of the last tokens the three penalties look at
        logit_bias: token to what is added to its logit; minus infinity forbids a token

        When to stop, and what comes:

        max_tokens: tokens at most; without it the model ends its text, or a full context is an error
        stop: texts that end the generation, or one such text; they are not part of its text
        logprobs: for each token its log-probability and those of so many others, the likeliest first
        cancel: a flag that ends the generation; `Stream.cancel` sets it too

        Raises `InvalidOption` or `SessionEmpty`; later errors come from the stream.
        """
        sampling = raw.Sampling(
            temperature=_check.f32("temperature", temperature),
            seed=_check.u64("seed", seed),
            top_k=_check.u32("top_k", top_k),
            top_p=_check.f32("top_p", top_p),
            min_p=_check.f32("min_p", min_p),
            typical_p=_check.f32("typical_p", typical_p),
            repetition_penalty=_check.f32("repetition_penalty", repetition_penalty),
            frequency_penalty=_check.f32("frequency_penalty", frequency_penalty),
            presence_penalty=_check.f32("presence_penalty", presence_penalty),
            penalty_window=_check.u32("penalty_window", penalty_window),
            logit_bias=_check.bias(logit_bias),
        )
        options = raw.GenerateOptions(
            sampling=sampling,
            max_tokens=_check.some_u32("max_tokens", max_tokens),
            stop=_check.texts("stop", stop),
            logprobs=_check.some_u32("logprobs", logprobs),
        )
        stream = Stream(self._open().generate(options, lower(cancel)))
        self._stream = weakref.ref(stream)
        return stream

    def complete(self, **options: Unpack[GenerateOptions]) -> str:
        """Generates to the end and returns the text. Takes what `generate` takes.

        Raises what ends the generation early; the text is lost then, so read a stream to keep it.
        """
        with self.generate(**options) as stream:
            return "".join([chunk.text for chunk in stream])

    async def acomplete(self, **options: Unpack[GenerateOptions]) -> str:
        """`complete` without blocking the loop. Cancelling the task cancels the generation."""
        async with await asyncio.to_thread(self.generate, **options) as stream:
            return "".join([chunk.text async for chunk in stream])

    def next_tokens(self, count: int, *, cancel: Optional[Cancel] = None) -> List[TokenLogprob]:
        """The ``count`` likeliest next tokens, the likeliest first. Raises `SessionEmpty` or `Cancelled`."""
        count, session, flag = _check.u32("count", count), self._open(), or_own(cancel)
        found = interruptible(lambda: session.next_tokens(count, flag), flag.cancel)
        return [TokenLogprob(item.token, item.logprob) for item in found]

    def tokens(self) -> List[int]:
        """The tokens held."""
        return self._open().tokens()

    def rewind(self, length: int) -> None:
        """Forgets all tokens after the first ``length``. Raises `InvalidOption` if fewer are held."""
        self._open().rewind(_check.u32("length", length))

    def fork(self) -> Session:
        """Another session that holds the same tokens; what is computed is not computed again.

        Raises `TooManySessions`, or `ContextFull`, since a fork counts in full.
        """
        return Session(self._open().fork(), self._siblings)

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes the session to a file: beside it first, then renamed.

        The file is bound to the bytes of the checkpoint. It holds the tokens, so treat it as the text that it stands
        for. Raises `Io`.
        """
        self._open().save(_check.path("path", path))

    def restore(self, path: Union[str, os.PathLike[str]]) -> None:
        """Puts a saved session in the place of what is held.

        Raises `Io`, or `BadSession` for a damaged file, another format or another checkpoint; the session keeps what
        it held.
        """
        self._open().restore(_check.path("path", path))

    def close(self) -> None:
        """Closes the session and its stream and frees what they hold. Closing it again does nothing."""
        stream = None if self._stream is None else self._stream()
        if stream is not None:
            stream.close()
        self._raw = None

    def __reduce__(self) -> Any:
        raise TypeError("a Session cannot be copied or pickled: `fork` and `save` do that")

    def __repr__(self) -> str:
        return f"<pinfold.Session {'closed' if self._raw is None else 'open'}>"
