"""Questions that a passage does not answer, made from those that it does.

In:  examples with answers.
Out: the same question on a passage like its own (`Lookalikes`), or a question of which a name, a number or a word was
     exchanged (`Twister`).
"""

import random
import re
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np

from data import Example

WORD = re.compile(r"\w+")
K1, B = 1.2, 0.75  # of BM25


class Lookalikes:
    """For a question, passages that share many words with it and do not have the answer: BM25 over the passages of the
    same article, or of the same source where articles are short."""

    def __init__(self, examples: list[Example], by_article: bool):
        self.room = (lambda example: example.article) if by_article else (lambda example: example.source)
        rooms = defaultdict(dict)
        for example in examples:
            rooms[self.room(example)].setdefault(example.passage, None)
        self.rooms = {name: Index(list(passages)) for name, passages in rooms.items()}

    def of(self, example: Example, top: int = 3) -> list[str]:
        """At most `top` passages, the most similar first."""
        texts = [text.lower() for text in example.texts]
        found = []
        for passage in self.rooms[self.room(example)].ranked(example.question, top + 8):
            lower = passage.lower()
            if passage != example.passage and not any(text in lower for text in texts):
                found.append(passage)
        return found[:top]


class Index:
    def __init__(self, passages: list[str]):
        self.passages = passages
        counts = [Counter(word.lower() for word in WORD.findall(passage)) for passage in passages]
        lengths = np.array([sum(count.values()) for count in counts], dtype=np.float32)
        norms = K1 * (1 - B + B * lengths / max(lengths.mean(), 1))
        postings = defaultdict(list)
        for number, count in enumerate(counts):
            for word, times in count.items():
                postings[word].append((number, times))
        self.postings = {}
        for word, entries in postings.items():
            numbers, times = np.array(entries).T
            idf = np.log(1 + (len(passages) - len(entries) + 0.5) / (len(entries) + 0.5))
            self.postings[word] = (numbers, idf * times * (K1 + 1) / (times + norms[numbers]))

    def ranked(self, question: str, top: int) -> list[str]:
        scores = np.zeros(len(self.passages), dtype=np.float32)
        for word in {word.lower() for word in WORD.findall(question)}:
            if word in self.postings:
                numbers, gains = self.postings[word]
                scores[numbers] += gains
        best = np.argsort(-scores, kind="stable")[:top]
        return [self.passages[number] for number in best if scores[number] > 0]


OPPOSITES = """
first last|largest smallest|highest lowest|biggest smallest|most least|more fewer|more less|before after|above below
north south|east west|northern southern|eastern western|increase decrease|increased decreased|rise fall|rose fell
male female|men women|king queen|father mother|son daughter|brother sister|husband wife|early late|earliest latest
oldest youngest|older younger|maximum minimum|begin end|began ended|start stop|started stopped|open close|opened closed
won lost|win lose|accept reject|accepted rejected|allowed forbidden|support oppose|supported opposed|inside outside
upper lower|major minor|majority minority|public private|winter summer|left right|long short|longest shortest
hot cold|strong weak|rich poor|good bad|best worst|like hate|love hate|easy difficult|cheap expensive|buy sell
birth death|born died|add remove|gain lose|gained lost|join leave|joined left|enter leave|always never|same different
positive negative|high low|higher lower|larger smaller|better worse|newest oldest|success failure|day night
import export|attack defend|attacked defended|ally enemy|allies enemies|create destroy|created destroyed
""".replace("\n", "|").split("|")  # fmt: skip
OPPOSITE = defaultdict(list)
for pair in filter(None, (pair.strip() for pair in OPPOSITES)):
    one, other = pair.split()
    OPPOSITE[one].append(other)
    OPPOSITE[other].append(one)

NAME = re.compile(r"(?<=[\w,'’] )[A-Z][\w.'’-]*\w(?: (?:of |the |de |van )?[A-Z][\w.'’-]*\w)*")
NUMBER = re.compile(r"(?<![\w.,-])\d[\d,.]*\d(?!\w)|(?<![\w.,-])\d(?![\w.,]\w)")
VERB = re.compile(r"\b(did|does|do|was|were|is|are|can|could|will|would|has|have|had)\b")
YEAR = re.compile(r"1\d{3}|20\d\d")


class Twister:
    """Changes a question such that its passage does not answer it any more."""

    def __init__(self, examples: list[Example]):
        self.names = defaultdict(set)
        for example in examples:
            self.names[example.article].update(NAME.findall(example.passage))
            self.names[example.source].update(NAME.findall(example.question))
        self.names = {place: sorted(names) for place, names in self.names.items()}

    def twist(self, example: Example, rng: random.Random) -> Example | None:
        ways = [self.exchange_name, self.exchange_number, self.exchange_word]
        rng.shuffle(ways)
        for way in [*ways, self.deny]:
            question = way(example, rng)
            if question and question != example.question:
                return example.ask(question, example.id + "-twisted")
        return None

    def exchange_name(self, example: Example, rng: random.Random) -> str | None:
        """Another name of the passage, or of the article, in place of one that the passage has too."""
        found = [match for match in NAME.finditer(example.question) if match[0] in example.passage]
        if not found:
            return None
        match = rng.choice(found)
        near = NAME.findall(example.passage)
        pool = near if near and rng.random() < 0.5 else self.names[example.article]
        words = set(WORD.findall(match[0].lower()))
        texts = " ".join(example.texts).lower()
        for other in rng.sample(pool, min(6, len(pool))):
            apart = not words & set(WORD.findall(other.lower())) and other.lower() not in texts
            if apart and other not in example.question:
                return replaced(example.question, match, other)
        return None

    def exchange_number(self, example: Example, rng: random.Random) -> str | None:
        found = list(NUMBER.finditer(example.question))
        if not found:
            return None
        match = rng.choice(found)
        year = bool(YEAR.fullmatch(match[0]))
        others = [n for n in NUMBER.findall(example.passage) if n != match[0] and bool(YEAR.fullmatch(n)) == year]
        others = [number for number in others if number not in " ".join(example.texts)]
        if others and rng.random() < 0.6:
            return replaced(example.question, match, rng.choice(others))
        if not match[0].isdigit():
            return None
        value = int(match[0])
        near = [1, 2, 3, 5, 10, 20, 50] if year else [max(1, round(value * part)) for part in (0.1, 0.3, 0.5, 1, 2)]
        step = rng.choice(near)
        other = value + step if value <= step or rng.random() < 0.5 else value - step
        return replaced(example.question, match, str(other))

    def exchange_word(self, example: Example, rng: random.Random) -> str | None:
        """The opposite of a word."""
        question = example.question
        found = [match for match in WORD.finditer(question) if match[0] in OPPOSITE]
        found = [match for match in found if not question[: match.start()].lower().endswith("how ")]
        if not found:
            return None
        match = rng.choice(found)
        return replaced(question, match, rng.choice(OPPOSITE[match[0]]))

    def deny(self, example: Example, rng: random.Random) -> str | None:
        """`did` becomes `didn't`; rarely, or else a negation alone would tell."""
        match = VERB.search(example.question)
        if not match or rng.random() > 0.1:
            return None
        negated = {"can": "can't", "will": "won't"}.get(match[0], match[0] + "n't")
        return replaced(example.question, match, negated)


def replaced(text: str, match: re.Match, other: str) -> str:
    return text[: match.start()] + other + text[match.end() :]


def elsewhere(example: Example, passage: str) -> Example:
    """The question on another passage, which does not answer it."""
    return replace(example, passage=passage, answers=(), id=example.id + "-elsewhere")
