"""What `explain_metric` must answer: the agreement of trackers and texts; the words are not looked at."""

from as_of import as_of
from scope import brand_named, day_text, newest_day, projects_named, shown_name
from text import line
from tools.list_sources import agreement

BOTH = ("mentioned", "cited")
# Which facts of the brand a figure rests on; those of the others can't be compared for one brand alone.
FACTS = {
    "presence_rate": BOTH,
    "mention_rate": ("mentioned",),
    "citation_rate": ("cited",),
    "mention_share_of_voice": ("mentioned",),
    "citation_share_of_voice": ("cited",),
    "avg_citation_position": ("cited",),
    "avg_mention_rank": ("mentioned",),
    "flip_rate": BOTH,
    "gap_rate": BOTH,
}


def expected(cache, arguments, now):
    metric = arguments.get("metric")
    facts = FACTS.get(metric, ())
    asked = [
        (project, brand_named(cache.brands(project), None))
        for project in projects_named(cache, arguments.get("project"))
    ]
    asked = [(project, brand) for project, brand in asked if brand is not None]
    asked = asked[: 8 if arguments.get("response_format") == "detailed" else 3]
    projects = [project for project, _ in asked]
    if metric is None or not (facts or arguments.get("project")) or not asked:
        return {"metric": metric and {"name": metric}, "projects": [], "as_of": []}
    newest = newest_day(cache, projects, now)
    days = (newest - 29, newest)
    found = [of_project(cache, project, brand, facts, days) for project, brand in asked]
    return {
        "metric": {"name": metric},
        "projects": [one for one in found if one["agreement"]["rows"]],
        "as_of": as_of(cache, projects, days, now),
    }


def of_project(cache, project, brand, facts, days):
    known = agreement(cache.runs(project), [brand], days) or {"columns": [], "rows": []}
    name = line(shown_name(cache, project), 120)
    return {
        "project": name,
        "source": project.source,
        "brand": line(brand.name, 120),
        "period": {"first": day_text(days[0]), "last": day_text(days[1])},
        "agreement": {**known, "rows": [row for row in known["rows"] if row[1] in facts]},
        "runs_filter": {
            "project": name,
            "brand": line(brand.name, 120),
            "period": f"{day_text(days[0])}..{day_text(days[1])}",
            "status": "finished",
            "include_branded": True,
        },
    }
