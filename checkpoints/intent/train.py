"""Training: from the SNIPS files to a checkpoint.

In:  `--data`, the folder with the train_*_full.json files.
Out: `--out`, a folder with tokenizer.json, model.pt (shape and tensors), log.jsonl, and state.pt to go on from.

    python train.py --data snips --out run
"""

import argparse
import ctypes
import dataclasses
import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

import tokenizer as tokens
from augment import Augmenter
from data import Request, load, split
from model import Model, Shape
from tokenizer import Tokenizer

MULTI_TURN = 0.06  # the share of examples that follow an earlier turn of a conversation, or several
BEGIN = 0.04  # the share that starts with <s>, as runtimes that always add it would have it
WARMUP = 50  # steps
CALM = 0.3  # how often requests are changed in the last steps, compared with before
GIVEN, AGAIN, ANSWER = range(3)  # kinds of tokens: only read, the request's second copy, the JSON to write


def example(request: Request, tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """The ids of one turn and the kind of each."""
    prompt, answer = tokenizer.encode_prompt(request.text), tokenizer.encode_answer(request)
    again = prompt.index(tokens.AGAIN) + 1
    kinds = [GIVEN] * again + [AGAIN] * (len(prompt) - 1 - again) + [GIVEN] + [ANSWER] * len(answer)
    return prompt + answer, kinds


def batches(
    requests: list[Request], augment: Augmenter, tokenizer: Tokenizer, rng: random.Random, batch_tokens: int
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """One pass over the requests, augmented: (ids, next ids, kinds of the next ids) of about `batch_tokens` each."""
    rows = []
    for request in requests:
        ids, kinds = example(augment(request), tokenizer)
        while rng.random() < MULTI_TURN:
            before = example(augment(rng.choice(requests)), tokenizer)
            ids, kinds = before[0] + ids, before[1] + kinds
        if rng.random() < BEGIN:
            ids, kinds = [tokens.BEGIN, *ids], [GIVEN, *kinds]
        rows.append((ids[: Shape.context], kinds[: Shape.context]))
    # Rows of similar length share a batch; the jitter makes the batches differ from pass to pass.
    rows.sort(key=lambda row: len(row[0]) + rng.random() * 6)
    groups, group = [], []
    for row in rows:
        if group and (len(group) + 1) * max(len(row[0]), len(group[-1][0])) > batch_tokens:
            groups.append(group)
            group = []
        group.append(row)
    groups.append(group)
    rng.shuffle(groups)
    yield from map(padded, groups)


def padded(rows: list[tuple[list[int], list[int]]]) -> tuple[Tensor, Tensor, Tensor]:
    length = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([ids + [tokens.END] * (length - len(ids)) for ids, _ in rows])
    kinds = torch.tensor([kinds + [GIVEN] * (length - len(kinds)) for _, kinds in rows])
    return ids[:, :-1], ids[:, 1:], kinds[:, 1:]


@torch.no_grad()
def measure(model: Model, requests: list[Request], tokenizer: Tokenizer) -> dict[str, float]:
    """The share of requests whose whole answer, and whose intent, comes out right.

    When every token of the right answer is the likeliest one given those before it, greedy decoding writes it; so one
    pass without decoding measures exact matches."""
    model.eval()
    exact = intents = 0
    rows = sorted((example(request, tokenizer) for request in requests), key=lambda row: len(row[0]))
    for start in range(0, len(rows), 50):
        ids, targets, kinds = padded(rows[start : start + 50])
        answer = kinds == ANSWER
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(ids, answer)
        right = torch.ones(kinds.shape, dtype=torch.bool)
        right[answer] = logits.argmax(-1) == targets[answer]
        exact += right.all(1).sum().item()
        intents += right[torch.arange(len(ids)), answer.int().argmax(1)].sum().item()
    model.train()
    return {"exact": exact / len(rows), "intent": intents / len(rows)}


def loss_of(model: Model, ids: Tensor, targets: Tensor, kinds: Tensor, request_weight: float) -> Tensor:
    """Cross-entropy of the answer, and with a small weight of the request's second copy: that teaches copying."""
    weights = torch.tensor([0.0, request_weight, 1.0])[kinds]
    chosen = weights > 0
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(ids, chosen)
    losses = F.cross_entropy(logits.float(), targets[chosen], reduction="none")
    return (losses * weights[chosen]).sum() / weights.sum()


def optimizers_of(model: Model, lr: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the blocks, AdamW for the embedding and the norms."""
    matrices = [parameter for parameter in model.blocks.parameters() if parameter.ndim == 2]
    others = [parameter for name, parameter in model.named_parameters() if parameter.ndim != 2 or "embedding" in name]
    return [
        torch.optim.Muon(matrices, lr=lr, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=lr, weight_decay=0.0, betas=(0.9, 0.98), fused=True),
    ]


def keep_memory() -> None:
    """Lets glibc reuse large buffers; asking the system for fresh ones at each step doubles the time of a step."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.mallopt(-4, 0)  # M_MMAP_MAX: no buffer gets a mapping of its own
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD: freed memory stays with the process


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=3250)
    parser.add_argument("--cooldown", type=float, default=0.51, help="the share of the steps in which lr falls to 0")
    parser.add_argument("--polish", type=int, default=650, help="for so many steps at the end requests change rarely")
    parser.add_argument("--batch-tokens", type=int, default=6144)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--request-weight", type=float, default=0.1, help="the weight of the request's second copy")
    parser.add_argument("--request-steps", type=int, default=400, help="for so many steps the copy has a weight")
    parser.add_argument("--merges", type=int, default=1500, help="lower-case merges of the tokenizer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=int, default=100, help="steps between measurements and saved states")
    parser.add_argument("--resume", action="store_true", help="go on from the state in --out")
    for field in dataclasses.fields(Shape):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=field.type, default=field.default)
    return parser.parse_args()


def main() -> None:
    args = arguments()
    keep_memory()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    training, development, _ = split(load(args.data))
    lowered = [request.map(str.lower) for request in development]

    vocabulary = args.out / "tokenizer.json"
    tokenizer = Tokenizer.load(vocabulary) if args.resume else tokens.learn(training, args.merges)
    tokenizer.save(vocabulary)
    shape = Shape(**{field.name: getattr(args, field.name) for field in dataclasses.fields(Shape)})
    model = Model(shape, tokenizer.base, tokenizer.case, args.dropout)
    model.body = torch.compile(model.body, dynamic=True)
    optimizers = optimizers_of(model, args.lr)
    augment = Augmenter(training, rng)

    step = passes = 0
    start = time.time()
    if args.resume:
        state = torch.load(args.out / "state.pt")
        model.load_state_dict(state["model"])
        for optimizer, saved in zip(optimizers, state["optimizers"]):
            optimizer.load_state_dict(saved)
        step, passes, start = state["step"], state["pass"], start - state["seconds"]
        rng.seed(args.seed + step)
        torch.manual_seed(args.seed + step)
    log = open(args.out / "log.jsonl", "a", buffering=1)
    while step < args.steps:
        passes += 1
        augment.calm = 1.0 if step < args.steps - args.polish else CALM
        for ids, targets, kinds in batches(training, augment, tokenizer, rng, args.batch_tokens):
            # Trapezoid: warm-up, constant, linear to zero.
            lr = args.lr * min(1.0, (step + 1) / WARMUP, (args.steps - step) / (args.steps * args.cooldown))
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = lr
            loss = loss_of(model, ids, targets, kinds, args.request_weight if step < args.request_steps else 0.0)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            step += 1
            if step % args.every == 0 or step == args.steps:
                seconds = time.time() - start
                entry = {"step": step, "pass": passes, "lr": round(lr, 6), "loss": round(loss.item(), 4)}
                entry |= {"seconds": round(seconds), **measure(model, lowered, tokenizer)}
                print(json.dumps(entry), flush=True)
                log.write(json.dumps(entry) + "\n")
                state = {"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers]}
                torch.save(state | {"step": step, "pass": passes, "seconds": seconds}, args.out / "state.pt")
                checkpoint = {"shape": dataclasses.asdict(shape), "tensors": model.tensors()}
                torch.save(checkpoint, args.out / "model.pt")
            if step == args.steps:
                break


if __name__ == "__main__":
    main()
