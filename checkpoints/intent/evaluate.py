"""Evaluation: what the GGUF file itself answers, through llama.cpp and its own chat template, by greedy decoding.

In:  `--model`, the GGUF file; `--data`, the folder with the train_*_full.json files; `--split`, development or test.
Out: a table of scores for each way of writing the requests; with `--errors`, a file of the wrong answers.

Slot F1 is that of CoNLL: a slot counts when its type and its whole value are right.
"""

import argparse
import json
import random
import re
from collections import Counter
from pathlib import Path

import jinja2
import llama_cpp

from augment import capitalised, misspelled
from data import Request, load, split
from tokenizer import Tokenizer

MAX_TOKENS = 200


def titled(request: Request) -> Request:
    """As users type it: a capital letter first and a mark at the end."""
    (last, slot) = request.segments[-1]
    segments = request.segments
    if slot is None:
        segments = (*segments[:-1], (last.rstrip(" .!?,"), None))
    question = re.match(r"(what|where|when|who|which|how|is|will|are|can|could|do|does)\b", request.text.lower())
    return capitalised(Request(request.intent, (*segments, ("?" if question else ".", None))))


STYLES = {
    "as written in the data": lambda request, rng: request,
    "lower case": lambda request, rng: request.map(str.lower),
    "capitalised, final mark": lambda request, rng: titled(request),
    "UPPER CASE": lambda request, rng: request.map(str.upper),
    "lower case, one typo": lambda request, rng: misspelled(request.map(str.lower), rng),
}


class Runner:
    """A model file with its chat template."""

    def __init__(self, path: Path, threads: int = 2):
        self.llm = llama_cpp.Llama(
            str(path), n_ctx=512, n_batch=512, n_threads=threads, n_threads_batch=threads, verbose=False
        )
        environment = jinja2.Environment()
        self.template = environment.from_string(self.llm.metadata["tokenizer.chat_template"])

    def prompt(self, messages: list[dict]) -> list[int]:
        text = self.template.render(messages=messages, add_generation_prompt=True)
        return self.llm.tokenize(text.encode(), add_bos=True, special=True)

    def answer(self, messages: list[dict] | str) -> tuple[str, bool]:
        """(text, whether it ended by itself)."""
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        prompt, ids = self.prompt(messages), []
        limit = min(MAX_TOKENS, self.llm.n_ctx() - len(prompt))
        if limit > 0:
            for id in self.llm.generate(prompt, temp=0.0, top_k=1, repeat_penalty=1.0):
                if id == self.llm.token_eos():
                    return self.llm.detokenize(ids).decode("utf-8", "replace"), True
                ids.append(id)
                if len(ids) == limit:
                    break
        return self.llm.detokenize(ids).decode("utf-8", "replace"), False


def spans(answer: dict) -> Counter:
    """The (slot, value) pairs of an answer."""
    pairs = Counter()
    for slot, value in answer.items():
        if slot != "intent":
            pairs.update((slot, str(item)) for item in (value if isinstance(value, list) else [value]))
    return pairs


def score(requests: list[Request], answers: list[tuple[str, bool]]) -> dict[str, float]:
    intents = exact = valid = right = found = wanted = 0
    for request, (text, ended) in zip(requests, answers):
        try:
            answer = json.loads(text)
            valid += ended and isinstance(answer, dict)
        except ValueError:
            answer = {}
        truth, guess = spans(json.loads(request.answer)), spans(answer)
        intents += answer.get("intent") == request.intent
        exact += text == request.answer and ended
        right += sum((truth & guess).values())
        found += sum(guess.values())
        wanted += sum(truth.values())
    return {
        "intent": intents / len(requests),
        "slot F1": 2 * right / (found + wanted),
        "exact": exact / len(requests),
        "valid JSON": valid / len(requests),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", choices=("development", "test"), default="development")
    parser.add_argument("--styles", nargs="*", choices=list(STYLES), default=list(STYLES))
    parser.add_argument("--errors", type=Path)
    parser.add_argument("--run", type=Path, help="a training folder: checks that its tokenizer and the file's agree")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()

    _, development, test = split(load(args.data))
    requests = development if args.split == "development" else test
    runner = Runner(args.model, args.threads)
    if args.run:
        check_tokenizer(runner, Tokenizer.load(args.run / "tokenizer.json"), requests)
    print(f"| {args.split}: {len(requests)} requests | intent | slot F1 | exact | valid JSON |\n|---|---|---|---|---|")
    errors = []
    for style in args.styles:
        rng = random.Random(1)
        written = [STYLES[style](request, rng) for request in requests]
        answers = [runner.answer(request.text) for request in written]
        scores = score(written, answers)
        print(f"| {style} |" + "|".join(f" {100 * value:.2f} " for value in scores.values()) + "|", flush=True)
        errors += [
            {"style": style, "text": request.text, "right": request.answer, "answer": text}
            for request, (text, _) in zip(written, answers)
            if text != request.answer
        ]
    if args.errors:
        lines = (json.dumps(error, ensure_ascii=False) + "\n" for error in errors)
        args.errors.write_text("".join(lines), encoding="utf-8")


def check_tokenizer(runner: Runner, tokenizer: Tokenizer, requests: list[Request]) -> None:
    texts = [text for request in requests for text in (request.text, request.text.lower(), request.text.upper())]
    texts += ["", " ", "  two  spaces\n\ttab", "Zürich 東京 🍕 ﷽ ǅ \u0301", 'say "hi" \\ "},{"a":"b","c":["d"]}']
    for text in texts:
        found = runner.prompt([{"role": "user", "content": text}])
        assert found == tokenizer.encode_prompt(text), (text, found, tokenizer.encode_prompt(text))
    print(f"tokenizer: the same ids as llama.cpp for {len(texts)} prompts")


if __name__ == "__main__":
    main()
