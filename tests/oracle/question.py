"""A question about figures, its names found in the cache: projects with the brand in each, days, what narrows it."""

from dataclasses import dataclass

import figures
from measures import all_figures
from rows import BASES, DERIVED, UPSTREAM
from scope import brand_named, day_text, days_of, finished_runs, newest_day, projects_named, shown_name
from text import line

OF_RUNS = ("presence_rate", "mention_rate", "citation_rate")


@dataclass
class Question:
    cache: object
    asked: list
    days: tuple
    engine: str
    topic: str
    prompt: str
    include_branded: bool

    @property
    def projects(self):
        return [project for project, _ in self.asked]

    def runs(self, project, days=None, include_branded=None):
        """The finished runs in scope, oldest first; of other days where they are given."""
        branded = self.include_branded if include_branded is None else include_branded
        return [
            run for run in finished_runs(self.cache, project, days or self.days, self.engine, branded)
            if self.topic in (None, run.prompt.topic) and self.prompt in (None, run.prompt.public_id)
        ]

    def branded_left_out(self, project):
        return len(self.runs(project, include_branded=True)) - len(self.runs(project))

    def figures(self, runs, brand):
        """Every figure; in a question about one prompt its runs are the sample of what is counted in runs."""
        found = all_figures(runs, brand)
        if self.prompt is not None:
            for name in OF_RUNS:
                found[name] = figures.rate_of_one_prompt(found[name]["hits"], found[name]["runs"])
        return found

    def heading(self, project, brand):
        """What stands above every project's figures."""
        return {
            "project": line(shown_name(self.cache, project), 120),
            "source": project.source,
            "brand": line(brand.name, 120),
            "period": period(self.days),
        }

    def runs_filter(self, project, brand, **more):
        """The arguments of `list_prompt_runs` that give the runs in scope."""
        return {
            "project": line(shown_name(self.cache, project), 120),
            "brand": line(brand.name, 120),
            "period": f"{day_text(self.days[0])}..{day_text(self.days[1])}",
            "status": "finished",
            "include_branded": self.include_branded,
            "engine": self.engine,
            "topic": self.topic and line(self.topic, 200),
            "prompt_id": self.prompt,
            "domain": None,
            "gap": None,
            **more,
        }


def having(cache, arguments):
    """The projects that a question names, of several those that have its engine and its topic."""
    projects = projects_named(cache, arguments.get("project"))
    if arguments.get("engine"):
        engine = arguments["engine"].strip().lower()
        projects = [one for one in projects if any(run.engine == engine and not run.gone for run in cache.runs(one))]
    if arguments.get("topic"):
        topics = {one: {prompt.topic for prompt in cache.prompts(one).values()} for one in projects}
        projects = [one for one in projects if arguments["topic"] in topics[one]]
    return projects


def find(cache, arguments, now, period="30d"):
    """The question that these arguments are."""
    projects = having(cache, arguments)
    prompt = None
    if arguments.get("prompt_id"):
        wanted = arguments["prompt_id"].strip()
        prompt, projects = next(
            (one.public_id, [project]) for project in projects for one in cache.prompts(project).values()
            if wanted in (one.public_id, one.text)
        )
    asked = [(project, brand_named(cache.brands(project), arguments.get("brand"))) for project in projects]
    most = 8 if arguments.get("response_format") == "detailed" else 2
    asked = [(project, brand) for project, brand in asked if brand is not None][:most]
    newest = newest_day(cache, [project for project, _ in asked], now)
    return Question(
        cache, asked, days_of(arguments.get("period", period), newest),
        arguments["engine"].strip().lower() if arguments.get("engine") else None,
        arguments.get("topic"), prompt, arguments.get("include_branded", False),
    )


def period(days):
    return {"first": day_text(days[0]), "last": day_text(days[1])}


def bases(met):
    """By whom something was looked for, by name."""
    return [BASES[one] for one in (UPSTREAM, DERIVED) if one in met]
