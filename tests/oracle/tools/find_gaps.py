"""What `find_gaps` must answer."""

import figures
from as_of import as_of
from cited import kind_beside, owner_of, sources
from compare import Shown, shown, table
from measures import gap, presence, presence_of_us, rivals
from ranked_pages import default_limit, next_cursor, shown_of, start
from question import find
from text import line

TOOL = "find_gaps"


def expected(cache, arguments, now, answer):
    question = find(cache, arguments, now)
    detailed = arguments.get("response_format") == "detailed"
    kind = arguments.get("kind", "both")
    limit = default_limit(arguments, len(question.asked))
    begin = start(TOOL, arguments, 2 * len(question.asked))
    given = iter(answer["projects"])
    projects, ends, more = [], list(begin), False
    for place, (project, brand) in enumerate(question.asked):
        runs, brands = question.runs(project), cache.brands(project)
        gaps = {run.id for run in runs if gap(run, brand, brands)}
        found = {
            "prompts": prompts(runs, gaps, brand) if kind != "sources" else None,
            "sources": cited(runs, gaps, brand, brands) if kind != "prompts" else None,
        }
        tables = {}
        for at, (name, rows) in enumerate(found.items(), start=2 * place):
            # A list that ended on an earlier page is not shown again.
            if rows is not None and not 0 < begin[at] >= len(rows):
                tables[name] = at
        if not tables:
            continue
        of_answer = next(given, {})
        one = heading(question, project, brand, runs, gaps)
        one["total_sources"] = None if found["sources"] is None else len(found["sources"])
        for name, at in tables.items():
            rows = found[name][begin[at] :]
            ends[at] += shown_of(len(rows), limit, of_answer[name]["rows"], 2 * len(question.asked))
            more |= ends[at] < len(found[name])
            page = rows[: ends[at] - begin[at]]
            one[name] = (prompt_table if name == "prompts" else source_table)(page, runs, gaps, brand, brands, detailed)
        projects.append(one)
    return {
        "projects": projects,
        "next_cursor": next_cursor(TOOL, arguments, answer, ends, more),
        "as_of": as_of(cache, question.projects, question.days, now),
    }


def heading(question, project, brand, runs, gaps):
    return {
        **question.heading(project, brand),
        "gap_rate": shown(figures.rate(figures.per_prompt(runs, gap_or_not(brand, gaps)))),
        "branded_runs_left_out": question.branded_left_out(project),
        "total_prompts": len({run.prompt.id for run in runs if run.id in gaps}),
        "runs_filter": question.runs_filter(project, brand, gap=True),
        "prompts": None,
        "sources": None,
    }


def gap_or_not(brand, gaps):
    """A gap, of the runs in which the brand was looked for."""
    looked_for = presence(brand)
    return lambda run: None if looked_for(run) is None else (int(run.id in gaps), 1)


def prompts(runs, gaps, brand):
    """The prompts with gaps, those with most first, then those of fewest runs: (prompt, its runs)."""
    by_prompt = {}
    for run in runs:
        by_prompt.setdefault(run.prompt, []).append(run)

    def order(one):
        prompt, of_prompt = one
        return -sum(run.id in gaps for run in of_prompt), len(of_prompt), prompt.id

    return sorted((one for one in by_prompt.items() if order(one)[0]), key=order)


def prompt_table(page, _, gaps, brand, brands, detailed):
    rows = []
    for prompt, runs in page:
        (hits, checked), = figures.per_prompt(runs, gap_or_not(brand, gaps))
        rate = figures.rate_of_one_prompt(hits, checked)
        row = [
            prompt.public_id, line(prompt.text, 300 if detailed else 90), hits, checked,
            Shown(rate["value"]), Shown(rate["low"]), Shown(rate["high"]),
            [line(name, 60) for name in most_there(runs, gaps, brand, brands)],
        ]
        rows.append(row + ([prompt.topic and line(prompt.topic, 120)] if detailed else []))
    more = ["topic"] if detailed else []
    return table(["prompt_id", "prompt", "gap_runs", "runs", "gap_rate", "low", "high", "rivals", *more], rows)


def most_there(runs, gaps, brand, brands):
    """The rivals that are in most of these gaps, three at most."""
    counts = [(sum(bool(run.visible(one)) for run in runs if run.id in gaps), one) for one in rivals(brand, brands)]
    most_first = sorted((one for one in counts if one[0]), key=lambda one: (-one[0], one[1].name))
    return [rival.name for _, rival in most_first[:3]]


def cited(runs, gaps, brand, brands):
    """The domains, not the brand's own, that gaps cite: most gaps first, then fewest runs."""
    def gap_runs(source):
        return sum(run.id in gaps for run in source.runs)

    found = [
        one for one in sources(runs)
        if gap_runs(one) and kind_beside(owner_of(brands, one.domain), brand) != "own"
    ]
    return sorted(found, key=lambda one: (-gap_runs(one), len(one.runs), one.name))


def source_table(page, _, gaps, brand, brands, detailed):
    rows = []
    for source in page:
        owner = owner_of(brands, source.domain)
        with_gap = [run for run in source.runs if run.id in gaps]
        row = [
            line(source.name, 120), owner and line(owner.name, 80), kind_beside(owner, brand), len(with_gap),
            len(source.runs), Shown(len(with_gap) / len(source.runs)), len({run.prompt.id for run in with_gap}),
        ]
        present = sum(bool(presence_of_us(run, brand, brands)) for run in source.runs)
        rows.append(row + ([present] if detailed else []))
    more = ["brand_runs"] if detailed else []
    return table(["domain", "owner", "kind", "gap_runs", "runs", "gap_share", "prompts", *more], rows)
