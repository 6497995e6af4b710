"""The generated module, and the four places where it is not left as it is.

UniFFI reads and writes a buffer field by field, which costs about 20 microseconds for a token. What a stream or a
long prompt is made of is read and written at once here instead; the bytes are UniFFI's (`tests/test_native.py`
compares). `next_chunk` is the call that a stream repeats, without the generated code's turns. Errors come out as the
exceptions of this package, and a panic in Rust as `Engine`.
"""

from __future__ import annotations

import array
import ctypes
import struct
import sys
from typing import Any, Iterable, List, Optional, Tuple

from . import _errors
from ._values import Chunk, GeneratedToken, TokenLogprob
from .generated import pinfold as raw

__all__ = ["raw"]

_NO_TOP: Tuple[TokenLogprob, ...] = ()
# A token without log-probabilities: its id, no logprob, a list of length 0. All numbers are big-endian.
_BARE = struct.Struct(">IBi")
_FLAG = struct.Struct(">IB")
_FLOAT = struct.Struct(">f")
_COUNT = struct.Struct(">i")
_PAIR = struct.Struct(">If")

_BIG_ENDIAN = sys.byteorder == "big"


def _take(buffer: Any) -> bytes:
    """The bytes of a buffer of Rust's, which is freed."""
    try:
        return ctypes.string_at(buffer.data, buffer.len) if buffer.len else b""
    finally:
        buffer.free()


def _give(data: bytes) -> Any:
    """A buffer of Rust's with these bytes."""
    buffers: Any = raw._UniffiRustBuffer
    buffer = buffers.alloc(len(data))
    ctypes.memmove(buffer.data, data, len(data))
    buffer.len = len(data)
    return buffer


def _generated_tokens(data: bytes, offset: int, count: int) -> Tuple[GeneratedToken, ...]:
    if len(data) - offset == count * _BARE.size:
        return tuple(GeneratedToken(token, None, _NO_TOP) for token, _, _ in _BARE.iter_unpack(data[offset:]))
    tokens = []
    for _ in range(count):
        token, has_logprob = _FLAG.unpack_from(data, offset)
        offset += _FLAG.size
        logprob = None
        if has_logprob:
            (logprob,) = _FLOAT.unpack_from(data, offset)
            offset += _FLOAT.size
        (length,) = _COUNT.unpack_from(data, offset)
        offset += _COUNT.size
        end = offset + length * _PAIR.size
        top = tuple(TokenLogprob(*pair) for pair in _PAIR.iter_unpack(data[offset:end]))
        offset = end
        tokens.append(GeneratedToken(token, logprob, top))
    return tuple(tokens)


def chunk_of(data: bytes) -> Optional[Chunk]:
    """What `Stream.next` gives: a flag, the text with its length, the tokens with their number."""
    if not data[0]:
        return None
    (length,) = _COUNT.unpack_from(data, 1)
    end = 5 + length
    (count,) = _COUNT.unpack_from(data, end)
    return Chunk(data[5:end].decode(), _generated_tokens(data, end + _COUNT.size, count))


_Status: Any = raw._UniffiRustCallStatus
_clone_stream = raw._UniffiLib.uniffi_pinfold_ffi_fn_clone_stream
_stream_next = raw._UniffiLib.uniffi_pinfold_ffi_fn_method_stream_next
_free_buffer = raw._UniffiLib.ffi_pinfold_ffi_rustbuffer_free


def next_chunk(stream: raw.Stream) -> Optional[Chunk]:
    """`stream.next()`: waits for the next piece; nothing at the end."""
    status = _Status()
    reference = ctypes.byref(status)
    buffer = _stream_next(_clone_stream(stream._handle, reference), reference)
    if status.code:
        _raise(status)
    try:
        data: bytes = buffer.data[: buffer.len]
    finally:
        _free_buffer(buffer, reference)
    return chunk_of(data)


def _raise(status: Any) -> None:
    check: Any = raw._uniffi_check_call_status
    check(raw._UniffiFfiConverterTypePinfoldError, status)


def _swapped(tokens: array.array[int]) -> array.array[int]:
    if not _BIG_ENDIAN:
        tokens.byteswap()
    return tokens


def lift_tokens(buffer: Any) -> List[int]:
    """A list of token ids: their number, then the ids."""
    tokens = array.array("I", _take(buffer)[_COUNT.size :])
    return _swapped(tokens).tolist()


def lower_tokens(tokens: Iterable[int]) -> Any:
    """The same in the other direction; the ids were checked by `_check.tokens`."""
    ids = array.array("I", tokens)
    return _give(_COUNT.pack(len(ids)) + _swapped(ids).tobytes())


def _patch() -> None:
    tokens: Any = raw._UniffiFfiConverterSequenceTypeToken
    tokens.check_lower = staticmethod(lambda _: None)
    tokens.lift, tokens.lower = staticmethod(lift_tokens), staticmethod(lower_tokens)

    error: Any = raw._UniffiFfiConverterTypePinfoldError
    lift_generated = error.lift

    def lift_error(buffer: Any) -> _errors.PinfoldError:
        generated = lift_generated(buffer)
        return _errors.BY_NAME[type(generated).__name__](str(generated))

    error.lift = staticmethod(lift_error)

    module: Any = raw
    module.InternalError = _errors.Engine


_patch()
