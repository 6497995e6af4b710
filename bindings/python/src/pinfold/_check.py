"""Arguments on their way in: a wrong type is a `TypeError`, a wrong value one of Pinfold's errors.

All checks come before the call, since UniFFI's own would leave the object that is called alive forever when an
argument after it fails.
"""

from __future__ import annotations

import array
import operator
import os
import struct
from typing import Any, Iterable, List, Mapping, Optional, Tuple, Union

from . import _errors
from ._native import raw
from ._values import Message, Role

# The longest text and the longest byte string that UniFFI can carry.
_LONGEST = 2**31 - 1

# A single precision number has the size that `array` and UniFFI expect everywhere; an `I` as well.
assert array.array("I").itemsize == 4


def _wrong(name: str, wanted: str, value: object) -> TypeError:
    return TypeError(f"{name} must be {wanted}, not {type(value).__name__}")


def text(name: str, value: object) -> str:
    """A text that Rust can hold. Its size in UTF-8 is bounded."""
    if not isinstance(value, str):
        raise _wrong(name, "str", value)
    try:
        size = len(value) if value.isascii() else len(value.encode())
    except UnicodeEncodeError as error:
        # The exception of the codec holds the text, which must not go to logs.
        start = error.start
        raise _errors.InvalidText(f"{name}: a lone surrogate at index {start}: give whole characters") from None
    if size > _LONGEST:
        raise _errors.InvalidOption(f"{name}: {size} bytes, but at most {_LONGEST} can be given")
    return value


def path(name: str, value: Union[str, os.PathLike[str]]) -> str:
    """A path, as text."""
    found = os.fspath(value)
    if not isinstance(found, str):
        raise _wrong(name, "str or os.PathLike[str]", value)
    return text(name, found)


def data(name: str, value: object) -> bytes:
    """Bytes. What is not `bytes` is copied."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise _wrong(name, "bytes", value)
    found = value if isinstance(value, bytes) else bytes(value)
    if len(found) > _LONGEST:
        raise _errors.InvalidOption(f"{name}: {len(found)} bytes, but at most {_LONGEST} can be given: load a file")
    return found


def some_path(name: str, value: Optional[Union[str, os.PathLike[str]]]) -> Optional[str]:
    """A path, or none."""
    return None if value is None else path(name, value)


def some_text(name: str, value: Optional[str]) -> Optional[str]:
    """A text, or none."""
    return None if value is None else text(name, value)


def flag(name: str, value: object) -> bool:
    """True or false, and nothing that only counts as such."""
    if not isinstance(value, bool):
        raise _wrong(name, "bool", value)
    return value


def _whole(name: str, value: object, most: int) -> int:
    try:
        found = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise _wrong(name, "int", value) from None
    if not 0 <= found <= most:
        raise _errors.InvalidOption(f"{name}: {found}, but it must be 0 to {most}")
    return found


def u32(name: str, value: object) -> int:
    """A whole number, 0 to 2^32 - 1."""
    return _whole(name, value, 2**32 - 1)


def u64(name: str, value: object) -> int:
    """A whole number, 0 to 2^64 - 1."""
    return _whole(name, value, 2**64 - 1)


def some_u64(name: str, value: Optional[int]) -> Optional[int]:
    """A whole number, or none."""
    return None if value is None else u64(name, value)


def some_u32(name: str, value: object) -> Optional[int]:
    """A whole number, or none."""
    return None if value is None else u32(name, value)


def f32(name: str, value: object) -> float:
    """A number that single precision can hold, or infinity, or not a number: Rust decides what it takes."""
    if isinstance(value, (str, bytes)):
        raise _wrong(name, "float", value)
    try:
        found = float(value)  # type: ignore[arg-type]
        struct.pack(">f", found)
    except TypeError:
        raise _wrong(name, "float", value) from None
    except OverflowError:
        raise _errors.InvalidOption(f"{name}: too large for a number in single precision") from None
    return found


def texts(name: str, value: Union[str, Iterable[str]]) -> List[str]:
    """Texts; one may stand alone."""
    if isinstance(value, str):
        return [text(name, value)]
    return [text(name, item) for item in _each(name, value, "str or an iterable of str")]


def _each(name: str, value: object, wanted: str) -> Iterable[Any]:
    try:
        return iter(value)  # type: ignore[call-overload, no-any-return]
    except TypeError:
        raise _wrong(name, wanted, value) from None


def tokens(value: Iterable[int]) -> array.array[int]:
    """Token ids. One that no vocabulary can hold is unknown."""
    if isinstance(value, (str, bytes, bytearray)):
        raise _wrong("tokens", "an iterable of int", value)
    items = list(_each("tokens", value, "an iterable of int"))
    try:
        return array.array("I", items)
    except TypeError:
        raise TypeError("tokens must be an iterable of int") from None
    except OverflowError:
        unknown = next(item for item in items if not 0 <= operator.index(item) < 2**32)
        raise _errors.UnknownToken(f"token {unknown} is not in the vocabulary") from None


def bias(value: Optional[Mapping[int, float]]) -> Any:
    """Token to what is added to its logit."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong("logit_bias", "a mapping of int to float", value)
    return {u32("logit_bias", token): f32("logit_bias", added) for token, added in value.items()}


def message(value: Union[Message, Tuple[str, str], Mapping[str, str]]) -> raw.Message:
    """A message, a pair of role and content, or a mapping with these keys."""
    if isinstance(value, Mapping):
        try:
            role, content = value["role"], value["content"]
        except KeyError as error:
            raise TypeError(f"messages: a mapping needs the key {error}") from None
    elif isinstance(value, tuple) and len(value) == 2:
        role, content = value
    else:
        raise _wrong("messages", "an iterable of Message, (role, content) or mappings", value)
    name = text("role", role)
    try:
        known = Role(name)
    except ValueError:
        roles = ", ".join(Role)
        raise _errors.InvalidOption(f"role: an unknown one; there are {roles}") from None
    return raw.Message(role=raw.Role[known.name], content=text("content", content))
