"""What `visibility_trend` must answer."""

from calendar import monthrange
from datetime import timedelta

import measures
from as_of import as_of
from changes import by_prompt_and_engine, change
from compare import Shown, table
from ranked_pages import next_cursor, start
from question import bases, find
from scope import EPOCH, day_text, last_complete_day
from tools.brand_summary import moved

TOOL = "visibility_trend"
# Rows of an answer, all projects together.
ROWS = 280
# Of each figure: how a run is measured, and what says that it was looked at for it.
MEASURES = {
    "presence_rate": (measures.presence, measures.presence),
    "mention_rate": (measures.mention, measures.mention),
    "citation_rate": (measures.citation, measures.citation),
    "mention_share_of_voice": (lambda brand: measures.share(brand, 0), measures.mention),
    "citation_share_of_voice": (lambda brand: measures.share(brand, 1), measures.citation),
}


def expected(cache, arguments, now, answer):
    question = find(cache, arguments, now, period="90d")
    metric, interval = arguments.get("metric", "presence_rate"), arguments.get("interval", "week")
    reaches = [reach(cache, project, question.days) for project in question.projects]
    days = [
        one for one in buckets(question.days, interval)
        if any(overlap(one, known) is not None for known in reaches)
    ]
    at, = start(TOOL, arguments, 1)
    end = at + ROWS // max(len(question.asked), 1)
    return {
        "metric": metric,
        "interval": interval,
        "projects": [
            trend(question, of, days[at:end], (metric, interval, arguments.get("like_for_like", False)), now)
            for of in question.asked
        ],
        "next_cursor": next_cursor(TOOL, arguments, answer, [end], end < len(days)),
        "as_of": as_of(cache, question.projects, question.days, now),
    }


def reach(cache, project, days):
    """Of these days those from a project's first with runs to its last."""
    known = [run.day for run in cache.runs(project)]
    return overlap(days, (min(known), max(known))) if known else None


def overlap(days, others):
    if others is None:
        return None
    first, last = max(days[0], others[0]), min(days[1], others[1])
    return (first, last) if first <= last else None


def buckets(days, interval):
    """The days, weeks from Monday on, or months of a window; those at its ends may be cut."""
    found, first = [], days[0]
    while first <= days[1]:
        last = min(calendar(first, interval)[1], days[1])
        found.append((first, last))
        first = last + 1
    return found


def calendar(day, interval):
    """The whole day, week or month that a day is in."""
    date = EPOCH + timedelta(days=day)
    if interval == "week":
        return day - date.weekday(), day - date.weekday() + 6
    if interval == "month":
        first = day - date.day + 1
        return first, first + monthrange(date.year, date.month)[1] - 1
    return day, day


def trend(question, of, page, asked, now):
    project, brand = of
    metric, interval, like_for_like = asked
    measure, looked_at = (make(brand) for make in MEASURES[metric])
    runs = question.runs(project)
    covered = reach(question.cache, project, question.days)
    kept, left_out, basket = runs, (None, None), None
    if like_for_like:
        basket = f"{interval} {metric} {day_text(question.days[0])}..{day_text(question.days[1])}"
        kept, left_out = alike(runs, buckets(question.days, interval), looked_at)
    before, after = halves(kept, covered or question.days)
    rows = []
    for days in page:
        if any(days[0] <= run.day <= days[1] for run in runs):
            of_days = [run for run in kept if days[0] <= run.day <= days[1]]
            rate = question.figures(of_days, brand)[metric]
            complete = last_complete_day(question.cache, project, now)
            is_over = complete is not None and days[1] <= complete
            whole = is_over and calendar(days[0], interval) == days and overlap(days, covered) == days
            rows.append([
                day_text(days[0]), *([] if interval == "day" else [day_text(days[1])]),
                Shown(rate["value"]), Shown(rate["low"]), Shown(rate["high"]),
                rate["hits"], rate["runs"], rate["prompts"], whole,
            ])
    end = [] if interval == "day" else ["end"]
    return {
        **question.heading(project, brand),
        "basis": basis(runs, brand, metric),
        "runs": len(kept),
        "series": table(["start", *end, "value", "low", "high", "hits", "runs", "prompts", "whole"], rows),
        "change": moved(before, after, measure),
        "cells_left_out": left_out[0],
        "runs_left_out": left_out[1],
        "runs_filter": question.runs_filter(project, brand, basket=basket),
    }


def alike(runs, cut, looked_at):
    """The runs of the prompts and engines that were looked at in every bucket that has any; and what is left out."""
    seen = []
    for first, last in cut:
        counts = {}
        for run in runs:
            if first <= run.day <= last and looked_at(run) is not None:
                counts[by_prompt_and_engine(run)] = counts.get(by_prompt_and_engine(run), 0) + 1
        if counts:
            seen.append(counts)
    every = set().union(*seen)
    common = {key for key in every if all(key in counts for counts in seen)}
    others = every - common
    left_out = len(others), sum(counts.get(key, 0) for counts in seen for key in others)
    return [run for run in runs if by_prompt_and_engine(run) in common], left_out


def halves(runs, days):
    """The runs of the first half of some days and of the second, which is longer by a day where they are odd."""
    first, last = days
    middle = first + (last - first + 1) // 2
    return [run for run in runs if run.day < middle], [run for run in runs if run.day >= middle]


def basis(runs, brand, metric):
    """By whom the brand was looked for, of a share by whom all brands were."""
    met = set()
    for run in runs:
        for half, name in enumerate(("mention", "citation")):
            if metric == name + "_share_of_voice":
                met.add(run.share_basis(half) if brand.id in run.checks else 0)
            elif metric in ("presence_rate", name + "_rate"):
                met.add(run.basis(brand, half))
    return bases(met)
