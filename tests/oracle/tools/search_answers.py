"""What `search_answers` must answer."""

from as_of import as_of
from compare import Check, table
from pages import Pages
from scope import brand_named, days_of, instant_text, newest_day, projects_named, shown_name
from text import clean, line
from tools.list_prompt_runs import passes
from words import holds, phrases, place_of

COUNTED = 1_000
SHORT = ["run_id", "created_at", "engine", "prompt", "snippet", "visible"]

pages = Pages(10)


def expected(cache, arguments, now, answer):
    if not phrases(arguments["text"]):
        return None
    targets = projects_named(cache, arguments.get("project"))
    seen_from = {project: brand_named(cache.brands(project), arguments.get("brand")) for project in targets}
    if arguments.get("brand"):
        seen_from = {project: brand for project, brand in seen_from.items() if brand is not None}
    newest = newest_day(cache, targets, now)
    days = days_of(arguments["period"], newest) if arguments.get("period") else None
    found = pages.of(arguments, lambda: newest_first(cache, seen_from, days, arguments))
    page, next_cursor = pages.page(arguments, answer, len(answer["answers"]["rows"]))
    return {
        "projects": [
            {
                "project": line(shown_name(cache, project), 120),
                "source": project.source,
                "brand": brand and line(brand.name, 120),
            }
            for project, brand in seen_from.items() if any(of == project for of, _, _ in page)
        ],
        "answers": listing(cache, page, len(seen_from) > 1, arguments),
        "total": min(len(found), COUNTED),
        "total_is_capped": len(found) > COUNTED,
        "next_cursor": next_cursor,
        "as_of": as_of(cache, targets, days or (newest - 29, newest), now),
    }


def newest_first(cache, seen_from, days, arguments):
    """All answers that hold the words: (project, brand, run)."""
    filters = {name: value for name, value in arguments.items() if name != "text"}
    found = [
        (project, brand, run)
        for project, brand in seen_from.items()
        for run in cache.runs(project)
        if passes(run, (brand, cache.brands(project)), days, None, filters) and holds(run.answer, arguments["text"])
    ]
    return sorted(found, key=lambda one: (one[2].created_at, one[2].id), reverse=True)


def listing(cache, page, several, arguments):
    detailed = arguments.get("response_format") == "detailed"
    columns = SHORT + (["project"] if several else []) + (["prompt_id", "topic", "model"] if detailed else [])
    rows = []
    for project, brand, run in page:
        row = [
            run.public_id, instant_text(run.created_at), line(run.engine, 80),
            line(run.prompt.text, 300 if detailed else 90),
            snippet(run.answer, arguments["text"], 600 if detailed else 240), brand and run.visible(brand),
        ]
        if several:
            row.append(line(shown_name(cache, project), 120))
        if detailed:
            model = run.row["model_id"] and cache.value("SELECT name FROM model WHERE id = ?", run.row["model_id"])
            row += [run.prompt.public_id, run.prompt.topic and line(run.prompt.topic, 80), model and line(model, 120)]
        rows.append(row)
    return table(columns, rows)


def snippet(text, search, most):
    """A piece of the answer, no longer than this, that holds what is found first."""
    whole = " ".join(clean(text).split())
    first = min((place_of(phrase, text), phrase) for phrase in phrases(search))[1]

    def judge(given):
        if len(given) > most or given.strip("… ") not in whole:
            return f"at most {most} characters of the answer"
        return None if place_of(first, given) is not None else f"what stands around {first}"
    return Check(judge)
