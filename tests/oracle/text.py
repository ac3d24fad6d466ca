"""Text that others wrote, as answers quote it: cleaned of what nobody sees, defused, and cut."""

import re
import unicodedata

# What no reader sees although Unicode counts it among letters and marks.
FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
JOINER, EMOJI_STYLE = "\u200d", "\ufe0f"


def clean(text):
    """A text without what is hidden, and with a space where an image or HTML would begin."""
    text = re.sub("\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", text)
    text = "".join(c for place, c in enumerate(text) if not is_hidden(c) or works_in_emoji(text, place))
    return re.sub(r"<(?=[A-Za-z/!?])", "< ", re.sub(r"!(?=\[)", "! ", text))


def is_hidden(c):
    """Control, format and private characters, selectors of a style, fillers."""
    if c in "\n\t":
        return False
    return unicodedata.category(c) in ("Cc", "Cf", "Co", "Cn") or "\ufe00" <= c <= "\ufe0f" or c in FILLERS


def works_in_emoji(text, place):
    """A joiner between emoji, or the emoji style behind one, does its one honest work."""
    before, after = text[place - 1 : place] if place else "", text[place + 1 : place + 2]
    if text[place] == EMOJI_STYLE:
        return is_emoji(before)
    return text[place] == JOINER and (is_emoji(before) or before == EMOJI_STYLE) and is_emoji(after)


def is_emoji(c):
    return c != "" and unicodedata.category(c) in ("So", "Sk")


def line(text, limit):
    """A text as lists show it: one line, cut to this many characters."""
    text = " ".join(clean(text).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip(" ") + "…"
