"""Functions of the app that Rust calls."""

from __future__ import annotations

import logging
from typing import List, Tuple

import pytest

import pinfold


def test_progress_comes_from_0_to_1() -> None:
    shares: List[float] = []
    pinfold.Model.embedded("intent", progress=shares.append).close()
    assert shares and shares == sorted(shares)
    assert 0 <= shares[0] and shares[-1] == pytest.approx(1)


def test_a_progress_that_raises_ends_the_load() -> None:
    def fail(share: float) -> None:
        raise RuntimeError("out of paper")

    with pytest.raises(pinfold.Callback) as caught:
        pinfold.Model.embedded("intent", progress=fail)
    assert caught.value.code == "callback"
    assert isinstance(caught.value.__cause__, RuntimeError)
    # The library is as before.
    pinfold.Model.embedded("intent").close()


def test_a_progress_that_ends_the_program_ends_it() -> None:
    def leave(share: float) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        pinfold.Model.embedded("intent", progress=leave)


def test_a_progress_can_cancel() -> None:
    cancel = pinfold.Cancel()
    with pytest.raises(pinfold.Cancelled):
        pinfold.Model.embedded("intent", progress=lambda share: cancel.cancel(), cancel=cancel)


def test_a_flag_that_is_set_ends_a_load_at_once() -> None:
    cancel = pinfold.Cancel()
    cancel.cancel()
    with pytest.raises(pinfold.Cancelled):
        pinfold.Model.embedded("intent", cancel=cancel)


def test_what_is_not_callable_is_refused() -> None:
    with pytest.raises(TypeError, match="progress must be callable"):
        pinfold.Model.embedded("intent", progress=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="sink must be callable"):
        pinfold.set_log_sink(3)  # type: ignore[arg-type]


def test_the_log_comes_without_text_of_the_user() -> None:
    lines: List[Tuple[pinfold.LogLevel, str, str]] = []
    pinfold.set_log_sink(lambda level, target, message: lines.append((level, target, message)), "trace")
    try:
        answer("my secret")
    finally:
        pinfold.set_log_sink(None)
    assert lines
    assert all(isinstance(level, pinfold.LogLevel) and target for level, target, _ in lines)
    assert not any("secret" in message for _, _, message in lines)
    count = len(lines)
    answer("more")
    assert len(lines) == count


def test_the_log_goes_to_logging(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1)
    pinfold.log_to_logging(pinfold.LogLevel.TRACE)
    try:
        answer("hello")
    finally:
        pinfold.set_log_sink(None)
    names = {record.name for record in caplog.records if record.levelno <= logging.CRITICAL}
    assert any(name.split(".")[0].startswith("pinfold") for name in names)
    assert not any("::" in name for name in names)


def test_a_sink_that_raises_loses_its_line_and_nothing_else() -> None:
    def fail(level: pinfold.LogLevel, target: str, message: str) -> None:
        raise RuntimeError

    pinfold.set_log_sink(fail, "trace")
    try:
        assert answer("play some jazz")
    finally:
        pinfold.set_log_sink(None)


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="there are error, warn, info, debug, trace"):
        pinfold.log_to_logging("loud")
    with pytest.raises(TypeError):
        pinfold.log_to_logging(20)  # type: ignore[arg-type]


def answer(request: str) -> str:
    """Loads the embedded checkpoint, which has things to log, and asks it."""
    with pinfold.Model.embedded("intent") as model, model.session() as session:
        session.append(model.chat_prompt([("user", request)]), parse_special=True)
        return session.complete(max_tokens=5)
