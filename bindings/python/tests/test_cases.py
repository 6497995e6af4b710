"""The shared cases of `core/vectors/api.toml`. What came of each goes to `target/cases/python.tsv`."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest

import pinfold
from pin_cases import PinRunner, expecting, open_lock

REPOSITORY = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("PINFOLD_SHARED_DATA") or REPOSITORY.parent / "shared/data")

Step = Dict[str, Any]

with open(REPOSITORY / "core/vectors/api.toml", "rb") as _file:
    CASES: List[Dict[str, Any]] = tomllib.load(_file)["case"]


@pytest.fixture(scope="module")
def outcomes() -> Iterator[Dict[str, Tuple[str, str]]]:
    """Filled by each case, and written at the end."""
    found: Dict[str, Tuple[str, str]] = {}
    yield found
    folder = REPOSITORY / "target/cases"
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join((name, *outcome)) + "\n" for name, outcome in found.items()]
    (folder / "python.tsv").write_text("".join(lines), encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_case(case: Dict[str, Any], outcomes: Dict[str, Tuple[str, str]], tmp_path: Path) -> None:
    name = case["name"]
    shared = case.get("model", {}).get("shared")
    if shared and not (SHARED / shared).exists():
        outcomes[name] = ("skipped", f"no {shared}")
        pytest.skip(f"no {shared} under the shared data")
    # Stands unless the end is reached.
    outcomes[name] = ("failed", "see the test run")
    run(case, tmp_path)
    outcomes[name] = ("passed", "")


def run(case: Dict[str, Any], folder: Path) -> None:
    if "lock" in case:
        run_lock(case, folder)
        return
    source = dict(case["model"])
    expected = {key: source.pop(key) for key in ("error", "message") if key in source}
    if expected:
        with expecting(expected):
            load(source)
        return
    with load(source) as model:
        runner = Runner(model, folder)
        for step in case.get("steps", []):
            runner.do(dict(step))


def run_lock(case: Dict[str, Any], folder: Path) -> None:
    source = case["lock"]
    if "error" in source:
        with expecting(source):
            open_lock(source)
            raise AssertionError(f"{source['error']} was expected")
        return
    with open_lock(source) as lock_file, pinfold.Store.open(folder / "store") as store:
        pins, runner = PinRunner(lock_file, store), None
        for step in case.get("steps", []):
            if step["do"] == "load" and "error" not in step:
                model = lock_file.load(step["name"], store, reproducible=step.get("reproducible", False))
                runner = Runner(model, folder)
            elif hasattr(pins, step["do"]):
                pins.do(step)
            else:
                assert runner is not None, "the case has loaded nothing"
                runner.do(dict(step))
        if runner is not None:
            runner.model.close()


def load(source: Step) -> pinfold.Model:
    options = {key: source[key] for key in ("context_tokens", "sessions") if key in source}
    if "scripted" in source:
        step = source.get("step_microseconds", 0)
        return pinfold.Model.scripted(source["scripted"], step_microseconds=step, **options)
    if "embedded" in source:
        return pinfold.Model.embedded(source["embedded"], **options)
    if "bytes" in source:
        return pinfold.Model.from_bytes(bytes(source["bytes"]), **options)
    return pinfold.Model.load(SHARED / source["shared"] if "shared" in source else source["file"], **options)


class Runner:
    """Does the steps of a case."""

    def __init__(self, model: pinfold.Model, folder: Path) -> None:
        self.model = model
        self.session = model.session()
        # Sessions and streams that stay open.
        self.open: List[pinfold.Session] = []
        self.busy: List[pinfold.Stream] = []
        self.file = folder / "session"

    def do(self, step: Step) -> None:
        method: Callable[[Step], Any] = getattr(self, step["do"])
        if step["do"] == "generate":
            method(step)
            return
        with expecting(step):
            came = method(step)
            if "tokens" in step and step["do"] not in ("append_tokens", "detokenize"):
                assert came == step["tokens"]
            if "length" in step:
                assert (came if isinstance(came, int) else len(came)) == step["length"]
            if "text" in step and step["do"] == "detokenize":
                assert came == step["text"]
            assert "error" not in step, f"{step['error']} was expected"

    def text(self, step: Step) -> str:
        return str(step["text"]) * int(step.get("repeat", 1))

    def append(self, step: Step) -> int:
        return self.session.append(self.text(step), parse_special=step.get("parse_special", False))

    def append_chat(self, step: Step) -> int:
        prompt = self.model.chat_prompt((role, text) for role, text in step["messages"])
        return self.session.append(prompt, parse_special=True)

    def append_tokens(self, step: Step) -> int:
        return self.session.append_tokens(step["tokens"])

    def ill_formed_text(self, step: Step) -> int:
        return self.session.append("a lone \ud83d surrogate")

    def prefill(self, step: Step) -> None:
        self.session.prefill()

    def generate(self, step: Step) -> None:
        known = ("temperature", "seed", "top_k", "top_p", "min_p", "max_tokens", "stop", "logprobs")
        options = {key: step[key] for key in known if key in step}
        before, text = self.session.tokens(), ""
        tokens: List[pinfold.GeneratedToken] = []
        finish = None
        with expecting(step):
            with self.session.generate(**options) as stream:
                for chunk in stream:
                    text += chunk.text
                    tokens += chunk.tokens
                    if len(tokens) >= step.get("cancel_after", 1 << 32):
                        stream.cancel()
            finish = stream.finish
            assert "error" not in step, f"{step['error']} was expected"
        ids = [token.token for token in tokens]
        if "cancel_after" in step:
            assert finish is not None and finish.reason == "cancelled"
            assert step["text"].startswith(text)
            assert self.session.tokens() == before + ids
        elif "text" in step:
            assert text == step["text"]
        if "finish" in step:
            assert finish is not None and finish.reason == step["finish"]
        if "tokens" in step:
            assert ids == step["tokens"]
        if "logprobs" in step:
            assert all(token.logprob is not None and token.logprob <= 0 for token in tokens)
            assert all(len(token.top) == step["logprobs"] for token in tokens)

    def generate_busy(self, step: Step) -> None:
        self.busy.append(self.session.generate())

    def drop_stream(self, step: Step) -> None:
        self.busy.clear()

    def tokens(self, step: Step) -> List[int]:
        return self.session.tokens()

    def rewind(self, step: Step) -> None:
        self.session.rewind(step["to"])

    def fork(self, step: Step) -> None:
        self.open.append(self.session)
        self.session = self.session.fork()

    def second_session(self, step: Step) -> None:
        self.open.append(self.model.session())

    def save(self, step: Step) -> None:
        self.session.save(self.file)

    def restore(self, step: Step) -> None:
        file = self.file
        if "damage" in step:
            data = bytearray(file.read_bytes())
            data[step["damage"]] ^= 1
            file = file.with_name("damaged")
            file.write_bytes(data)
        self.session.restore(file)

    def next_tokens(self, step: Step) -> List[int]:
        return [token for token, _ in self.session.next_tokens(step["count"])]

    def tokenize(self, step: Step) -> List[int]:
        return self.model.tokenize(self.text(step), parse_special=step.get("parse_special", False))

    def detokenize(self, step: Step) -> str:
        return self.model.detokenize(step["tokens"])
