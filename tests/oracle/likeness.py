"""Two texts side by side: their sentences, and how much of them is the same words in the same order."""

import re
from collections import Counter

MOST = 3_000
# From here on, scripts stand without spaces, and each letter is a word.
WITHOUT_SPACES = "\u2e80"
STOP = re.compile("[。！？]|[.!?](?P<closing>[\"'”’)\\]*_»]*)(?=\\s|$)")
# Behind these a point ends no sentence.
ABBREVIATIONS = set(
    "e.g i.e etc vs cf approx no st mr mrs ms dr prof inc ltd corp co llc bros jr sr u.s u.k a.m p.m fig vol "
    "z.b bzw ca usw".split()
)


def sentences(text):
    """The sentences of a text: bounded by lines and by stops, rows of tables whole, none without letter or digit."""
    found = []
    for row in text.split("\n"):
        begin = 0
        if not row.lstrip().startswith("|"):
            for stop in STOP.finditer(row):
                if not goes_on(row, stop):
                    found.append(row[begin : stop.end()])
                    begin = stop.end()
        found.append(row[begin:])
    return [part.strip() for part in found if any(c.isalnum() for c in part)]


def goes_on(row, stop):
    """Is this point no end: of an abbreviation, an initial, an item's number, or before a small letter?"""
    if stop.group()[0] != ".":
        return False
    if row[stop.end() :].lstrip()[:1].islower():
        return True
    word = re.search(r"(?:[^\W_]|\.)*$", row[: stop.start()]).group()
    numbers_item = word.isdecimal() and not row[: stop.start() - len(word)].strip(" \t*#")
    return len(word) == 1 and word.isupper() or numbers_item or word.lower() in ABBREVIATIONS


def counted_words(text):
    """The words that are compared, without letter case and punctuation."""
    found = []
    for part in re.findall(r"[^\W_]+", text):
        found += re.findall(f"[{WITHOUT_SPACES}-\U0010ffff]|[^{WITHOUT_SPACES}-\U0010ffff]+", part.lower())
    return found[:MOST]


def common(one, other):
    """How many items two lists share in the same order: the longest common subsequence, by the table."""
    before = [0] * (len(other) + 1)
    for item in one:
        now = [0]
        for place, same in enumerate(other):
            now.append(before[place] + 1 if item == same else max(now[place], before[place + 1]))
        before = now
    return before[-1]


def likeness(one, other):
    """Twice the words that two texts share in order, of the words of both; None of texts without words."""
    one, other = counted_words(one), counted_words(other)
    every = len(one) + len(other)
    return 2 * common(one, other) / every if every else None


def only_in(one, other):
    """What the first list has and the second has not, or has fewer times; what only moved is in neither."""
    return Counter(one[:MOST]) - Counter(other[:MOST])
