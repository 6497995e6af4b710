"""The SNIPS requests: reading and splitting them.

In:  a folder with `train_<Intent>_full.json`, one file for each of the seven intents (sonos/nlu-benchmark, CC0).
Out: `Request` objects, split into training, development and test requests.
"""

import json
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

HELD_OUT_PER_INTENT = 100
SPLIT_SEED = 2018


@dataclass(frozen=True)
class Request:
    """One request: the intent and the text, cut into (text, slot name or None) segments."""

    intent: str
    segments: tuple[tuple[str, str | None], ...]

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.segments)

    @property
    def slots(self) -> dict[str, list[str]]:
        """Slot name to its values, both in the order of the text."""
        slots = defaultdict(list)
        for text, slot in self.segments:
            if slot and text.strip():
                slots[slot].append(text.strip())
        return dict(slots)

    @property
    def answer(self) -> str:
        """The JSON to write. A slot that occurs more than once has an array as its value."""
        slots = {slot: values if len(values) > 1 else values[0] for slot, values in self.slots.items()}
        return json.dumps({"intent": self.intent, **slots}, ensure_ascii=False, separators=(",", ":"))

    def map(self, change) -> "Request":
        """The request with `change` applied to the text of every segment."""
        return Request(self.intent, tuple((change(text), slot) for text, slot in self.segments))


def load(folder: str | Path) -> list[Request]:
    """All requests of the folder, in the order of the files."""
    requests = []
    for path in sorted(Path(folder).glob("train_*_full.json")):
        # One file holds an emoji as two UTF-8 encoded surrogates (CESU-8); the detour by UTF-16 joins them.
        text = path.read_bytes().decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16")
        for intent, entries in json.loads(text).items():
            for entry in entries:
                segments = [(part["text"], part.get("entity")) for part in entry["data"]]
                requests.append(strip(Request(intent, tuple(segments))))
    if not requests:
        raise SystemExit(f"no train_*_full.json in {folder}")
    return requests


def strip(request: Request) -> Request:
    """The request without white space at either end of its text and without empty segments."""
    segments = [list(segment) for segment in request.segments]
    while segments and not segments[0][0].strip():
        segments.pop(0)
    while segments and not segments[-1][0].strip():
        segments.pop()
    if segments:
        segments[0][0] = segments[0][0].lstrip()
        segments[-1][0] = segments[-1][0].rstrip()
    return Request(request.intent, tuple((text, slot) for text, slot in segments if text))


def split(requests: list[Request]) -> tuple[list[Request], list[Request], list[Request]]:
    """(training, development, test): 100 requests of each intent in either held-out part.

    Requests that differ in case and spacing only count as one; no text is in two parts."""

    def key(request):
        return " ".join(request.text.lower().split())

    rng = random.Random(SPLIT_SEED)
    by_intent = defaultdict(dict)
    for request in requests:
        by_intent[request.intent].setdefault(key(request), request)
    development, test = [], []
    for intent in sorted(by_intent):
        chosen = rng.sample(list(by_intent[intent].values()), 2 * HELD_OUT_PER_INTENT)
        development += chosen[:HELD_OUT_PER_INTENT]
        test += chosen[HELD_OUT_PER_INTENT:]
    held_out = {key(request) for request in development + test}
    return [request for request in requests if key(request) not in held_out], development, test
