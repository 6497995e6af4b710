"""Training: from all-MiniLM-L6-v2 to a reader.

In:  `--data`, the folder with the questions (see data.py).
Out: `--out`, a folder with model.pt (averaged weights by their GGUF names), log.jsonl, and state.pt to go on from.

    python train.py --data qa --out run
"""

import argparse
import ctypes
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import gguf
import torch
import torch.nn.functional as F
from torch import Tensor

from data import Example, development, training
from encode import PAD, Encoder, Row, base
from evaluate import brief
from model import MAX_ANSWER, NOTHING, Reader, null_scores, possible, pretrained, span_scores
from negatives import Lookalikes, Twister, elsewhere

# The share of each source in the rows, at the beginning and at the end.
SHARES = {
    "squad": (0.20, 0.50), "new_wiki": (0.15, 0.25), "reddit": (0.10, 0.12), "amazon_reviews": (0.10, 0.12),
    "qamr": (0.45, 0.01),
}  # fmt: skip
BY_ARTICLE = ("squad", "new_wiki", "qamr")  # the articles of the others are too short to look for similar passages in
TWISTED, ELSEWHERE = 0.14, 0.10  # the shares of questions that are made unanswerable
CROPPED = (0.85, 0.10)  # the share of passages that are cut to a part, at the beginning and at the end
CROP = (40, 110)  # tokens of such a part
POOL = 1200  # rows that are sorted by length together
WARMUP = 40  # steps


class Sampler:
    """Draws rows without end; each source goes round and round in a new order."""

    def __init__(self, sources: dict[str, list[Example]], encoder: Encoder, rng: random.Random):
        self.sources, self.encoder, self.rng = sources, encoder, rng
        self.lookalikes = {name: Lookalikes(examples, name in BY_ARTICLE) for name, examples in sources.items()}
        self.twisters = {name: Twister(examples) for name, examples in sources.items()}
        self.waiting = {name: [] for name in sources}

    def draw(self, progress: float) -> Row:
        names = list(self.sources)
        weights = [between(SHARES[name], progress) for name in names]
        name = self.rng.choices(names, weights)[0]
        if not self.waiting[name]:
            self.waiting[name] = self.rng.sample(self.sources[name], len(self.sources[name]))
        example = self.waiting[name].pop()
        window = self.window(example, progress)
        if example.answers:
            chance = self.rng.random()
            if chance < TWISTED:
                example = self.twisters[name].twist(example, self.rng) or example
            elif chance < TWISTED + ELSEWHERE:
                passages = self.lookalikes[name].of(example)
                if passages:
                    example = elsewhere(example, self.rng.choice(passages))
                    window = self.window(example, progress)
        return self.encoder.row(example, window)

    def window(self, example: Example, progress: float) -> tuple[int, int] | None:
        """A part of the passage, with its first answer somewhere in it, or None for all of it."""
        passage = self.encoder.passage(example.passage)
        size = self.rng.randint(*CROP)
        if len(passage.ids) <= size or self.rng.random() > between(CROPPED, progress):
            return None
        first, last = 0, len(passage.ids) - size
        if example.answers:
            span = passage.span(*max(example.answers, key=example.answers.count))
            if span:
                first, last = max(0, span[1] + 1 - size), min(last, span[0])
        begin = self.rng.randint(min(first, last), max(first, last))
        return begin, begin + size

    def batches(self, progress: float, batch_tokens: int) -> Iterator[list[Row]]:
        """Batches of rows of similar length, about `batch_tokens` each, padding counted."""
        rows = [self.draw(progress) for _ in range(POOL)]
        rows.sort(key=lambda row: len(row.ids) + self.rng.random() * 4)
        groups, group = [], []
        for row in rows:
            if group and (len(group) + 1) * max(len(row.ids), len(group[-1].ids)) > batch_tokens:
                groups.append(group)
                group = []
            group.append(row)
        groups.append(group)
        self.rng.shuffle(groups)
        yield from groups


def between(ends: tuple[float, float], progress: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * min(1.0, progress)


def padded(rows: list[Row], device: str) -> tuple[Tensor, Tensor, Tensor]:
    """(ids, lengths, first tokens of the passages)"""
    length = max(len(row.ids) for row in rows)
    ids = [row.ids + (PAD,) * (length - len(row.ids)) for row in rows]
    lists = (ids, [len(row.ids) for row in rows], [row.passage for row in rows])
    return tuple(torch.tensor(values, device=device) for values in lists)


def loss_of(model: Reader, rows: list[Row], device: str, bf16: bool) -> Tensor:
    """The cross-entropy of the right spans among all spans, and those of their starts and ends among all tokens. Where
    annotators differ each counts by the share of those who chose it."""
    ids, lengths, first = padded(rows, device)
    with torch.autocast(device, dtype=torch.bfloat16, enabled=bf16):
        scores = model(ids, lengths)
    inside = possible(ids.shape[1], first, lengths)
    row = torch.tensor([i for i, r in enumerate(rows) for _ in r.spans], device=device)
    spans = [span for r in rows for span in r.spans]
    starts, ends, weights = (torch.tensor([span[k] for span in spans], device=device) for k in range(3))

    allowed = inside.clone()
    allowed[:, 0] = True
    singles = F.log_softmax(scores.masked_fill(~allowed[..., None], NOTHING), dim=1)
    single = -(weights * (singles[row, starts, 0] + singles[row, ends, 1])).sum() / len(rows)

    total = torch.cat([span_scores(scores, inside).flatten(1), null_scores(scores)[:, None]], dim=1).logsumexp(-1)
    short = weights * (ends - starts < MAX_ANSWER)
    joint = (short * (total[row] - scores[row, starts, 0] - scores[row, ends, 1])).sum() / len(rows)
    return joint + single / 2


def stored(weight: Tensor) -> Tensor:
    """The values that are left of a matrix in the file."""
    kind = gguf.GGMLQuantizationType.Q4_0
    return torch.from_numpy(gguf.dequantize(gguf.quantize(weight.numpy(force=True), kind), kind))


class Run:
    """The model in training, the average of its weights over the last steps, and how far it is."""

    def __init__(self, device: str, lr: float, average: float, dropout: float):
        self.device, self.average = device, average
        self.bf16 = device == "cuda" or bf16_is_fast()
        self.step = self.tokens = 0
        self.seconds = 0.0
        self.model = Reader(dropout=dropout).to(device)
        self.model.load(pretrained(base()))
        # The vectors of words stay as they are: the questions are about few of the words that users will ask about.
        # They are those of the file, in 4 bits, from the start, and the other weights learn to live with that.
        words = self.model.words.weight.requires_grad_(False)
        words.copy_(stored(words))
        self.trained = {name: value for name, value in self.model.tensors().items() if value.requires_grad}
        groups = [
            {"params": [value for value in self.trained.values() if value.ndim == 2], "weight_decay": 0.01},
            {"params": [value for value in self.trained.values() if value.ndim == 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.98), eps=1e-6, fused=True)
        self.averaged = {name: value.detach().clone() for name, value in self.trained.items()}

    def learn(self, rows: list[Row], lr: float) -> Tensor:
        """One step; gives the loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        loss = loss_of(self.model, rows, self.device, self.bf16)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained.values(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.tokens += sum(len(row.ids) for row in rows)
        with torch.no_grad():
            keep = min(self.average, (self.step + 1) / (self.step + 10))
            torch._foreach_lerp_(list(self.averaged.values()), list(self.trained.values()), 1 - keep)
        return loss.detach()

    def best(self) -> dict[str, Tensor]:
        """All weights by their GGUF names, averaged."""
        weights = {name: value.detach() for name, value in self.model.tensors().items()}
        return {name: value.cpu() for name, value in (weights | self.averaged).items()}

    def save(self, folder: Path) -> None:
        state = {"model": {name: value.detach() for name, value in self.trained.items()}, "averaged": self.averaged}
        state |= {"optimizer": self.optimizer.state_dict(), "step": self.step}
        state |= {"tokens": self.tokens, "seconds": self.seconds}
        for name, value in (("state.pt", state), ("model.pt", self.best())):
            torch.save(value, folder / "part")
            os.replace(folder / "part", folder / name)

    @torch.no_grad()
    def resume(self, folder: Path) -> None:
        state = torch.load(folder / "state.pt", map_location=self.device)
        for name, value in self.trained.items():
            value.copy_(state["model"][name])
        self.averaged = {name: state["averaged"][name] for name in self.trained}
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.tokens, self.seconds = state["step"], state["tokens"], state["seconds"]


def bf16_is_fast() -> bool:
    """Whether the CPU multiplies matrices in bf16; without such instructions it is far slower than fp32."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def keep_memory() -> None:
    """Lets glibc reuse large buffers; asking the system for fresh ones at each step costs much of a step."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.mallopt(-4, 0)  # M_MMAP_MAX: no buffer gets a mapping of its own
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD: freed memory stays with the process


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=9000)
    parser.add_argument("--minutes", type=float, help="the length of the schedule by the clock instead of by --steps")
    parser.add_argument("--begin", type=float, default=0.0, help="where in the mixture of sources to begin, 0 to 1")
    parser.add_argument("--cooldown", type=float, default=0.6, help="the share of the run in which lr falls to 0")
    parser.add_argument("--batch-tokens", type=int, default=2880)
    parser.add_argument("--lr", type=float, default=1.5e-4)
    parser.add_argument("--average", type=float, default=0.995, help="how much of the averaged weights a step keeps")
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save", type=float, default=10, help="minutes between saved states")
    parser.add_argument("--measure", type=int, default=2, help="saved states between measurements")
    parser.add_argument("--resume", action="store_true", help="go on from the state in --out, with a new schedule")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    keep_memory()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    encoder = Encoder()
    sampler = Sampler(training(args.data), encoder, rng)
    watched = [random.Random(7).sample(development(args.data, version), 100) for version in ("1.1", "2.0")]
    run = Run(args.device, args.lr, args.average, args.dropout)
    if args.resume:
        run.resume(args.out)
        rng.seed(args.seed + run.step)
        torch.manual_seed(args.seed + run.step)
    log = open(args.out / "log.jsonl", "a", buffering=1)
    start, saved, before, first = time.time(), time.time(), run.seconds, run.step
    saves, losses, progress = 0, [], 0.0
    while progress < 1.0:
        for rows in sampler.batches(args.begin + (1 - args.begin) * progress, args.batch_tokens):
            # Trapezoid: warm-up, constant, linear to zero.
            lr = args.lr * min(1.0, (run.step - first + 1) / WARMUP, (1 - progress) / args.cooldown)
            losses.append(run.learn(rows, lr))
            by_clock = args.minutes is not None
            progress = (time.time() - start) / args.minutes / 60 if by_clock else (run.step - first) / args.steps
            progress = min(1.0, progress)
            if time.time() - saved > args.save * 60 or progress >= 1.0:
                run.seconds = before + time.time() - start
                run.save(args.out)
                entry = {"step": run.step, "tokens": run.tokens, "seconds": round(run.seconds)}
                entry |= {"progress": round(progress, 3), "lr": round(lr, 7)}
                entry |= {"loss": round(torch.stack(losses).mean().item(), 4)}
                saves += 1
                if saves % args.measure == 0 or progress >= 1.0:
                    measured = Reader().to(args.device)
                    measured.load(run.best())
                    entry |= brief(measured, encoder, *watched)
                print(json.dumps(entry), flush=True)
                log.write(json.dumps(entry) + "\n")
                saved, losses = time.time(), []
            if progress >= 1.0:
                break


if __name__ == "__main__":
    main()
