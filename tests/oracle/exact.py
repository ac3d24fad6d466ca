"""What the library must compute, unrounded: the figures themselves, before any tool shows them.

A line names a kind of figure; its question is either a scope in the cache (`source`, `project` and `brand` by their
keys, `days`, `engine`, `include_branded`) or the counts themselves.
"""

import figures
import measures
from changes import change, compare
from compare import Exact, exact
from scope import brand_named, day_number, days_of, finished_runs, projects_named, window_before
from scores import presence_percent, quality_score, visibility_index
from tools.list_prompt_runs import passing

MEASURES = {
    "presence": (measures.presence, 1.0),
    "mention": (measures.mention, 1.0),
    "citation": (measures.citation, 1.0),
    "position": (measures.position, None),
    "rank": (measures.rank, None),
    "sentiment": (measures.sentiment, None),
}


def scope(cache, question):
    """The brand, the days, and a way to the runs of any days."""
    project = next(p for p in cache.projects if (p.source, p.key) == (question["source"], question["project"]))
    brand = next(brand for brand in cache.brands(project) if brand.key == question["brand"])
    days = tuple(map(day_number, question["days"]))
    return brand, days, lambda days: finished_runs(
        cache, project, days, question.get("engine"), question["include_branded"]
    )


def of_figures(cache, question):
    brand, days, runs_of = scope(cache, question)
    return measures.all_figures(runs_of(days), brand)


def of_engines(cache, question):
    brand, days, runs_of = scope(cache, question)
    runs = runs_of(days)
    return {
        engine: measures.all_figures([run for run in runs if run.engine == engine], brand)
        for engine in {run.engine for run in runs}
    }


def of_change(cache, question):
    brand, days, runs_of = scope(cache, question)
    measure, full = MEASURES[question["measure"]]
    return change(runs_of(window_before(days)), runs_of(days), measure(brand), full=full)


def of_counts(cache, question):
    """Counts by prompt and engine, as the rollups have them."""
    brand, days, runs_of = scope(cache, question)
    cells = {}
    for run in runs_of(days):
        counts = cells.setdefault(f"{run.prompt.public_id} {run.engine}", {"runs": 0})
        counts["runs"] += 1
        for name, measure in (
            ("presence", measures.presence), ("mention", measures.mention), ("citation", measures.citation),
            ("mention_share", lambda brand: measures.share(brand, 0)),
            ("citation_share", lambda brand: measures.share(brand, 1)),
            ("position", measures.position), ("rank", measures.rank), ("sentiment", measures.sentiment),
        ):
            part, whole = measure(brand)(run) or (0, 0)
            old = counts.get(name, [0, 0])
            counts[name] = [old[0] + part, old[1] + whole]
    for counts in cells.values():
        counts["sentiment"][0] = Exact(float(counts["sentiment"][0]))
    return cells


def of_trace(cache, question):
    """The ids of the runs behind a figure, by the filter that its answer names."""
    project = projects_named(cache, question["project"])[0]
    brand = brand_named(cache.brands(project), question.get("brand"))
    days = days_of(question["period"], 0) if "period" in question else None
    return sorted(run.public_id for run in passing(cache, project, brand, days, question))


def of_difference(_, question):
    """A change of bare counts: [prompt, engine, part, runs] on either side."""
    def cells(rows):
        sums = {}
        for prompt, engine, part, runs in rows:
            key = (prompt, engine if question["by_engine"] else "")
            old = sums.get(key, (0, 0))
            sums[key] = (old[0] + part, old[1] + runs)
        return {key: pair for key, pair in sums.items() if pair[1] > 0}

    return compare(cells(question["before"]), cells(question["now"]), question["full"])


KINDS = {
    "traced": of_trace,
    "figures": of_figures,
    "engines": of_engines,
    "change": of_change,
    "counts": of_counts,
    "rate": lambda _, question: figures.rate([tuple(pair) for pair in question["prompts"]]),
    "rate_of_one_prompt": lambda _, question: figures.rate_of_one_prompt(question["hits"], question["runs"]),
    "mean": lambda _, question: figures.mean([tuple(pair) for pair in question["prompts"]], question.get("floor")),
    "difference": of_difference,
    "flip_rate": lambda _, question: measures.flips(question["runs"]),
    "exact_p": lambda _, question: measures.fisher_p(tuple(question["before"]), tuple(question["now"])),
    "discoveries": lambda _, question: measures.benjamini_hochberg(question["p_values"], question["rate"]),
    "visibility_index": lambda _, question: visibility_index(question),
    "quality_score": lambda _, question: quality_score(question),
    "presence_percent": lambda _, question: presence_percent(question),
}


def expected(cache, kind, question):
    """What a line of this kind must hold."""
    return exact(KINDS[kind](cache, question))
