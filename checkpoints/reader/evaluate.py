"""Evaluation: answers and scores by SQuAD's definition, and calibration.

In:  `--run`, a training folder, or `--model`, a GGUF file; `--data`, the folder with the questions.
Out: a table of scores; with `--calibrate`, the calibration as JSON, which export.py writes into the file; with
     `--llama`, how far llama.cpp is from the scores computed here.

    python evaluate.py --run run --data qa --calibrate run/calibration.json
    python evaluate.py --model pinfold-reader.gguf --data qa --llama 100
"""

import argparse
import json
import re
import string
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import torch

from data import Example, development, policies
from encode import CLS, PAD, SEP, Encoder
from model import MAX_ANSWER, Reader, null_scores, possible, span_scores
from negatives import Lookalikes, elsewhere

WINDOW = 384  # ids in a row
STRIDE = 128  # tokens of the passage that two neighbouring windows share
BATCH = 6000  # tokens


@dataclass(frozen=True)
class Answer:
    """The best span of a passage. `score` is the sum of its two token scores less that of there being no answer."""

    text: str
    start: int
    score: float


# --- SQuAD's definition ---


def normal(text: str) -> str:
    text = "".join(char for char in text.lower() if char not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def f1(guess: str, truth: str) -> float:
    a, b = normal(guess).split(), normal(truth).split()
    if not a or not b:
        return float(a == b)
    same = sum((Counter(a) & Counter(b)).values())
    return 2 * same / (len(a) + len(b))


def rated(example: Example, guess: str) -> tuple[float, float]:
    """(exact match, F1) of a guess; the empty one says that there is no answer."""
    truths = [text for text in example.texts if normal(text)] or [""]
    return max(float(normal(guess) == normal(truth)) for truth in truths), max(f1(guess, truth) for truth in truths)


def auc(better: np.ndarray, worse: np.ndarray) -> float:
    """The chance that one of `better` is above one of `worse`; ties count half."""
    both = np.concatenate([better, worse])
    values, places, counts = np.unique(both, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return float((ranks[: len(better)].sum() - len(better) * (len(better) + 1) / 2) / (len(better) * len(worse)))


# --- Answers ---


@torch.inference_mode()
def answers(model: Reader, encoder: Encoder, examples: list[Example]) -> list[Answer]:
    """The best span for each example, over all windows of its passage."""
    model.eval()
    device = model.head.weight.device
    rows = []
    for number, example in enumerate(examples):
        question, passage = encoder.question(example.question), encoder.passage(example.passage)
        room = max(WINDOW, len(question) + STRIDE + 64) - len(question) - 3
        begin = 0
        while True:
            ids = (CLS, *question, SEP, *passage.ids[begin : begin + room], SEP)
            rows.append((number, ids, len(question) + 2, begin))
            if begin + room >= len(passage.ids):
                break
            begin += room - STRIDE
    rows.sort(key=lambda row: len(row[1]))
    best: list[Answer | None] = [None] * len(examples)
    while rows:
        count = max(1, BATCH // len(rows[-1][1]))
        batch, rows = rows[-count:], rows[:-count]
        length = len(batch[-1][1])
        lengths = torch.tensor([len(ids) for _, ids, _, _ in batch], device=device)
        first = torch.tensor([first for _, _, first, _ in batch], device=device)
        ids = torch.tensor([ids + (PAD,) * (length - len(ids)) for _, ids, _, _ in batch], device=device)
        scores = model(ids, lengths)
        top, place = span_scores(scores, possible(length, first, lengths)).flatten(1).max(-1)
        top = top - null_scores(scores)
        for (number, _, first, begin), score, at in zip(batch, top.tolist(), place.tolist()):
            if best[number] is None or score > best[number].score:
                offsets = encoder.passage(examples[number].passage).offsets
                token = at // MAX_ANSWER - first + begin
                if token + at % MAX_ANSWER >= len(offsets):  # an empty passage
                    best[number] = Answer("", 0, score)
                    continue
                start, end = offsets[token][0], offsets[token + at % MAX_ANSWER][1]
                best[number] = Answer(examples[number].passage[start:end], start, score)
    return best


def brief(model: Reader, encoder: Encoder, answerable: list[Example], mixed: list[Example]) -> dict[str, float]:
    """A few scores on few questions, to watch a training."""
    found = answers(model, encoder, answerable)
    exact, close = np.mean([rated(example, answer.text) for example, answer in zip(answerable, found)], axis=0)
    table = Rated(mixed, answers(model, encoder, mixed))
    best = table.best()
    result = {"exact": exact, "f1": close, "v2 f1": table.at(best)["F1"], "auc": table.auc(), "threshold": best}
    return {name: round(float(value), 3) for name, value in result.items()}


class Rated:
    """The answers to questions some of which have none, as a function of the threshold."""

    def __init__(self, examples: list[Example], found: list[Answer]):
        self.has = np.array([bool(example.answers) for example in examples])
        self.scores = np.array([answer.score for answer in found])
        self.rated = np.array([rated(example, answer.text) for example, answer in zip(examples, found)])

    def at(self, threshold: float) -> dict[str, float]:
        """EM and F1, of all and apart, when spans with a score below the threshold are no answer."""
        given = self.scores >= threshold
        points = np.where(given[:, None], self.rated * self.has[:, None], ~self.has[:, None])
        exact, close = points.mean(0)
        has_exact, has_close = points[self.has].mean(0) if self.has.any() else (np.nan, np.nan)
        no = points[~self.has, 0].mean() if not self.has.all() else np.nan
        return {"EM": exact, "F1": close, "HasAns EM": has_exact, "HasAns F1": has_close, "NoAns": no}

    def best(self) -> float:
        """The threshold with the highest F1."""
        candidates = np.quantile(self.scores, np.linspace(0, 1, 201))
        return float(max(candidates, key=lambda threshold: self.at(threshold)["F1"]))

    def auc(self) -> float:
        return auc(self.scores[self.has], self.scores[~self.has])

    def right(self) -> np.ndarray:
        """Whether a span is right or nearly so: what the calibrated probability is the probability of."""
        return self.has & (self.rated[:, 1] >= 0.5)


def calibration(scores: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """(scale, shift) such that sigmoid(scale * score + shift) is the probability of being right; maximum likelihood."""
    features = np.stack([scores, np.ones_like(scores)], axis=1)
    weights = np.array([0.5, 0.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-features @ weights))
        hessian = features.T @ (features * (p * (1 - p))[:, None]) + 1e-6 * np.eye(2)
        weights = weights + np.linalg.solve(hessian, features.T @ (right - p))
    return float(weights[0]), float(weights[1])


def calibration_error(p: np.ndarray, right: np.ndarray, bins: int = 15) -> float:
    """The expected difference of probability and frequency, over bins of equal counts."""
    parts = np.array_split(np.argsort(p), bins)
    return float(sum(len(part) * abs(p[part].mean() - right[part].mean()) for part in parts) / len(p))


# --- Models ---


def load(run: Path | None, file: Path | None) -> Reader:
    model = Reader()
    if file:
        tensors = {
            tensor.name: torch.from_numpy(gguf.dequantize(tensor.data, tensor.tensor_type).copy())
            for tensor in gguf.GGUFReader(file).tensors
        }
        model.load({name: tensor.reshape(model.tensors()[name].shape) for name, tensor in tensors.items()})
    else:
        model.load(torch.load(run / "model.pt", map_location="cpu"))
    return model


def compare_with_llama(model: Reader, encoder: Encoder, file: Path, examples: list[Example], threads: int) -> None:
    """The rows of the examples through llama.cpp. It does not apply the head to tokens, so that is done here."""
    import llama_cpp

    llm = llama_cpp.Llama(
        str(file), embedding=True, pooling_type=llama_cpp.LLAMA_POOLING_TYPE_NONE, n_ctx=512, n_batch=512, n_ubatch=512,
        n_threads=threads, n_threads_batch=threads, verbose=False,
    )  # fmt: skip
    weight, bias = model.head.weight.detach().numpy(), model.head.bias.detach().numpy()
    off, same, ids_same = [], 0, 0
    for example in examples:
        row = encoder.row(example)
        for text, ids in ((example.question, encoder.question(example.question)),
                          (example.passage, encoder.passage(example.passage).ids)):  # fmt: skip
            ids_same += tuple(llm.tokenize(text.encode(), add_bos=False, special=False)) == tuple(ids)
        batch = llama_cpp.llama_batch_init(512, 0, 1)
        batch.n_tokens = len(row.ids)
        for place, id in enumerate(row.ids):
            batch.token[place], batch.pos[place], batch.logits[place] = id, place, 1
            batch.n_seq_id[place], batch.seq_id[place][0] = 1, 0
        if llama_cpp.llama_encode(llm.ctx, batch):
            raise SystemExit("llama.cpp cannot encode a row")
        width = model.shape.width
        vectors = [llama_cpp.llama_get_embeddings_ith(llm.ctx, place)[:width] for place in range(len(row.ids))]
        llama_cpp.llama_batch_free(batch)
        theirs = torch.from_numpy(np.array(vectors, dtype=np.float32) @ weight.T + bias)[None]
        lengths, first = torch.tensor([len(row.ids)]), torch.tensor([row.passage])
        with torch.inference_mode():
            ours = model(torch.tensor([row.ids]), lengths)
        inside = possible(len(row.ids), first, lengths)
        off.append((ours - theirs).abs().max().item())
        same += int(span_scores(ours, inside).argmax() == span_scores(theirs, inside).argmax())
    rows = len(examples)
    print(f"llama.cpp: {rows} rows; the largest differences of their scores are {np.mean(off):.4f} on average and")
    print(f"{max(off):.4f} at most; {same} best spans are the same; {ids_same} of {2 * rows} texts have the same ids")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--run", type=Path)
    source.add_argument("--model", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--calibrate", type=Path)
    parser.add_argument("--llama", type=int, default=0, help="compare so many rows with llama.cpp, and do nothing else")
    parser.add_argument("--part", type=int, default=1, help="only every so-manieth question")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model, encoder = load(args.run, args.model), Encoder()
    one, two = development(args.data, "1.1"), development(args.data, "2.0")
    if args.llama:
        compare_with_llama(model, encoder, args.model, one[:: len(one) // args.llama], args.threads)
        return

    model = model.to("cuda" if torch.cuda.is_available() else "cpu")
    print("| questions | EM | F1 | HasAns EM | HasAns F1 | NoAns | AUC |\n|---|---|---|---|---|---|---|")
    lookalikes = Lookalikes(one, by_article=True)
    one, two = one[:: args.part], two[:: args.part]
    table, two = Rated(two, answers(model, encoder, two)), None
    threshold = table.best()
    report(f"v2.0, threshold {threshold:.2f}", table.at(threshold), table.auc())
    answered = Rated(one, answers(model, encoder, one))
    report("v1.1, an answer demanded", answered.at(-np.inf))
    foreign = [elsewhere(example, passage) for example in one for passage in lookalikes.of(example, 1)]
    wrong = Rated(foreign, answers(model, encoder, foreign))
    report("v1.1 on a similar but wrong passage", wrong.at(threshold), auc(answered.scores, wrong.scores))
    policy = policies(args.data)[:: args.part]
    report("PolicyQA, an answer demanded", Rated(policy, answers(model, encoder, policy)).at(-np.inf))

    parts = (table, answered, wrong)
    scores, right = np.concatenate([p.scores for p in parts]), np.concatenate([p.right() for p in parts])
    scale, shift = calibration(scores, right)
    error = calibration_error(1 / (1 + np.exp(-scale * scores - shift)), right)
    print(f"calibration: sigmoid({scale:.4f} * score + {shift:.4f}), error {100 * error:.1f} points")
    if args.calibrate:
        values = {"scale": scale, "shift": shift, "threshold": threshold}
        args.calibrate.write_text(json.dumps(values) + "\n", encoding="utf-8")


def report(name: str, scores: dict[str, float], area: float = np.nan) -> None:
    cells = [*(100 * value for value in scores.values()), 100 * area]
    print(f"| {name} |" + "|".join(" " if np.isnan(cell) else f" {cell:.1f} " for cell in cells) + "|", flush=True)


if __name__ == "__main__":
    main()
