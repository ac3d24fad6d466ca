"""Words of a search found in a text: neither letter case nor accents count, and a word is found whole."""

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=None)
def words(text):
    """The words of a text: what stands between characters that are no letter and no digit."""
    bare = [c for c in unicodedata.normalize("NFD", text or "") if unicodedata.category(c) != "Mn"]
    folded = "".join(c if c.isalnum() else " " for c in bare).lower().replace("ς", "σ")
    return tuple(folded.split())


def phrases(search):
    """What a search asks for: each word by itself, and those in quotation marks side by side."""
    found = []
    for place, part in enumerate(search.split('"')):
        found += [part] if place % 2 else part.split()
    return [words(part) for part in found if words(part)]


def place_of(phrase, text):
    """At which word of a text a phrase begins first; None where it is not there."""
    there = words(text)
    return next((at for at in range(len(there)) if there[at : at + len(phrase)] == phrase), None)


def holds(text, search):
    """Does a text hold all that a search asks for?"""
    there = f" {' '.join(words(text))} "
    return all(f" {' '.join(phrase)} " in there for phrase in phrases(search))
