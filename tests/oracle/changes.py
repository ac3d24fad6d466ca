"""Two sets of runs compared on what both have: the Mantel-Haenszel-weighted difference, paired, with its verdict."""

import math
from fractions import Fraction

import figures
from measures import benjamini_hochberg
from quantiles import t_quantile, t_two_sided

MIN_PROMPTS = 6
MIN_RUNS = 10
BLIND = 0.5
FALSE_DISCOVERIES = 0.05


def by_prompt_and_engine(run):
    """What makes runs a pair for windows of time and for brands."""
    return run.prompt.id, run.engine


def by_prompt(run):
    """What makes runs a pair for one engine against another."""
    return run.prompt.id, ""


def cells(runs, pairing, measure):
    """(sum, runs) by prompt and engine."""
    sums = {}
    for run in runs:
        seen = measure(run)
        if seen is not None:
            part, whole = sums.get(pairing(run), (0, 0))
            sums[pairing(run)] = (part + seen[0], whole + seen[1])
    return {key: pair for key, pair in sums.items() if pair[1] > 0}


def change(before, now, measure, pairing=by_prompt_and_engine, full=1.0, now_measure=None):
    """The figure now minus the figure before; `full` is the length of the scale, None for means.

    One brand less another is measured by the other's figure before and by its own now.
    """
    before, now = cells(before, pairing, measure), cells(now, pairing, now_measure or measure)
    return compare(before, now, full)


def is_test(one):
    """Was a test made: are there as many prompts and runs as a verdict takes? Not a matter of what came out."""
    enough = one["prompts"] >= MIN_PROMPTS and min(one["runs_before"], one["runs_now"]) >= MIN_RUNS
    return enough and one["p_value"] is not None


def controlled(changes):
    """Changes as one list, of which one in twenty called up or down may be chance; the others are within noise."""
    tests = [one for one in changes if is_test(one)]
    for one, found in zip(tests, benjamini_hochberg([one["p_value"] for one in tests], FALSE_DISCOVERIES)):
        if one["verdict"] in ("up", "down") and not found:
            one["verdict"] = "within_noise"
    return changes


def compare(before, now, full=1.0):
    """The same for cells."""
    shared = sorted(set(before) & set(now))
    prompts = {}
    for key in shared:
        (part_1, runs_1), (part_2, runs_2) = before[key], now[key]
        weight = Fraction(runs_1 * runs_2, runs_1 + runs_2)
        values = (weight * Fraction(part_1) / runs_1, weight * Fraction(part_2) / runs_2, weight)
        old = prompts.get(key[0], (0, 0, 0))
        prompts[key[0]] = tuple(a + b for a, b in zip(old, values))
    moved = sum(not same(one, other) for one, other, _ in prompts.values())
    weighed = [(float(other - one), float(weight)) for one, other, weight in prompts.values()]
    found = {
        "before": figures.ratio([(float(one), float(weight)) for one, _, weight in prompts.values()]),
        "now": figures.ratio([(float(other), float(weight)) for _, other, weight in prompts.values()]),
        "difference": figures.ratio(weighed),
        "low": None, "high": None, "smallest_detectable": None, "p_value": None,
        "verdict": "too_little_data",
        "prompts": len(prompts),
        "cells": len(shared),
        "runs_before": sum(before[key][1] for key in shared),
        "runs_now": sum(now[key][1] for key in shared),
        "left_out": {
            "cells_before": len(before) - len(shared),
            "runs_before": sum(whole for key, (_, whole) in before.items() if key not in now),
            "cells_now": len(now) - len(shared),
            "runs_now": sum(whole for key, (_, whole) in now.items() if key not in before),
        },
    }
    fewest = min(found["runs_before"], found["runs_now"])
    error = standard_error(weighed, fewest, full)
    if error:
        judge(found, weighed, moved, error, full)
        found["verdict"] = verdict(found, fewest, full)
    return found


def same(one, other):
    """Equal, but for the last bits of sums that are no counts."""
    return abs(one - other) <= Fraction(1, 10**12) * max(abs(one), abs(other))


def standard_error(weighed, fewest, full):
    """The standard error of the difference: not below what one run more or less does, which chance can always do."""
    seen = figures.variance(weighed)
    if seen is None:
        return None
    return math.sqrt(max(seen, (full / fewest) ** 2 if full else 0.0))


def judge(found, weighed, moved, error, full):
    """Fills in the interval, the smallest detectable difference and the p value."""
    freedom = figures.freedom(weighed)
    half, difference = figures.reach(weighed) * error, found["difference"]
    bound = full or math.inf
    low, high = max(difference - half, -bound), min(difference + half, bound)
    # The sign test: so few prompts that moved may have done so by chance, however far they went.
    by_sign = min(0.5 ** (moved - 1), 1.0)
    if by_sign > 0.05:
        low, high = min(low, 0.0), max(high, 0.0)
    power = t_quantile(figures.POWER, freedom)
    found["low"], found["high"] = low, high
    found["smallest_detectable"] = min((figures.reach(weighed) + power) * error, bound)
    found["p_value"] = max(t_two_sided(difference / error, freedom), by_sign)


def verdict(found, fewest, full):
    """What the comparison allows to say."""
    if found["prompts"] < MIN_PROMPTS or fewest < MIN_RUNS:
        return "too_little_data"
    if found["low"] > 0:
        return "up"
    if found["high"] < 0:
        return "down"
    blind = full is not None and found["smallest_detectable"] >= BLIND * full
    return "too_little_data" if blind else "within_noise"
