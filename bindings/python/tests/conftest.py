"""What the tests share."""

from __future__ import annotations

from typing import Iterator

import pytest

import pinfold


@pytest.fixture
def session() -> Iterator[pinfold.Session]:
    """A session that holds one token, of a model that answers `hello`."""
    with pinfold.Model.scripted("hello") as model, model.session() as opened:
        opened.append("q")
        yield opened


@pytest.fixture
def slow() -> Iterator[pinfold.Session]:
    """The same with a long answer, 2 milliseconds a token."""
    with pinfold.Model.scripted("a rather long answer " * 40, step_microseconds=2000) as model:
        with model.session() as opened:
            opened.append("q")
            yield opened
