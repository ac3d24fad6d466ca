"""Compares an answer with what the oracle expects of it.

What is expected is a tree shaped like the answer. Its leaves are plain values, which must be equal, or:
`Shown(x)` for a figure as it is shown, rounded to four decimals; `Exact(x)` for one as it was computed; `Check(f)` for
what only a function can judge. None stands for what is absent. Text that is not expected is not looked at; a number
that is not expected is a mistake of the oracle, since every number of an answer must be recomputed.
"""

import math
from dataclasses import dataclass
from typing import Callable

CLOSE = 1e-9
# Student's t is known to seven digits where it is expanded, and so are the ends of intervals.
OF_T = {"low": 1e-8, "high": 1e-8, "smallest_detectable": 1e-8}


@dataclass
class Shown:
    value: float


@dataclass
class Exact:
    value: float
    tolerance: float = CLOSE


@dataclass
class Check:
    """`judge` gets what was given and returns None or what is wrong with it."""
    judge: Callable


def shown(figures):
    """A tree of figures as it is shown: every float in it rounded."""
    if isinstance(figures, dict):
        return {name: shown(value) for name, value in figures.items()}
    return Shown(figures) if isinstance(figures, float) else figures


def exact(figures, tolerance=CLOSE):
    """A tree of figures as they were computed."""
    if isinstance(figures, dict):
        return {name: exact(value, OF_T.get(name, CLOSE)) for name, value in figures.items()}
    return Exact(figures, tolerance) if isinstance(figures, float) else figures


def table(columns, rows):
    """A list as answers have it."""
    return {"columns": list(columns), "rows": [list(row) for row in rows]}


def round4(value):
    """Four decimals, halves away from zero."""
    return math.copysign(math.floor(abs(value) * 1e4 + 0.5) / 1e4, value) + 0.0


class Comparison:
    """Goes through one answer; `problems` are (path, expected, got), `numbers` counts those that were compared."""

    def __init__(self):
        self.problems = []
        self.numbers = 0

    def note(self, path, expected, got):
        self.problems.append((path, expected, got))

    def compare(self, expected, got, path="$"):
        if isinstance(expected, (Shown, Exact)):
            self.compare_figure(expected, got, path)
        elif isinstance(expected, Check):
            wrong = expected.judge(got)
            self.numbers += count_numbers(got)
            if wrong:
                self.note(path, wrong, got)
        elif isinstance(expected, dict):
            self.compare_objects(expected, got, path)
        elif isinstance(expected, list):
            self.compare_lists(expected, got, path)
        else:
            self.numbers += is_number(got)
            if expected != got or isinstance(expected, bool) != isinstance(got, bool):
                self.note(path, expected, got)

    def compare_figure(self, expected, got, path):
        if expected.value is None or not is_number(got):
            if expected.value is not got:
                self.note(path, expected.value, got)
            return
        self.numbers += 1
        if isinstance(expected, Exact):
            allowed, wanted = expected.tolerance * max(1.0, abs(expected.value)), [expected.value]
        else:
            # Where the last bits decide how it is rounded, either way is right.
            around = [expected.value - CLOSE, expected.value, expected.value + CLOSE]
            allowed, wanted = CLOSE, [round4(value) for value in around]
        if not any(abs(value - got) <= allowed for value in wanted):
            self.note(path, wanted[len(wanted) // 2], got)

    def compare_objects(self, expected, got, path):
        if not isinstance(got, dict):
            return self.note(path, "an object", got)
        for name, value in expected.items():
            self.compare(value, got.get(name), f"{path}.{name}")
        for name, value in got.items():
            if name not in expected and count_numbers(value):
                self.note(f"{path}.{name}", "no number: the oracle does not know this one", value)

    def compare_lists(self, expected, got, path):
        if not isinstance(got, list) or len(got) != len(expected):
            return self.note(path, f"a list of {len(expected)}: {brief(expected)}", got)
        for place, (value, other) in enumerate(zip(expected, got)):
            self.compare(value, other, f"{path}[{place}]")


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def count_numbers(value):
    """How many numbers are in a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    return sum(map(count_numbers, value)) if isinstance(value, list) else int(is_number(value))


def brief(value, limit=300):
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + "..."
