"""Checkpoints: loading, looking into them, and the machine."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

import pinfold

REPOSITORY = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("PINFOLD_SHARED_DATA") or REPOSITORY.parent / "shared/data")
STORIES = SHARED / "checkpoints/stories260K.gguf"

needs_stories = pytest.mark.skipif(not STORIES.exists(), reason="no checkpoints/stories260K.gguf under the shared data")


def test_the_embedded_checkpoint_answers() -> None:
    (info,) = [found for found in pinfold.embedded_checkpoints() if found.name == "intent"]
    assert info.bytes > 0 and len(info.digest) == 64 and info.licence and info.summary
    with pinfold.Model.embedded("intent") as model, model.session() as session:
        assert model.digest() == info.digest
        assert session.append(model.chat_prompt([("user", "play some jazz")]), parse_special=True) > 3
        assert session.complete(max_tokens=150).startswith('{"intent":"PlayMusic"')


def test_messages_come_in_three_shapes() -> None:
    with pinfold.Model.scripted("x") as model:
        message = pinfold.Message(pinfold.Role.USER, "a")
        assert model.chat_prompt([("user", "a"), {"role": "user", "content": "a"}, message]) == "a\na\na\n"


def test_facts_are_typed() -> None:
    with pinfold.Model.scripted("x", context_tokens=77) as model:
        assert model.context_tokens == 77
        assert model.vocabulary_size == 258
        assert isinstance(model.facts, pinfold.Facts)
        assert repr(model) == f"<pinfold.Model {model.facts.architecture}, 77 tokens>"
        assert model.detokenize(model.tokenize("é😀")) == "é😀"


def test_devices_name_the_processor() -> None:
    processor = pinfold.devices()[-1]
    assert processor.kind is pinfold.DeviceKind.CPU
    assert processor.memory_total >= processor.memory_free > 0
    assert processor.kernels


def test_the_version_is_the_packages() -> None:
    from importlib.metadata import version

    assert pinfold.__version__ == version("pinfold")


@needs_stories
def test_a_file_is_inspected_and_loaded() -> None:
    info = pinfold.inspect(STORIES)
    assert info.architecture == "llama" and info.memory.weights > 0
    assert pinfold.inspect(STORIES, context_tokens=64).memory.kv_cache < info.memory.kv_cache
    with pinfold.Model.load(STORIES, context_tokens=256) as model:
        assert model.digest() == hashlib.sha256(STORIES.read_bytes()).hexdigest()
        with model.session() as session:
            session.append("Once upon a time")
            story = session.complete(max_tokens=40)
    with pinfold.Model.from_bytes(STORIES.read_bytes(), context_tokens=256) as model:
        with model.session() as session:
            session.append("Once upon a time")
            assert session.complete(max_tokens=40) == story


@needs_stories
def test_loading_does_not_block_a_loop_that_uses_a_thread() -> None:
    async def main() -> str:
        model = await asyncio.to_thread(pinfold.Model.load, STORIES, context_tokens=128)
        with model, model.session() as session:
            session.append("Once")
            return await session.acomplete(max_tokens=3)

    assert asyncio.run(main())
