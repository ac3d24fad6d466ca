"""What `top_citations` must answer."""

import figures
from as_of import as_of
from changes import change, controlled, is_test
from cited import domain_named, kind_beside, owner_of, sources
from compare import Shown, table
from ranked_pages import default_limit, next_cursor, same_question, shown_of, start
from question import find, period
from scope import window_before
from text import line

TOOL = "top_citations"
# So many rows, the first ones, are tested as one list, whatever page is asked for.
TESTED = 100

# The lists of each question, which all of its pages show a part of.
lists_by_question = {}


def expected(cache, arguments, now, answer):
    question = find(cache, arguments, now)
    domain = domain_named(cache, arguments["domain"]) if arguments.get("domain") else None
    by = arguments.get("by") or ("url" if domain else "domain")
    key = same_question(TOOL, arguments)
    if key not in lists_by_question:
        lists_by_question[key] = [ranked(question, of, by, domain, arguments.get("owner")) for of in question.asked]
    lists = lists_by_question[key]
    limit = default_limit(arguments, len(lists))
    detailed = arguments.get("response_format") == "detailed"
    begin = start(TOOL, arguments, len(lists))
    given = iter(answer["projects"])
    projects, ends, more = [], list(begin), False
    for place, (of, (rows, changes)) in enumerate(zip(question.asked, lists)):
        at = begin[place]
        if 0 < at >= len(rows):
            # A list that ended on an earlier page.
            continue
        ends[place] += shown_of(len(rows) - at, limit, next(given, {})["citations"]["rows"], len(lists))
        more |= ends[place] < len(rows)
        projects.append({
            **heading(question, of),
            "total": len(rows),
            "tested": sum(map(is_test, changes)) if at < TESTED else None,
            "citations": listing(question, of, rows[at : ends[place]], changes[at : ends[place]], by, detailed),
        })
    return {
        "projects": projects,
        "next_cursor": next_cursor(TOOL, arguments, answer, ends, more),
        "as_of": as_of(cache, question.projects, question.days, now),
    }


def heading(question, of):
    runs = question.runs(of[0])
    return {
        **question.heading(*of),
        "compared_with": period(window_before(question.days)),
        "runs": len(runs),
        "prompts": len({run.prompt.id for run in runs}),
        "branded_runs_left_out": question.branded_left_out(of[0]),
        "runs_filter": question.runs_filter(*of),
    }


def ranked(question, of, by, domain, kind):
    """The domains or URLs that most runs cite, and of the first of them how their consistency changed."""
    project, brand = of
    brands = question.cache.brands(project)
    runs, before = question.runs(project), question.runs(project, window_before(question.days))
    rows = [
        one for one in sources(runs, by)
        if domain in (None, one.domain) and kind in (None, kind_beside(owner_of(brands, one.domain), brand))
    ]
    rows.sort(key=lambda one: (-len(one.runs), -one.citations, one.name))
    then = {one.name: one for one in sources(before, by)}
    changes = []
    for row in rows[:TESTED]:
        citing = {run.id for one in (row, then.get(row.name)) if one is not None for run in one.runs}
        changes.append(change(before, runs, cites(citing)))
    return rows, controlled(changes)


def cites(citing):
    """Does a run cite it? Of all finished runs."""
    return lambda run: (int(run.id in citing), 1)


def listing(question, of, rows, changes, by, detailed):
    project, brand = of
    brands, runs = question.cache.brands(project), question.runs(project)
    columns = [by, "owner", "kind", "runs", "consistency", "low", "high", "prompts", "influence", "citations", "change",
               "verdict"]
    if detailed:
        columns += ["change_low", "change_high", "smallest_detectable"] + (["domain"] if by == "url" else [])
    listed = []
    for place, row in enumerate(rows):
        owner = owner_of(brands, row.domain)
        rate = consistency(question, runs, row)
        # Rows behind the tested ones have no change.
        moved = changes[place] if place < len(changes) else {}
        cells = [
            line(row.name, 400 if detailed else 160), owner and line(owner.name, 80), kind_beside(owner, brand),
            len(row.runs), Shown(rate["value"]), Shown(rate["low"]), Shown(rate["high"]), row.prompts,
            Shown(rate["value"] * row.prompts), row.citations, Shown(moved.get("difference")), moved.get("verdict"),
        ]
        if detailed:
            cells += [Shown(moved.get(name)) for name in ("low", "high", "smallest_detectable")]
            cells += [row.domain and line(row.domain, 120)] if by == "url" else []
        listed.append(cells)
    return table(columns, listed)


def consistency(question, runs, row):
    """Runs that cite it, of all finished runs; those of one prompt alone are the sample."""
    if question.prompt is not None:
        return figures.rate_of_one_prompt(len(row.runs), len(runs))
    return figures.rate(figures.per_prompt(runs, cites({run.id for run in row.runs})))
