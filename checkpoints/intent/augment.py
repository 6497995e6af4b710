"""Augmentation: turns a training request into a slightly different one that has an equally certain answer.

In:  training requests and a random number generator.
Out: requests with values of the same type swapped in, other casing and punctuation, typing mistakes, and words around.
"""

import random
import re
from collections import defaultdict

from data import Request, strip

# Values of these types are names or titles: any words can stand in them.
OPEN_SLOTS = frozenset(
    "album artist entity_name movie_name object_name playlist restaurant_name track location_name "
    "served_dish geographic_poi poi object_part_of_series_type".split()
)

# What people say around a request; it carries no slot.
OPENINGS = (
    "please", "hey", "hi", "hello", "hi there", "hey there", "ok", "okay", "so", "well", "um", "now", "alright",
    "could you", "can you", "would you", "can you please", "could you please", "would you mind", "i want you to",
    "i need you to", "i'd like you to", "good morning", "good evening", "listen", "quick question",
    "when you get a chance", "if you can", "do me a favor and", "hey assistant", "help me out here",
)
CLOSINGS = (
    "please", "thanks", "thank you", "thank you so much", "thanks a lot", "if you can", "ok", "okay", "cheers",
    "would you", "will you", "could you please", "for me please", "if that's alright", "that would be great",
)
CHATTER = (
    "i had such a long day", "my sister told me about this and i can't stop thinking of it", "what a mess it has been",
    "i hope you are doing well", "we finally have some free time", "sorry for asking so much of you",
    "everybody here is waiting for me to decide", "i am not sure how this works but let us try",
    "the kids are loud and i can barely hear myself", "i just got home and took my shoes off",
    "you were really helpful the last time", "my phone is almost out of battery so be quick",
    "there is nothing else to do anyway", "we were arguing about it all afternoon",
)

# The crowd that wrote the data hardly ever named a part of a day: "tomorrow night" does not occur.
DAYS = (
    "today", "tomorrow", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "next monday",
    "this friday", "next tuesday", "this saturday", "the day after tomorrow", "christmas eve",
)
PARTS = ("morning", "afternoon", "evening", "night")

NEIGHBOURS = {
    "a": "qsz", "b": "vgn", "c": "xvd", "d": "sfe", "e": "wrd", "f": "dgr", "g": "fht", "h": "gjy", "i": "uok",
    "j": "hku", "k": "jli", "l": "kop", "m": "nj", "n": "bmh", "o": "ipl", "p": "ol", "q": "wa", "r": "etf",
    "s": "adw", "t": "ryg", "u": "yij", "v": "cbf", "w": "qes", "x": "zcs", "y": "tuh", "z": "xas",
}


class Augmenter:
    """Makes training requests out of training requests; every change keeps the answer certain."""

    def __init__(self, training: list[Request], rng: random.Random, swap: float = 0.4, blend: float = 0.15):
        self.rng = rng
        self.swap = swap
        self.blend = blend
        self.calm = 1.0  # scales how often a request is changed; the last steps of the training lower it
        values = defaultdict(list)
        for request in training:
            for slot, found in request.slots.items():
                values[slot] += found
        # Every other draw gives rare values the same chance as frequent ones.
        self.values = dict(values)
        self.distinct = {slot: sorted(set(found)) for slot, found in values.items()}

    def __call__(self, request: Request) -> Request:
        chance = lambda: self.rng.random() / self.calm
        if chance() < 0.75:
            request = self.swap_values(request)
        if self.rng.random() < 0.4:
            request = self.retime(request)
        if chance() < 0.05:
            request = self.quote_values(request)
        if chance() < 0.08:
            request = self.add_chatter(request)
        request = self.end(request)
        request = self.case(request)
        if chance() < 0.15:
            request = self.loosen_punctuation(request)
        if chance() < 0.12:
            request = self.misspell(request)
        if chance() < 0.01:
            request = request.map(self.odd_space)
        return request if chance() < 0.03 else strip(request)

    def value(self, slot: str) -> str:
        pool = self.values if self.rng.random() < 0.5 else self.distinct
        return self.rng.choice(pool[slot])

    def swap_values(self, request: Request) -> Request:
        """Puts another value of the same type in place of some values."""
        segments = []
        for text, slot in request.segments:
            if slot in self.values and self.rng.random() < self.swap:
                value = self.value(slot)
                if slot in OPEN_SLOTS and self.rng.random() < self.blend:
                    value = self.blended(value, self.value(slot))
                # White space at the ends of a segment belongs to the sentence.
                text = text[: len(text) - len(text.lstrip())] + value + text[len(text.rstrip()):]
            segments.append((text, slot))
        return Request(request.intent, tuple(segments))

    def retime(self, request: Request) -> Request:
        """Puts a time of day in place of a time."""
        pick, segments = self.rng.choice, []
        for text, slot in request.segments:
            if slot == "timeRange":
                clock = f"{self.rng.randint(1, 12)}{pick(('', ':15', ':30'))} {pick(('am', 'pm'))}"
                time = pick((f"{pick(DAYS)} {pick(PARTS)}", f"this {pick(PARTS)}", f"{pick(DAYS)} at {clock}", pick(DAYS),
                             f"{pick(DAYS)} {pick(PARTS)}", "tonight", "this weekend", f"{clock} {pick(DAYS)}"))
                text = text[: len(text) - len(text.lstrip())] + time + text[len(text.rstrip()):]
            segments.append((text, slot))
        return Request(request.intent, tuple(segments))

    def blended(self, first: str, second: str) -> str:
        """A name that nobody has heard: the beginning of one and the end of another."""
        first, second = first.split(), second.split()
        return " ".join(first[: self.rng.randint(1, len(first))] + second[self.rng.randint(0, len(second) - 1):])

    def quote_values(self, request: Request) -> Request:
        """Quotation marks around titles (no part of the value) or, now and then, within (part of it)."""
        segments = []
        inside = self.rng.random() < 0.25
        for text, slot in request.segments:
            value = text.strip()
            if slot not in OPEN_SLOTS or not value:
                segments.append((text, slot))
            elif inside:
                words = value.split(" ")
                at = self.rng.randrange(len(words))
                words[at] = self.rng.choice(('"%s"', '%s"', "\\%s")).replace("%s", words[at])
                segments.append((text.replace(value, " ".join(words)), slot))
            else:
                left, right = self.rng.choice(('""', '""', "''", "“”"))
                head, _, tail = text.partition(value)
                segments += [(head + left, None), (value, slot), (right + tail, None)]
        return Request(request.intent, tuple(segments))

    def add_chatter(self, request: Request) -> Request:
        """Words before and after the request, now and then many of them."""
        pick = self.rng.choice
        segments = list(request.segments)
        comma = pick((" ", " ", ", "))
        kind = self.rng.random()
        if kind < 0.85:
            if kind < 0.5:
                segments.insert(0, (pick(OPENINGS) + comma, None))
            if kind > 0.35:
                segments = self.without_final_mark(segments)
                segments.append((comma + pick(CLOSINGS), None))
        else:
            stop = pick((". ", " and ", " ", ", "))
            for _ in range(self.rng.randint(1, 4)):
                if self.rng.random() < 0.6:
                    segments.insert(0, (pick(CHATTER) + stop, None))
                else:
                    segments = self.without_final_mark(segments)
                    segments.append((stop + pick(CHATTER), None))
        return Request(request.intent, tuple(segments))

    @staticmethod
    def without_final_mark(segments: list) -> list:
        if segments and segments[-1][1] is None:
            return segments[:-1] + [(segments[-1][0].rstrip(" .!?,"), None)]
        return segments

    def end(self, request: Request) -> Request:
        """Ends the request with a mark or without one."""
        kind = self.rng.random()
        if kind < 0.35:
            return request
        segments = self.without_final_mark(list(request.segments))
        if kind > 0.70:
            (mark,) = self.rng.choices((".", "?", "!", " .", " ?", "...", "??"), (12, 7, 4, 1, 1, 1, 1))
            segments.append((mark, None))
        return Request(request.intent, tuple(segments))

    def case(self, request: Request) -> Request:
        kind = self.rng.random()
        if kind < 0.20:
            return request
        if kind < 0.65:
            return request.map(str.lower)
        if kind < 0.75:
            return capitalised(request)
        if kind < 0.85:
            return capitalised(request.map(str.lower))
        if kind < 0.92:
            return request.map(str.upper)
        return request.map(lambda text: re.sub(r"[^\W\d_]+", lambda word: word.group().capitalize(), text))

    def loosen_punctuation(self, request: Request) -> Request:
        """Apostrophes, commas and full stops left out or set apart, as in speech transcripts and tokenized corpora."""
        kind = self.rng.randrange(3)
        if kind == 0:
            change = lambda text: re.sub(r"['’.,!?;:\"]", " ", text)
        elif kind == 1:
            change = lambda text: re.sub(r"['’.,!?;:\"]", "", text)
        else:
            change = lambda text: re.sub(r"([.,!?;:\"]|['’]s\b)", r" \1 ", text)
        return request.map(lambda text: re.sub(r"\s+", " ", change(text)))

    def misspell(self, request: Request) -> Request:
        """One or two wrong letters; a wrong letter in a value is part of the value."""
        for _ in range(1 if self.rng.random() < 0.8 else 2):
            request = misspelled(request, self.rng)
        return request

    def odd_space(self, text: str) -> str:
        return re.sub(" ", lambda _: self.rng.choice(("  ", " ", " ", "\n", "\t")), text)


def capitalised(request: Request) -> Request:
    """The request with its first letter in upper case."""
    (text, slot), *rest = request.segments
    return Request(request.intent, ((text[:1].upper() + text[1:], slot), *rest))


def misspelled(request: Request, rng: random.Random) -> Request:
    """The request with one letter dropped, doubled, swapped with the next one or replaced by a neighbouring key."""
    places = [
        (index, at)
        for index, (text, _) in enumerate(request.segments)
        for word in re.finditer(r"[^\W\d_]{4,}", text)
        for at in range(word.start(), word.end() - 1)
    ]
    if not places:
        return request
    index, at = rng.choice(places)
    segments = list(request.segments)
    text, slot = segments[index]
    first, second = text[at], text[at + 1]
    wrong = rng.choice(NEIGHBOURS.get(first.lower(), "e"))
    wrong = wrong.upper() if first.isupper() else wrong
    pair = rng.choice((second, first + first + second, second + first, wrong + second))
    segments[index] = (text[:at] + pair + text[at + 2 :], slot)
    return Request(request.intent, tuple(segments))
