"""Closing, dropping, copying and forking: what is freed, and what must not be."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import sys
import warnings
from typing import Any

import pytest

import pinfold
from pinfold._native import raw


@pytest.fixture
def freed(monkeypatch: pytest.MonkeyPatch) -> "list[str]":
    """The names of the objects of Rust's that were freed, in order."""
    # What earlier tests left in cycles is not to count.
    gc.collect()
    names: "list[str]" = []
    kinds: Any = (raw.Model, raw.Session, raw.Stream)
    for kind in kinds:

        def free(self: object, name: str = kind.__name__, before: Any = kind.__del__) -> None:
            if getattr(self, "_handle", None) is not None:
                names.append(name)
            before(self)

        monkeypatch.setattr(kind, "__del__", free)
    return names


def test_leaving_with_frees_at_once(freed: "list[str]") -> None:
    with pinfold.Model.scripted("x" * 100, step_microseconds=1000) as model:
        with model.session() as session:
            session.append("q")
            with session.generate() as stream:
                next(stream)
                assert freed == []
            assert freed == ["Stream"]
        assert freed == ["Stream", "Session"]
    assert freed == ["Stream", "Session", "Model"]


def test_closing_a_model_closes_what_came_from_it(freed: "list[str]") -> None:
    with pinfold.Model.scripted("x" * 100, step_microseconds=1000) as model:
        session = model.session()
        session.append("q")
        fork, stream = session.fork(), session.generate()
    assert sorted(freed) == ["Model", "Session", "Session", "Stream"]
    assert next(stream, None) is None
    with pytest.raises(ValueError, match="the session is closed"):
        fork.append("x")
    with pytest.raises(ValueError, match="the model is closed"):
        model.session()
    assert "closed" in repr(model) and "closed" in repr(session) and "closed" in repr(stream)


def test_a_stream_that_ended_is_freed(freed: "list[str]", session: pinfold.Session) -> None:
    stream = session.generate()
    list(stream)
    assert freed == ["Stream"]
    assert stream.finish is not None


def test_closing_twice_does_nothing(session: pinfold.Session) -> None:
    stream = session.generate()
    for closable in (stream, session):
        closable.close()
        closable.close()
    stream.cancel()


def test_objects_are_dropped_in_any_order() -> None:
    for order in ("msg", "smg", "gms", "gsm", "mgs", "sgm"):
        model = pinfold.Model.scripted("x" * 100, step_microseconds=100)
        session = model.session()
        session.append("q")
        held = {"m": model, "s": session, "g": session.generate()}
        del model, session
        for name in order:
            del held[name]


def test_an_error_keeps_nothing_alive(freed: "list[str]") -> None:
    gc.disable()
    try:
        with pinfold.Model.scripted("hello", context_tokens=4) as model:
            session = model.session()
            session.append("q")
            with pytest.raises(pinfold.ContextFull):
                session.complete()
            assert "Stream" in freed
        del session
        assert sorted(freed) == ["Model", "Session", "Stream"]
    finally:
        gc.enable()


def test_nothing_is_copied_or_pickled(session: pinfold.Session) -> None:
    """A copy would free the same thing twice."""
    model = pinfold.Model.scripted("x")
    for item in (model, session, session.generate(), pinfold.Cancel()):
        ways: Any = (copy.copy, copy.deepcopy, pickle.dumps)
        for way in ways:
            with pytest.raises(TypeError, match="cannot be copied or pickled"):
                way(item)


def test_values_are_copied_and_pickled(session: pinfold.Session) -> None:
    for chunk in session.generate(logprobs=1):
        assert pickle.loads(pickle.dumps(chunk)) == copy.deepcopy(chunk) == chunk


def test_objects_are_made_by_their_owners() -> None:
    wrong: Any
    for wrong in (None, "checkpoint.gguf"):
        with pytest.raises(TypeError, match=r"use Model\.load"):
            pinfold.Model(wrong)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_opens_its_own(slow: pinfold.Session) -> None:
    stream = slow.generate()
    next(stream)
    with warnings.catch_warnings():
        # Python warns of forks beside threads since 3.12.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            closed = next(stream, None) is None and repr(slow) == "<pinfold.Session closed>"
            with pinfold.Model.scripted("child") as model, model.session() as session:
                session.append("q")
                code = 0 if closed and session.complete() == "child" else 2
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert next(stream).text


def test_the_interpreter_ends_with_everything_open() -> None:
    import subprocess

    code = (
        "import pinfold, logging; logging.basicConfig(level=0); pinfold.log_to_logging('trace');"
        "m = pinfold.Model.scripted('x' * 900, step_microseconds=1000); s = m.session(); s.append('q');"
        "g = s.generate(); next(g)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
