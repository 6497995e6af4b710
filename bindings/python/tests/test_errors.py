"""Wrong input: the exceptions, their codes and messages, and that nothing is lost."""

from __future__ import annotations

import asyncio
import gc
import re
from pathlib import Path
from typing import Any, Callable

import pytest

import pinfold

Call = Callable[[pinfold.Session], Any]


def test_errors_have_a_code_and_a_message() -> None:
    with pytest.raises(pinfold.PinfoldError) as caught:
        pinfold.Model.load("no-such-checkpoint.gguf")
    error = caught.value
    assert type(error) is pinfold.Io
    assert error.code == "io"
    assert error.message == str(error) and "no-such-checkpoint.gguf" in error.message
    assert repr(error).startswith("Io('no-such-checkpoint.gguf")


def test_the_codes_are_the_names() -> None:
    public = [item for item in vars(pinfold).values() if isinstance(item, type)]
    errors = [item for item in public if issubclass(item, pinfold.PinfoldError)]
    assert len(errors) == 29
    for error in errors:
        if error is not pinfold.PinfoldError:
            assert error.code == re.sub(r"(?<!^)(?=[A-Z])", "_", error.__name__).lower()
            assert error.__doc__


def test_wrong_values_are_value_errors_too(session: pinfold.Session) -> None:
    with pytest.raises(ValueError):
        session.generate(temperature=-1)
    with pytest.raises(ValueError):
        session.append("\udc00")


WRONG_TYPES: "dict[str, Call]" = {
    "text": lambda session: session.append(5),  # type: ignore[arg-type]
    "bytes for text": lambda session: session.append(b"text"),  # type: ignore[arg-type]
    "no text": lambda session: session.append(None),  # type: ignore[arg-type]
    "parse_special": lambda session: session.append("x", parse_special="no"),  # type: ignore[arg-type]
    "positional": lambda session: session.append("x", True),  # type: ignore[call-arg]
    "tokens": lambda session: session.append_tokens("x"),  # type: ignore[arg-type]
    "a token": lambda session: session.append_tokens([1.5]),  # type: ignore[list-item]
    "no tokens": lambda session: session.append_tokens(None),  # type: ignore[arg-type]
    "temperature": lambda session: session.generate(temperature="hot"),  # type: ignore[arg-type]
    "seed": lambda session: session.generate(seed=1.0),  # type: ignore[arg-type]
    "max_tokens": lambda session: session.generate(max_tokens="3"),  # type: ignore[arg-type]
    "stop": lambda session: session.generate(stop=3),  # type: ignore[arg-type]
    "a stop": lambda session: session.generate(stop=["x", 3]),  # type: ignore[list-item]
    "logit_bias": lambda session: session.generate(logit_bias=[1]),  # type: ignore[arg-type]
    "a bias": lambda session: session.generate(logit_bias={"x": 1}),  # type: ignore[dict-item]
    "cancel": lambda session: session.generate(cancel=True),  # type: ignore[arg-type]
    "unknown": lambda session: session.generate(heat=1),  # type: ignore[call-arg]
    "unknown too": lambda session: session.complete(heat=1),  # type: ignore[call-arg]
    "length": lambda session: session.rewind("1"),  # type: ignore[arg-type]
    "path": lambda session: session.save(5),  # type: ignore[arg-type]
    "bytes for a path": lambda session: session.restore(b"x"),  # type: ignore[arg-type]
    "load": lambda session: pinfold.Model.load(None),  # type: ignore[arg-type]
    "name": lambda session: pinfold.Model.embedded(5),  # type: ignore[arg-type]
    "data": lambda session: pinfold.Model.from_bytes("GGUF"),  # type: ignore[arg-type]
    "mmap": lambda session: pinfold.Model.load("x", mmap=1),  # type: ignore[arg-type]
    "an option": lambda session: pinfold.Model.scripted("x", contxt_tokens=1),  # type: ignore[call-arg]
    "a message": lambda session: pinfold.Model.scripted("x").chat_prompt(["x"]),  # type: ignore[list-item]
    "a key": lambda session: pinfold.Model.scripted("x").chat_prompt([{"role": "user"}]),
}


@pytest.mark.parametrize("call", WRONG_TYPES.values(), ids=WRONG_TYPES.keys())
def test_a_wrong_type_is_a_type_error(call: Call, session: pinfold.Session) -> None:
    with pytest.raises(TypeError):
        call(session)
    assert session.tokens() == [113]
    assert session.complete() == "hello"


def chat(role: str, content: str) -> str:
    return pinfold.Model.scripted("x").chat_prompt([(role, content)])


WRONG_VALUES: "dict[str, tuple[str, Call]]" = {
    "temperature": ("invalid_option", lambda session: session.generate(temperature=-1)),
    "not a number": ("invalid_option", lambda session: session.generate(temperature=float("nan"))),
    "beyond single precision": ("invalid_option", lambda session: session.generate(top_p=1e300)),
    "below 0": ("invalid_option", lambda session: session.generate(max_tokens=-1)),
    "beyond 32 bits": ("invalid_option", lambda session: session.generate(top_k=2**32)),
    "beyond 64 bits": ("invalid_option", lambda session: session.generate(seed=2**64)),
    "token below 0": ("unknown_token", lambda session: session.append_tokens([1, -1])),
    "token beyond 32 bits": ("unknown_token", lambda session: session.append_tokens([2**40])),
    "token beyond the vocabulary": ("unknown_token", lambda session: session.append_tokens([258])),
    "biased token": ("invalid_option", lambda session: session.generate(logit_bias={258: 1.0})),
    "lone surrogate": ("invalid_text", lambda session: session.append("a\ud800b")),
    "surrogate in a stop": ("invalid_text", lambda session: session.generate(stop=["\udfff"])),
    "surrogate in a path": ("invalid_text", lambda session: session.save("\udcff")),
    "surrogate in an answer": ("invalid_text", lambda session: pinfold.Model.scripted("\ud800")),
    "surrogate in a message": ("invalid_text", lambda session: chat("user", "\ud800")),
    "surrogate in a role": ("invalid_text", lambda session: chat("\ud800", "x")),
    "role": ("invalid_option", lambda session: chat("usr", "x")),
    "length": ("invalid_option", lambda session: session.rewind(7)),
    "folder": ("io", lambda session: session.save("no/such/folder/file")),
    "file": ("io", lambda session: session.restore("no-such-file")),
    "inspected file": ("io", lambda session: pinfold.inspect("no-such-file")),
    "inspected folder": ("io", lambda session: pinfold.inspect(".")),
    "zero in a path": ("io", lambda session: pinfold.Model.load("a\0b")),
    "sessions": ("invalid_option", lambda session: pinfold.Model.embedded("intent", sessions=0)),
    "empty bytes": ("bad_checkpoint", lambda session: pinfold.Model.from_bytes(b"")),
    "name": ("unknown_checkpoint", lambda session: pinfold.Model.embedded("")),
}


@pytest.mark.parametrize(("code", "call"), WRONG_VALUES.values(), ids=WRONG_VALUES.keys())
def test_a_wrong_value_is_one_of_ours(code: str, call: Call, session: pinfold.Session) -> None:
    with pytest.raises(pinfold.PinfoldError) as caught:
        call(session)
    assert caught.value.code == code, caught.value.message
    assert session.tokens() == [113]
    assert session.complete() == "hello"


def test_refused_text_is_not_in_the_exception(session: pinfold.Session) -> None:
    with pytest.raises(pinfold.InvalidText) as caught:
        session.append("my secret \ud800")
    error: "BaseException | None" = caught.value
    while error is not None:
        assert "secret" not in repr(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_refused_argument_keeps_nothing_alive() -> None:
    """A session that a failed call kept alive would count against the limit."""
    with pinfold.Model.scripted("x", sessions=1) as model:
        for _ in range(3):
            with model.session() as session:
                for bad in ("\ud800", 5):
                    with pytest.raises((TypeError, pinfold.InvalidText)):
                        session.append(bad)  # type: ignore[arg-type]
            del session
            gc.collect()


def test_errors_pass_through_complete(session: pinfold.Session) -> None:
    with pytest.raises(pinfold.InvalidOption):
        session.complete(min_p=2)
    with pytest.raises(pinfold.InvalidOption):
        asyncio.run(session.acomplete(min_p=2))


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.gguf"
    file.write_bytes(b"GGUF" + bytes(100))
    for open_it in (pinfold.Model.load, pinfold.inspect):
        with pytest.raises(pinfold.BadCheckpoint, match="not a checkpoint that can run"):
            open_it(file)
