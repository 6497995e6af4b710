"""The tokenizer: a small SentencePiece-style BPE made for copying words from a request into JSON.

In:  training texts (to learn the vocabulary); texts and answers (to encode).
Out: token ids; the pieces, scores and types that a GGUF file stores.

Three properties make copying easy, because a word has the same tokens wherever it stands:
- A space is a token of its own and never merges with letters; neither do digits and punctuation marks.
- Every merge exists in lower case, Capitalised and in UPPER CASE with the same score, so the three spellings of a word
  are cut at the same places, and the model can share what it knows of them (see model.py).
- The JSON around the values consists of whole pieces, `,"city":"` for example. No merge leads to them, so no request
  contains them, whatever a user types.
"""

import json
import re
from collections import Counter
from pathlib import Path

from data import Request

UNKNOWN, BEGIN, END, REQUEST, AGAIN, JSON = range(6)
CONTROLS = ("<unk>", "<s>", "</s>", "<|request|>", "<|again|>", "<|json|>")
SPACE = "\u2581"
WORD = re.compile(r"[^\W\d_]+|.", re.DOTALL)
# Letters that are frequent enough in the data, or in names in general, to be no byte sequence.
LETTERS = "abcdefghijklmnopqrstuvwxyzáàâäãåæçéèêëíìîïñóòôöõøúùûüýßō"
MARKS = "!\"#$%&'()*+,-./0123456789:;<=>?@[\\]^_`{|}~’‘“”–—…¡¿°£€"
# Types of tokens in a GGUF file.
NORMAL, UNKNOWN_TYPE, CONTROL, BYTE = 1, 2, 3, 6
# Case classes of a piece, the second part of its embedding.
LOWER, CAPITALISED, UPPER = range(3)


class Tokenizer:
    """Pieces in the order of their ids. `merges` are the lower-case merged pieces, the most frequent first."""

    def __init__(self, merges: list[str], intents: list[str], slots: list[str]):
        self.merges, self.intents, self.slots = merges, intents, slots
        self.pieces: list[str] = []
        self.scores: list[float] = []
        self.types: list[int] = []
        self.base: list[int] = []  # the id of the piece's lower-case form
        self.case: list[int] = []
        self.ids: dict[str, int] = {}
        for piece in CONTROLS:
            self._add(piece, 0.0, UNKNOWN_TYPE if piece == "<unk>" else CONTROL)
        self.first_byte = len(self.pieces)
        for byte in range(256):
            self._add(f"<0x{byte:02X}>", 0.0, BYTE)
        # A merge of a lower rank is preferred, as in SentencePiece: the score is the negative rank.
        for rank, piece in enumerate([SPACE, *MARKS, *LETTERS, *merges]):
            for case, form in enumerate((piece, piece[:1].upper() + piece[1:], piece.upper())):
                if form not in self.ids and len(form) == len(piece):
                    self._add(form, -float(rank), NORMAL, piece, case)
        self.first_syntax = len(self.pieces)
        score = -float(len(self.pieces))
        for piece in (
            *(f'{{"intent":"{intent}"' for intent in intents),
            *(f',"{slot}":"' for slot in slots),
            *(f',"{slot}":["' for slot in slots),
            '","',
        ):
            self._add(piece, score, NORMAL)
        self._words: dict[str, list[int]] = {}

    def _add(self, piece: str, score: float, kind: int, lower: str | None = None, case: int = LOWER) -> None:
        self.ids[piece] = len(self.pieces)
        self.base.append(self.ids[lower or piece])
        self.case.append(case)
        self.pieces.append(piece)
        self.scores.append(score)
        self.types.append(kind)

    def encode(self, text: str) -> list[int]:
        """The ids of a plain text; no control token and no JSON piece comes out of it."""
        ids = []
        for word in WORD.findall(text):
            if word not in self._words:
                self._words[word] = self._encode_word(word.replace(" ", SPACE))
            ids += self._words[word]
        return ids

    def _encode_word(self, word: str) -> list[int]:
        """Joins the neighbours with the best score until none can be joined: llama.cpp's SPM algorithm."""
        symbols = list(word)
        while len(symbols) > 1:
            joined = [self.ids.get(a + b) for a, b in zip(symbols, symbols[1:])]
            best = max(range(len(joined)), key=lambda i: float("-inf") if joined[i] is None else self.scores[joined[i]])
            if joined[best] is None:
                break
            symbols[best : best + 2] = [symbols[best] + symbols[best + 1]]
        ids = []
        for symbol in symbols:
            if symbol in self.ids:
                ids.append(self.ids[symbol])
            else:
                ids += (self.first_byte + byte for byte in symbol.encode())
        return ids

    def encode_prompt(self, text: str) -> list[int]:
        """What the chat template makes of a request; its second copy is read with knowledge of the whole."""
        ids = self.encode(text)
        return [REQUEST, *ids, AGAIN, *ids, JSON]

    def encode_answer(self, request: Request) -> list[int]:
        """The ids of the request's JSON and the token that ends it."""
        quote = self.ids['"']
        ids = [self.ids[f'{{"intent":"{request.intent}"']]
        for slot, values in request.slots.items():
            several = len(values) > 1
            ids.append(self.ids[f',"{slot}":["' if several else f',"{slot}":"'])
            for index, value in enumerate(values):
                if index:
                    ids.append(self.ids['","'])
                ids += self._encode_string(value)
            ids.append(quote)
            if several:
                ids.append(self.ids["]"])
        return [*ids, self.ids["}"], END]

    def _encode_string(self, value: str) -> list[int]:
        """The ids of a JSON string without its quotes; an escape never joins the letters after it."""
        ids = []
        for part in re.split(r'(["\\\x00-\x1f])', value):
            escaped = json.dumps(part, ensure_ascii=False)[1:-1]
            ids += self.encode(part) if escaped == part else [self.ids[sign] for sign in escaped]
        return ids

    def decode(self, ids: list[int]) -> str:
        """The text of the ids; control tokens are left out."""
        data = bytearray()
        for id in ids:
            if self.types[id] == BYTE:
                data.append(id - self.first_byte)
            elif self.types[id] == NORMAL:
                data += self.pieces[id].replace(SPACE, " ").encode()
        return data.decode("utf-8", "replace")

    def save(self, path: str | Path) -> None:
        content = {"merges": self.merges, "intents": self.intents, "slots": self.slots}
        Path(path).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @staticmethod
    def load(path: str | Path) -> "Tokenizer":
        return Tokenizer(**json.loads(Path(path).read_text(encoding="utf-8")))


def learn(requests: list[Request], merges: int) -> Tokenizer:
    """Learns the merges from the lower-case words of the requests.

    A word counts by the square root of its frequency: names are many and rare."""
    counts = Counter()
    for request in requests:
        counts.update(word for word in WORD.findall(request.text.lower()) if word[0] in LETTERS)
    words = {word: (list(word), count**0.5) for word, count in counts.items() if set(word) <= set(LETTERS)}
    learned: list[str] = []
    while len(learned) < merges:
        pairs = Counter()
        for symbols, weight in words.values():
            for a, b in zip(symbols, symbols[1:]):
                pairs[a, b] += weight
        if not pairs:
            break
        (a, b), _ = max(pairs.items(), key=lambda item: (item[1], item[0]))
        if a + b not in learned:
            learned.append(a + b)
        for symbols, _ in words.values():
            i = 0
            while i + 1 < len(symbols):
                if symbols[i] == a and symbols[i + 1] == b:
                    symbols[i : i + 2] = [a + b]
                i += 1
    intents = sorted({request.intent for request in requests})
    slots = sorted({slot for request in requests for slot in request.slots})
    return Tokenizer(learned, intents, slots)
