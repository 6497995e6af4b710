"""The skin against the generated module: the same bytes, the same defaults, the same names."""

from __future__ import annotations

import inspect
import random
from typing import Any, Callable, List

import pytest

import pinfold
from pinfold import _errors, _model, _native
from pinfold._native import raw

# Untyped, as all that starts with an underscore in the generated module.
CHUNK: Any = raw._UniffiFfiConverterOptionalTypeChunk
TOKENS: Any = raw._UniffiFfiConverterSequenceTypeToken


def generated_chunk(text: str, tokens: List[pinfold.GeneratedToken]) -> Any:
    return raw.Chunk(
        text=text,
        tokens=[
            raw.GeneratedToken(
                token=item.token,
                logprob=item.logprob,
                top=[raw.TokenLogprob(token=top.token, logprob=top.logprob) for top in item.top],
            )
            for item in tokens
        ],
    )


@pytest.mark.parametrize("seed", range(50))
def test_chunks_are_read_as_uniffi_writes_them(seed: int) -> None:
    dice = random.Random(seed)

    def logprob() -> float:
        return -dice.randrange(1 << 10) / 64

    def token() -> pinfold.GeneratedToken:
        if seed % 3 == 0:
            return pinfold.GeneratedToken(dice.randrange(1 << 32), None, ())
        top = [pinfold.TokenLogprob(dice.randrange(1 << 32), logprob()) for _ in range(dice.randrange(4))]
        return pinfold.GeneratedToken(dice.randrange(1 << 32), dice.choice([None, logprob()]), tuple(top))

    text = "".join(dice.choice("aé漢😀\0") for _ in range(dice.randrange(20)))
    tokens = [token() for _ in range(dice.randrange(70))]
    data = _native._take(CHUNK.lower(generated_chunk(text, tokens)))
    assert _native.chunk_of(data) == pinfold.Chunk(text, tuple(tokens))


def test_no_chunk_is_read() -> None:
    assert _native.chunk_of(_native._take(CHUNK.lower(None))) is None


def test_the_next_chunk_is_the_one_that_the_generated_code_gives(session: pinfold.Session) -> None:
    def first(pull: Callable[[raw.Stream], Any]) -> str:
        session.rewind(1)
        return str(pull(session._open().generate(raw.GenerateOptions(max_tokens=1), None)).text)

    assert first(_native.next_chunk) == first(raw.Stream.next) == "h"


@pytest.mark.parametrize("message", ["index out of bounds", ""])
def test_a_panic_in_rust_is_an_engine_error(message: str) -> None:
    string: Any = raw._UniffiFfiConverterString
    panicked = _native._Status(_native._Status.CALL_UNEXPECTED_ERROR, string.lower(message))
    with pytest.raises(pinfold.Engine, match=message or "Unknown rust panic"):
        _native._raise(panicked)


@pytest.mark.parametrize("tokens", [[], [0], [1, 2**32 - 1, 7], list(range(1000))])
def test_tokens_are_read_and_written_as_uniffi_does(tokens: List[int]) -> None:
    assert _native.lift_tokens(_native.lower_tokens(tokens)) == tokens
    with _native.lower_tokens(tokens).consume_with_stream() as stream:
        assert TOKENS.read(stream) == tokens


def keyword_defaults(function: Any) -> "dict[str, Any]":
    parameters = inspect.signature(function).parameters.values()
    return {item.name: item.default for item in parameters if item.default is not inspect.Parameter.empty}


def test_the_defaults_are_the_apis() -> None:
    given = keyword_defaults(pinfold.Session.generate)
    assert given.pop("cancel") is None
    wanted = vars(raw.GenerateOptions())
    wanted.update(vars(wanted.pop("sampling")))
    wanted["logit_bias"] = wanted["logit_bias"] or None
    given["stop"] = list(given["stop"])
    assert given == wanted

    wanted = vars(raw.ModelOptions())
    offload = wanted.pop("offload")
    wanted.update(offload_layers=offload.layers, offload_devices=offload.devices)
    given = keyword_defaults(pinfold.Model.load)
    assert (given.pop("progress"), given.pop("cancel")) == (None, None)
    given["offload_devices"] = list(given["offload_devices"])
    assert given == wanted
    lowered = vars(_model.lower_options())
    lowered.update(offload_layers=lowered["offload"].layers, offload_devices=lowered.pop("offload").devices)
    assert lowered == wanted

    assert keyword_defaults(pinfold.Model.session) == vars(raw.SessionOptions())
    for function, options in (
        (pinfold.Store.open, raw.StoreOptions()),
        (pinfold.LockFile.pull, raw.PullOptions()),
        (pinfold.LockFile.verify, raw.VerifyOptions()),
    ):
        given = keyword_defaults(function)
        assert given.pop("progress", None) is None and given.pop("cancel", None) is None
        wanted = {name: pytest.approx(value) if type(value) is float else value for name, value in vars(options).items()}
        assert {name: list(value) if value == () else value for name, value in given.items()} == wanted


def test_the_typed_options_are_the_keyword_arguments() -> None:
    assert set(pinfold.GenerateOptions.__annotations__) == set(keyword_defaults(pinfold.Session.generate))
    wanted = set(keyword_defaults(pinfold.Model.load)) - {"progress", "cancel"}
    assert set(pinfold.ModelOptions.__annotations__) == wanted


@pytest.mark.parametrize("name", [name for name in dir(pinfold) if hasattr(getattr(pinfold, name), "_fields")])
def test_values_have_the_fields_of_the_generated_ones(name: str) -> None:
    fields = [parameter for parameter in inspect.signature(getattr(raw, name)).parameters]
    assert list(getattr(pinfold, name)._fields) == fields


@pytest.mark.parametrize("name", ["FinishReason", "Role", "DeviceKind", "LogLevel", "Cause", "GoldenOutcome"])
def test_enumerations_have_the_same_members(name: str) -> None:
    assert [item.name for item in getattr(pinfold, name)] == [item.name for item in getattr(raw, name)]


def test_each_error_has_a_class() -> None:
    generated = {name for name, item in vars(raw.PinfoldError).items() if isinstance(item, type)}
    assert generated == set(_errors.BY_NAME)


def test_everything_public_is_documented() -> None:
    for name in pinfold.__all__:
        item = getattr(pinfold, name)
        if name.startswith("__"):
            continue
        assert inspect.getdoc(item), name
        if inspect.isclass(item):
            assert item.__module__ == "pinfold"
            for method, function in vars(item).items():
                if not method.startswith("_") and (callable(function) or isinstance(function, property)):
                    assert inspect.getdoc(function), f"{name}.{method}"
