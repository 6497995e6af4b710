"""Streams in a loop: what comes, how they end, what is left."""

from __future__ import annotations

import pytest

import pinfold
from pinfold import FinishReason


def test_chunks_have_text_and_tokens(session: pinfold.Session) -> None:
    stream = session.generate()
    assert iter(stream) is stream
    chunks = list(stream)
    assert "".join(map(str, chunks)) == "hello"
    assert [token.token for chunk in chunks for token in chunk.tokens] == list(b"hello")
    assert stream.finish is not None
    assert stream.finish.reason is FinishReason.END_OF_GENERATION
    assert (stream.finish.prompt_tokens, stream.finish.generated_tokens) == (1, 5)
    assert next(stream, None) is None


def test_finish_is_unknown_while_it_goes_on(slow: pinfold.Session) -> None:
    stream = slow.generate()
    next(stream)
    assert stream.finish is None


def test_complete_gives_the_text(session: pinfold.Session) -> None:
    assert session.complete(max_tokens=4) == "hell"
    assert session.complete(stop="never") == "o"


def test_a_slow_reader_gets_many_tokens_at_once() -> None:
    with pinfold.Model.scripted("x" * 600) as model, model.session() as session:
        session.append("q")
        chunks = list(session.generate())
        assert sum(len(chunk.tokens) for chunk in chunks) == 600
        assert len(chunks) < 300


def test_breaking_out_frees_the_session(slow: pinfold.Session) -> None:
    for _ in slow.generate():
        break
    slow.append("x")


def test_an_open_stream_keeps_the_session_busy(slow: pinfold.Session) -> None:
    stream = slow.generate()
    with pytest.raises(pinfold.SessionBusy):
        slow.append("x")
    stream.close()
    slow.append("x")


def test_a_cancelled_stream_ends_and_the_session_keeps_what_came(slow: pinfold.Session) -> None:
    stream = slow.generate()
    came = next(stream)
    stream.cancel()
    assert list(stream) == []
    assert stream.finish is not None and stream.finish.reason == "cancelled"
    assert slow.tokens() == [ord("q"), *(token.token for token in came.tokens)]
    stream.cancel()


def test_a_flag_cancels_too(slow: pinfold.Session) -> None:
    cancel = pinfold.Cancel()
    stream = slow.generate(cancel=cancel)
    next(stream)
    cancel.cancel()
    assert list(stream) == []
    assert stream.finish is not None and stream.finish.reason is FinishReason.CANCELLED
    assert cancel.is_cancelled()


def test_text_before_an_error_comes() -> None:
    with pinfold.Model.scripted("hello world", context_tokens=6) as model, model.session() as session:
        session.append("q")
        stream, text = session.generate(), ""
        with pytest.raises(pinfold.ContextFull, match="6 of 6 tokens"):
            for chunk in stream:
                text += chunk.text
        assert text == "hello"
        assert (next(stream, None), stream.finish) == (None, None)


def test_a_sliding_session_goes_on() -> None:
    with pinfold.Model.scripted("hello world", context_tokens=8) as model:
        with model.session(slide_keep=1) as session:
            session.append("q")
            assert len(session.complete(max_tokens=20)) == 20


def test_logprobs_come_with_the_likeliest(session: pinfold.Session) -> None:
    tokens = [token for chunk in session.generate(logprobs=2, max_tokens=2) for token in chunk.tokens]
    for token in tokens:
        assert token.logprob is not None and token.logprob <= 0
        assert [top.token for top in token.top][0] == token.token
        assert len(token.top) == 2


def test_a_bias_forbids_a_token(session: pinfold.Session) -> None:
    assert not session.complete(max_tokens=1, logit_bias={ord("h"): float("-inf")}).startswith("h")


def test_a_zero_character_is_a_character() -> None:
    with pinfold.Model.scripted("a\0b") as model, model.session() as session:
        assert session.append("\0") == 1
        assert session.complete() == "a\0b"


def test_sessions_fork_save_and_restore(session: pinfold.Session, tmp_path: object) -> None:
    file = f"{tmp_path}/saved"
    session.save(file)
    with session.fork() as other:
        other.append("x")
        assert (session.tokens(), other.tokens()) == ([113], [113, 120])
        other.restore(file)
        assert other.tokens() == [113]
    session.prefill()
    assert session.next_tokens(2)[0].token == ord("h")


def test_an_empty_session_has_nothing_to_continue() -> None:
    with pinfold.Model.scripted("x") as model, model.session() as session:
        with pytest.raises(pinfold.SessionEmpty):
            session.generate()
