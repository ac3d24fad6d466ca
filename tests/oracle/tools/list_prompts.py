"""What `list_prompts` must answer."""

from collections import Counter

from as_of import as_of
from compare import Shown, table
from figures import per_prompt, rate_of_one_prompt, ratio
from measures import brand_list_overlap, citation, flip_rate, mention, presence, rank
from pages import Pages
from question import having
from scope import brand_named, day_text, days_of, finished_runs, newest_day, shown_name
from text import line
from tools.brand_summary import basis
from words import holds

pages = Pages(20)


class Item:
    """A prompt in the list: `runs` are its finished ones."""

    def __init__(self, project, brand, prompt, runs):
        self.project, self.brand, self.prompt, self.runs = project, brand, prompt, runs

    def rate(self, measure):
        """The rate over this prompt's own runs, which are the sample."""
        [(hits, runs)] = per_prompt(self.runs, measure(self.brand)) or [(0, 0)]
        return rate_of_one_prompt(hits, runs)

    def value(self, sort):
        """What it is sorted by; None where it has none."""
        return {
            "runs": lambda: len(self.runs),
            "presence_rate": lambda: self.rate(presence)["value"],
            "citation_rate": lambda: self.rate(citation)["value"],
            "flip_rate": lambda: flip_rate(self.runs, self.brand)["value"],
            "prompt": lambda: self.prompt.text.lower(),
        }[sort]()


def expected(cache, arguments, now, answer):
    detailed = arguments.get("response_format") == "detailed"
    asked = [
        (project, brand_named(cache.brands(project), arguments.get("brand")))
        for project in having(cache, arguments)
    ]
    asked = [(project, brand) for project, brand in asked if brand is not None][: 8 if detailed else 2]
    if not asked:
        return None
    projects = [project for project, _ in asked]
    days = days_of(arguments.get("period"), newest_day(cache, projects, now))
    found = pages.of(arguments, lambda: ordered(cache, asked, days, arguments))
    page, next_cursor = pages.page(arguments, answer, len(answer["prompts"]["rows"]))
    return {
        "projects": [
            of_project(cache, project, brand, [item for item in found if item.project == project], days, arguments)
            for project, brand in asked
        ],
        "prompts": listing(cache, page, len(asked) > 1, detailed),
        "total": len(found),
        "next_cursor": next_cursor,
        "as_of": as_of(cache, projects, days, now),
    }


def engine_of(arguments):
    return arguments["engine"].strip().lower() if arguments.get("engine") else None


def ordered(cache, asked, days, arguments):
    """All prompts that pass the filters: those with runs first, then those with a value; equal ones by their words."""
    items = []
    for project, brand in asked:
        runs = finished_runs(cache, project, days, engine_of(arguments), True)
        for prompt in cache.prompts(project).values():
            if passes(prompt, arguments):
                items.append(Item(project, brand, prompt, [run for run in runs if run.prompt == prompt]))
    sort = arguments.get("sort", "runs")
    descending = arguments.get("order", "asc" if sort == "prompt" else "desc") == "desc"
    items.sort(key=lambda item: item.prompt.text.lower())
    valued = [item for item in items if item.value(sort) is not None]
    valued.sort(key=lambda item: item.value(sort), reverse=descending)
    return sorted(
        valued + [item for item in items if item.value(sort) is None], key=lambda item: not item.runs
    )


def passes(prompt, arguments):
    topic, text = arguments.get("topic"), arguments.get("text")
    return (
        (topic is None or prompt.topic == topic) and (text is None or holds(prompt.text, text))
        and (arguments.get("include_branded", True) or not prompt.branded)
    )


def of_project(cache, project, brand, items, days, arguments):
    """What there is to say of a project's prompts together."""
    branded, topic = arguments.get("include_branded", True), arguments.get("topic")
    engine = engine_of(arguments)
    runs = [
        run for run in finished_runs(cache, project, days, engine, branded)
        if topic is None or run.prompt.topic == topic
    ]
    name = line(shown_name(cache, project), 120)
    topics = Counter(line(item.prompt.topic, 80) for item in items if item.prompt.topic is not None)
    most_first = sorted(topics.items(), key=lambda one: (-one[1], one[0]))[:50]
    detailed = arguments.get("response_format") == "detailed"
    return {
        "project": name,
        "source": project.source,
        "brand": line(brand.name, 120),
        "period": {"first": day_text(days[0]), "last": day_text(days[1])},
        "basis": basis(runs, brand),
        "prompts": len(items),
        "prompts_without_runs": sum(not item.runs for item in items),
        "runs": len(runs),
        "topics": table(["topic", "prompts"], most_first) if detailed else None,
        "runs_filter": {
            "project": name,
            "brand": line(brand.name, 120),
            "period": f"{day_text(days[0])}..{day_text(days[1])}",
            "status": "finished",
            "include_branded": branded,
            "engine": engine,
            "topic": topic and line(topic, 200),
        },
    }


def listing(cache, page, several, detailed):
    columns = ["prompt_id", "prompt", "topic", "branded", "runs", "presence_rate", "low", "high"]
    if detailed:
        columns += ["mention_rate", "citation_rate", "avg_mention_rank", "brand_list_overlap"]
    columns += ["flip_rate", "project"] if several else ["flip_rate"]
    rows = []
    for item in page:
        prompt, present = item.prompt, item.rate(presence)
        row = [
            prompt.public_id, line(prompt.text, 300 if detailed else 90), prompt.topic and line(prompt.topic, 80),
            prompt.branded, len(item.runs), *(Shown(present[name]) for name in ("value", "low", "high")),
        ]
        if detailed:
            row += [
                Shown(item.rate(mention)["value"]), Shown(item.rate(citation)["value"]),
                Shown(ratio(per_prompt(item.runs, rank(item.brand)))),
                Shown(brand_list_overlap(item.runs, cache.brands(item.project))),
            ]
        row.append(Shown(flip_rate(item.runs, item.brand)["value"]))
        rows.append(row + [line(shown_name(cache, item.project), 120)] if several else row)
    return table(columns, rows)
