"""The questions: reading them, and keeping the articles apart that are only measured on.

In:  a folder with SQuAD's dev sets (half of their articles), ten articles of its training set, SQuADShifts, QAMR and
     PolicyQA; the card names the files.
Out: `Example` objects for training, for development and for the second domain.
"""

import json
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

# These articles of SQuAD's dev sets are never trained on. Every second one of those that are in both versions, and
# every second one of those that are in version 1.1 only, in the order of their names.
HELD_OUT = frozenset({
    "Black_Death", "Ctenophora", "French_and_Indian_War", "Huguenot", "Islamism", "Packet_switching", "Rhine",
    "Steam_engine", "Yuan_dynasty",
    "Apollo_program", "Doctor_Who", "Kenya", "Newcastle_upon_Tyne", "Super_Bowl_50", "United_Methodist_Church",
})  # fmt: skip

RUN = 10  # words
SHIFTS = ("new_wiki", "reddit", "amazon_reviews")


@dataclass(frozen=True)
class Example:
    """A question on a passage. `answers` are (start, end) in characters of the passage, one for each annotator; there
    is no answer in the passage when it is empty."""

    id: str
    question: str
    passage: str
    answers: tuple[tuple[int, int], ...]
    source: str
    article: str

    @property
    def texts(self) -> list[str]:
        return [self.passage[start:end] for start, end in self.answers]

    def ask(self, question: str, id: str) -> "Example":
        """Another question on the same passage, which the passage does not answer."""
        return replace(self, question=question, answers=(), id=id)


def squad(path: Path, source: str) -> list[Example]:
    """The questions of a file in SQuAD's format, versions 1.1 and 2.0."""
    examples = []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            passage = paragraph["context"]
            for entry in paragraph["qas"]:
                answers = tuple(
                    (answer["answer_start"], answer["answer_start"] + len(answer["text"]))
                    for answer in entry["answers"]
                    if answer["text"].strip()
                )
                if all(passage[s:e] == answer["text"] for (s, e), answer in zip(answers, entry["answers"])):
                    title = article.get("title", "")
                    examples.append(Example(entry["id"], entry["question"].strip(), passage, answers, source, title))
    return examples


def training(folder: Path) -> dict[str, list[Example]]:
    """The examples to train on, by their source. Several have parts of Wikipedia: what shares a run of words with a
    held-out article is left out."""
    sources = {"squad": squad(folder / "squad-v2.0-train-10-articles.json", "squad")}
    for name in ("squad-v2.0-dev-half.json", "squad-v1.1-dev-half.json"):
        known = {example.id for example in sources["squad"]}
        added = [example for example in squad(folder / name, "squad") if example.id not in known]
        sources["squad"] += [example for example in added if example.article not in HELD_OUT]
    for name in SHIFTS:
        sources[name] = squad(folder / f"squadshifts-{name}.json", name)
    sources["qamr"] = qamr(folder)
    measured = {example.passage for version in ("1.1", "2.0") for example in development(folder, version)}
    measured = set().union(*map(runs, measured))
    passages = {example.passage for examples in sources.values() for example in examples}
    clean = {passage for passage in passages if measured.isdisjoint(runs(passage))}
    return {name: [example for example in examples if example.passage in clean] for name, examples in sources.items()}


def runs(passage: str) -> set[str]:
    """All runs of RUN words: two passages that share one have a common origin."""
    words = re.findall(r"\w+", passage.lower())
    return {" ".join(words[start : start + RUN]) for start in range(len(words) - RUN + 1)}


def development(folder: Path, version: str) -> list[Example]:
    """The questions of version `1.1` or `2.0` on the held-out articles."""
    examples = squad(folder / f"squad-v{version}-dev-half.json", "squad")
    return [example for example in examples if example.article in HELD_OUT]


def policies(folder: Path) -> list[Example]:
    """The questions on privacy policies; never trained on."""
    return squad(folder / "policyqa-dev.json", "policyqa")


# --- QAMR: questions on single sentences; the sentences are words, the answers indices of words ---

PLAIN = {
    "-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}", "``": '"', "''": '"',
}  # fmt: skip
NO_SPACE_BEFORE = frozenset(", . ; : ? ! % ) ] } '' ' -RRB- -RSB- -RCB- n't 's 're 've 'll 'd 'm 'S N'T ...".split())
NO_SPACE_AFTER = frozenset("( [ { `` $ # -LRB- -LSB- -LCB-".split())
NEIGHBOURS = 3  # a passage has at most so many sentences of the same document


def join(words: list[str]) -> tuple[str, list[tuple[int, int]]]:
    """The words as running text, and where each stands in it."""
    text, spans, glue = "", [], True
    for word in words:
        if not glue and word not in NO_SPACE_BEFORE:
            text += " "
        start = len(text)
        text += PLAIN.get(word, word)
        spans.append((start, len(text)))
        glue = word in NO_SPACE_AFTER
    return text, spans


def contiguous(field: str) -> tuple[int, int] | None:
    """First and last word of an answer such as `60:27 28 29`, if its words stand side by side."""
    words = field.rpartition(":")[2].split()
    if not words or not all(word.isdigit() for word in words):
        return None
    indices = sorted(map(int, words))
    return (indices[0], indices[-1]) if indices[-1] - indices[0] == len(indices) - 1 else None


def qamr(folder: Path) -> list[Example]:
    """QAMR's questions. The sentences of a document that have questions, in their order, make up the passages."""
    sentences = {}
    for line in (folder / "qamr-wiki-sentences.tsv").read_text(encoding="utf-8").splitlines():
        id, _, words = line.partition("\t")
        sentences[id] = join(words.split())
    documents = defaultdict(list)
    for id in sorted(sentences, key=lambda id: [(part.isdigit(), part.zfill(9)) for part in id.split(":")]):
        documents[id.rsplit(":", 2)[0]].append(id)
    passages = {}
    for ids in documents.values():
        for first in range(0, len(ids), NEIGHBOURS):
            passage = ""
            for id in ids[first : first + NEIGHBOURS]:
                passages[id] = (len(passage), ids[first])
                passage += sentences[id][0] + " "
            passages[ids[first], "text"] = passage.strip()
    examples = []
    for split in ("dev", "test"):
        lines = (folder / f"qamr-filtered-{split}.tsv").read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            id, _, _, _, _, question, *answers = line.split("\t")
            if id not in sentences:
                continue
            spans = sentences[id][1]
            found = [span for span in map(contiguous, answers) if span and span[1] < len(spans)]
            if found:
                shift, first = passages[id]
                answers = tuple((shift + spans[start][0], shift + spans[end][1]) for start, end in found)
                text = passages[first, "text"]
                document = id.rsplit(":", 2)[0]
                question = question.strip()
                examples.append(Example(f"qamr-{split}-{number}", question, text, answers, "qamr", document))
    return examples
