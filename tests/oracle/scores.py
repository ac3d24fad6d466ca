"""Composites that a tracker publishes, recomputed from runs: Lumar's, as its documents define them."""

import json
import math


def parts(runs, brand):
    """Counts and mean qualities of a brand over finished runs that the upstream checked for it in both ways."""
    runs = [run for run in runs if run.basis(brand, 0) == 1 and run.basis(brand, 1) == 1]
    return {
        "runs": len(runs),
        "mentioned": sum(bool(run.mentions(brand)) for run in runs),
        "cited": sum(bool(run.citations_of(brand)) for run in runs),
        "present": sum(bool(run.visible(brand)) for run in runs),
        "mention_quality": mean_quality(runs, brand, "mention_quality", "mentions"),
        "citation_quality": mean_quality(runs, brand, "citation_quality", "citations"),
    }


def mean_quality(runs, brand, quality, count):
    """The mean over mentions (citations): a run's own mean counts as often as there are of them."""
    scored = [
        (run.fact(brand, quality), run.fact(brand, count)) for run in runs if run.fact(brand, quality) is not None
    ]
    weight = sum(times or 0 for _, times in scored)
    return sum(score * (times or 0) for score, times in scored) / weight if weight else None


def visibility_index(of):
    """0.25 x citation quality x sqrt(citation rate) + 0.75 x mention quality x sqrt(mention rate)."""
    if not of["runs"]:
        return None
    total = 0.0
    halves = ((0.25, of["cited"], of["citation_quality"]), (0.75, of["mentioned"], of["mention_quality"]))
    for weight, hits, quality in halves:
        if hits and quality is None:
            return None
        total += weight * quality * math.sqrt(hits / of["runs"]) if hits else 0.0
    return total


def quality_score(of):
    """75 % mention quality and 25 % citation quality; where there is one of them, that alone."""
    mentions, citations = of["mention_quality"], of["citation_quality"]
    if mentions is None or citations is None:
        return citations if mentions is None else mentions
    return 0.75 * mentions + 0.25 * citations


def presence_percent(of):
    """The share of runs that name or cite the brand, in per cent."""
    return 100.0 * of["present"] / of["runs"] if of["runs"] else None


FORMULAE = {
    "visibility_index": visibility_index,
    "quality_score": quality_score,
    "presence_rate_percent": presence_percent,
}


def recheck(cache, project, days):
    """How far each published figure is from the same computed from the runs: by brand and figure, then by day.

    They are compared when a day's rollups are made, so days whose rollups are behind have none yet.
    """
    brands = {brand.key: brand for brand in cache.brands(project)}
    off = {}
    rows = cache.rows(
        "SELECT day, brand, metric, value FROM published p WHERE project_id = ? AND day BETWEEN ? AND ? "
        "AND engine = '' "
        "AND NOT EXISTS (SELECT 1 FROM dirty_day d WHERE d.project_id = p.project_id AND d.day = p.day)",
        project.id, *days,
    )
    for row in rows:
        published = json.loads(row["value"])
        known = row["brand"] in brands and row["metric"] in FORMULAE
        if not known or not isinstance(published, (int, float)):
            continue
        runs = [run for run in cache.runs(project) if run.finished and run.day == row["day"]]
        computed = FORMULAE[row["metric"]](parts(runs, brands[row["brand"]]))
        if computed is not None:
            off.setdefault((row["brand"], row["metric"]), {})[row["day"]] = abs(computed - published)
    return off
