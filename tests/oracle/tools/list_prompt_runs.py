"""What `list_prompt_runs` must answer.

Cursors are opaque, so pages are checked in the order in which they were asked: a page's cursor must be one that an
earlier page of the same question gave, and its rows those that follow there.
"""

import json

from as_of import as_of
from changes import by_prompt_and_engine
from cited import domain_named
from compare import Check, Shown, table
from measures import gap
from rows import BASES, DERIVED, UPSTREAM
from scope import brand_named, day_text, days_of, instant_text, newest_day, projects_named, shown_name
from text import line
from tools.compare_engines import basket
from tools.visibility_trend import MEASURES, alike, buckets
from words import holds

COUNTED = 1_000
COUNTED_IN_PERIOD = 100_000
SHORT = ["run_id", "created_at", "engine", "status", "prompt", "visible", "total_citations", "total_mentions",
         "best_position", "avg_sentiment"]
LONG = ["prompt_id", "topic", "model", "day", "answer_citations", "branded", "failure_reason", "upstream_key"]

# What each question finds, and at which of them the page behind each cursor begins.
found_by_question = {}
begins = {}


def expected(cache, arguments, now, answer):
    projects = projects_named(cache, arguments.get("project"))
    newest = newest_day(cache, projects, now)
    days = days_of(arguments["period"], newest) if arguments.get("period") else None
    seen_from = [(project, brand_named(cache.brands(project), arguments.get("brand"))) for project in projects]
    if arguments.get("brand"):
        seen_from = [(project, brand) for project, brand in seen_from if brand is not None]

    paging = ("cursor", "limit", "response_format")
    question = json.dumps({name: value for name, value in arguments.items() if name not in paging}, sort_keys=True)
    if question not in found_by_question:
        found_by_question[question] = ordered(cache, seen_from, days, arguments)
    found = found_by_question[question]
    start = begins[question, arguments["cursor"]] if "cursor" in arguments else 0
    shown = len(answer["runs"]["rows"])
    page = found[start : start + shown]
    if answer.get("next_cursor"):
        begins[question, answer["next_cursor"]] = start + shown
    is_bounded = days is not None and not arguments.get("text")
    counted = COUNTED_IN_PERIOD if is_bounded else COUNTED
    return {
        "runs": listing(cache, page, len(seen_from) > 1, arguments),
        "total": min(len(found), counted),
        "total_is_capped": len(found) > counted,
        "next_cursor": Check(lambda given: page_end(found, start, shown, given, arguments, answer)),
        "seen_from": [
            {
                "project": line(shown_name(cache, project), 120),
                "source": project.source,
                "brand": brand and line(brand.name, 120),
                "mention_basis": bases([run for of, _, run in page if of == project], brand, 0),
                "citation_basis": bases([run for of, _, run in page if of == project], brand, 1),
            }
            for project, brand in seen_from
        ],
        "as_of": as_of(cache, [project for project, _ in seen_from], days or (newest - 29, newest), now),
    }


def page_end(found, start, shown, cursor, arguments, answer):
    """Is the page as long as it must be, and does it say rightly whether it is the last?"""
    rest = len(found) - start
    full = min(int(arguments.get("limit", 20)), rest)
    said = any("so that it fits" in caveat for caveat in answer["caveats"])
    if not (shown == full or 0 < shown < full and said):
        return f"{full} rows on this page, not {shown}"
    if (cursor is not None) != (shown < rest):
        return f"{rest - shown} runs behind this page, so a cursor only if there are any"
    return None


def passing(cache, project, brand, days, arguments):
    """The runs of a project that these arguments ask for, oldest first."""
    brands = cache.brands(project)
    domain = domain_named(cache, arguments["domain"]) if arguments.get("domain") else None
    found = [run for run in cache.runs(project) if passes(run, (brand, brands), days, domain, arguments)]
    return found if arguments.get("basket") is None else in_basket(cache, found, (project, brand), arguments)


def in_basket(cache, found, of, arguments):
    """Of these runs those of the prompts and engines that a comparison of its own days keeps."""
    (project, brand), (rule, *metric, text) = of, arguments["basket"].split()
    if brand is None:
        return []
    days = days_of(text, 0)
    by_engine = rule == "engines"
    narrowed = {name: arguments.get(name) for name in ("topic", "prompt_id", "include_branded")}
    narrowed["engine"] = None if by_engine else arguments.get("engine")
    of_all = ((brand, cache.brands(project)), days, None, {**narrowed, "status": "finished"})
    runs = [run for run in cache.runs(project) if passes(run, *of_all)]
    if by_engine:
        engines, _, prompts, _ = basket(runs, brand)
        return [run for run in found if run.engine in engines and run.prompt in prompts]
    _, looked_at = (make(brand) for make in MEASURES[metric[0]])
    kept = {by_prompt_and_engine(run) for run in alike(runs, buckets(days, rule), looked_at)[0]}
    return [run for run in found if by_prompt_and_engine(run) in kept]


def passes(run, of, days, domain, arguments):
    brand, brands = of
    mentions = run.mentions(brand) if brand else None
    citations = run.citations_of(brand) if brand else None
    absent = mentions == 0 and citations == 0
    named, cited = bool(mentions), bool(citations)
    conditions = {
        "prompt_id": lambda wanted: wanted in (run.prompt.public_id, run.prompt.text),
        "topic": lambda wanted: run.prompt.topic == wanted,
        "engine": lambda wanted: run.engine == wanted.strip().lower(),
        "status": lambda wanted: run.status == wanted.strip().lower(),
        "visible": lambda wanted: (named or cited) if wanted else absent,
        "cited": lambda wanted: cited if wanted else citations == 0,
        "mentioned": lambda wanted: named if wanted else mentions == 0,
        "include_branded": lambda wanted: wanted or not run.prompt.branded,
        "text": lambda wanted: holds(run.answer, wanted) or holds(run.prompt.text, wanted),
        "gap": lambda wanted: not wanted or brand is not None and run.finished and gap(run, brand, brands),
        "domain": lambda wanted: any(citation["domain"] == domain for citation in run.citations),
        "url": lambda wanted: any(citation["url"] == wanted for citation in run.citations),
    }
    in_days = days is None or days[0] <= run.day <= days[1]
    asked = [condition(arguments[name]) for name, condition in conditions.items() if arguments.get(name) is not None]
    return not run.gone and in_days and all(asked)


def value(run, brand, sort):
    """What a run is sorted by; None for runs that come last."""
    if sort in ("created_at", "status"):
        return run.created_at if sort == "created_at" else run.status
    if brand is None:
        return None
    return {
        "total_citations": run.citations_of, "total_mentions": run.mentions,
        "best_position": lambda brand: run.fact(brand, "best_citation_position"),
        "avg_sentiment": lambda brand: run.fact(brand, "sentiment"),
    }[sort](brand)


def ordered(cache, seen_from, days, arguments):
    """All runs that are asked for, of all projects, in order: (project, brand, run)."""
    sort, descending = arguments.get("sort", "created_at"), arguments.get("order", "desc") == "desc"
    newest_first = descending or sort != "created_at"
    found = []
    for project, brand in seen_from:
        runs = passing(cache, project, brand, days, arguments)
        # Of runs of one instant the one stored last is the newest; those of several projects stay in their order.
        runs.sort(key=lambda run: run.id, reverse=newest_first)
        found.extend((project, brand, run) for run in runs)
    found.sort(key=lambda one: one[2].created_at, reverse=newest_first)
    values = {id(one): value(one[2], one[1], sort) for one in found}
    valued = [one for one in found if values[id(one)] is not None]
    valued.sort(key=lambda one: values[id(one)], reverse=descending)
    return valued + [one for one in found if values[id(one)] is None]


def bases(runs, brand, half):
    met = {run.basis(brand, half) for run in runs} if brand else set()
    return [BASES[one] for one in (UPSTREAM, DERIVED) if one in met]


def listing(cache, page, several, arguments):
    detailed = arguments.get("response_format") == "detailed"
    columns = SHORT + (["project"] if several else []) + (LONG if detailed else [])
    rows = []
    for project, brand, run in page:
        seen = [None] * 5
        if brand:
            seen = [
                run.visible(brand), run.citations_of(brand), run.mentions(brand),
                run.fact(brand, "best_citation_position"), Shown(run.fact(brand, "sentiment")),
            ]
        row = [run.public_id, instant_text(run.created_at), run.engine, run.status,
               line(run.prompt.text, 300 if detailed else 90), *seen]
        if several:
            row.append(line(shown_name(cache, project), 120))
        if detailed:
            model = run.row["model_id"] and cache.value("SELECT name FROM model WHERE id = ?", run.row["model_id"])
            texts = (run.row["failure_reason"], run.row["key"])
            reason, key = (text and line(text, 200) for text in texts)
            row += [run.prompt.public_id, run.prompt.topic and line(run.prompt.topic, 200), model and line(model, 200),
                    day_text(run.day), run.row["total_citations"], run.prompt.branded, reason, key]
        rows.append(row)
    return table(columns, rows)
