"""What `brand_summary` must answer."""

from as_of import as_of
from changes import change
from compare import Shown, shown, table
from measures import all_figures, citation, gap, mention, presence
from question import having
from rows import BASES, DERIVED, UPSTREAM
from scope import (
    brand_named, day_text, days_of, finished_runs, is_below, newest_day, shown_name,
    window_before,
)
from text import line


def expected(cache, arguments, now):
    detailed = arguments.get("response_format") == "detailed"
    asked = [
        (project, brand_named(cache.brands(project), arguments.get("brand")))
        for project in having(cache, arguments)
    ]
    asked = [(project, brand) for project, brand in asked if brand is not None][: 8 if detailed else 2]
    rows = 20 if detailed else 5 if len(asked) == 1 else 1
    projects = [project for project, _ in asked]
    days = days_of(arguments.get("period"), newest_day(cache, projects, now))
    return {
        "summaries": [summary(cache, project, brand, days, rows, arguments) for project, brand in asked],
        "as_of": as_of(cache, projects, days, now),
    }


def summary(cache, project, brand, days, rows, arguments):
    engine = arguments["engine"].strip().lower() if arguments.get("engine") else None
    branded = arguments.get("include_branded", False)
    before = window_before(days)
    runs = finished_runs(cache, project, days, engine, branded)
    runs_before = finished_runs(cache, project, before, engine, branded)
    name = shown_name(cache, project)
    return {
        "project": line(name, 120),
        "source": project.source,
        "brand": line(brand.name, 120),
        "kind": brand.kind,
        "period": {"first": day_text(days[0]), "last": day_text(days[1])},
        "compared_with": {"first": day_text(before[0]), "last": day_text(before[1])},
        "basis": basis(runs, brand),
        "branded_runs_left_out": len(finished_runs(cache, project, days, engine, True)) - len(runs),
        **shown(all_figures(runs, brand)),
        "change": {
            "presence_rate": moved(runs_before, runs, presence(brand)),
            "mention_rate": moved(runs_before, runs, mention(brand)),
            "citation_rate": moved(runs_before, runs, citation(brand)),
        },
        "by_engine": engines(runs, brand, rows > 1),
        "top_sources": sources(runs, cache.brands(project), rows),
        "worst_gaps": gaps(runs, brand, cache.brands(project), rows),
        "runs_filter": {
            "project": line(name, 120),
            "brand": line(brand.name, 120),
            "period": f"{day_text(days[0])}..{day_text(days[1])}",
            "status": "finished",
            "include_branded": branded,
            "engine": engine,
        },
    }


def basis(runs, brand):
    """By whom the brand was looked for, and by whom all were, where that is another."""
    def met(by_whom):
        bases = {by_whom(run) for run in runs}
        return [BASES[one] for one in (UPSTREAM, DERIVED) if one in bases]

    def share(run, half):
        return run.share_basis(half) if brand.id in run.checks else 0

    own = [met(lambda run, half=half: run.basis(brand, half)) for half in (0, 1)]
    shares = [met(lambda run, half=half: share(run, half)) for half in (0, 1)]
    return {
        "mentions": own[0],
        "citations": own[1],
        "mention_share_of_voice": shares[0] if shares[0] != own[0] else None,
        "citation_share_of_voice": shares[1] if shares[1] != own[1] else None,
    }


def moved(before, now, measure):
    found = change(before, now, measure)
    return {
        "verdict": found["verdict"],
        "difference": Shown(found["difference"]),
        "low": Shown(found["low"]),
        "high": Shown(found["high"]),
        "smallest_detectable": Shown(found["smallest_detectable"]),
        "prompts": found["prompts"],
        "runs_before": found["runs_before"],
        "runs_now": found["runs_now"],
        "runs_left_out": found["left_out"]["runs_before"] + found["left_out"]["runs_now"],
    }


def engines(runs, brand, whole):
    """Every engine's figures; of projects side by side their presence alone."""
    more = ["mention_rate", "citation_rate", "citation_share_of_voice", "avg_citation_position"] if whole else []
    rows = []
    for engine in sorted({run.engine for run in runs}):
        found = all_figures([run for run in runs if run.engine == engine], brand)
        present = found["presence_rate"]
        rows.append([
            engine, found["runs"], Shown(present["value"]), Shown(present["low"]), Shown(present["high"]),
            *(Shown(found[name]["value"]) for name in more),
        ])
    return table(["engine", "runs", "presence_rate", "presence_low", "presence_high", *more], rows)


def sources(runs, brands, limit):
    """The domains that most runs cite."""
    counts = {}
    for run in runs:
        domains = [citation["domain"] for citation in run.citations if citation["domain"] is not None]
        for domain in set(domains):
            cited_by, citations = counts.get(domain, (0, 0))
            counts[domain] = (cited_by + 1, citations + domains.count(domain))
    rows = []
    most_first = sorted(counts.items(), key=lambda one: (-one[1][0], -one[1][1], one[0]))
    for domain, (cited_by, citations) in most_first[:limit]:
        owner = next((brand for brand in brands if any(is_below(own, domain) for own in brand.domains)), None)
        rows.append([
            line(domain, 120), cited_by, Shown(cited_by / len(runs)), citations,
            owner and line(owner.name, 120), owner and owner.kind,
        ])
    return table(["domain", "runs", "share_of_runs", "citations", "owner", "kind"], rows)


def gaps(runs, brand, brands, limit):
    """The prompts with most runs where a competitor appears and the own brand does not."""
    sums = {}
    for run in runs:
        gap_runs, every = sums.get(run.prompt, (0, 0))
        sums[run.prompt] = (gap_runs + gap(run, brand, brands), every + 1)
    found = [(prompt, pair) for prompt, pair in sums.items() if pair[0] > 0 and brand.kind == "own"]
    found.sort(key=lambda one: (-one[1][0], one[1][1], one[0].id))
    rows = [[prompt.public_id, line(prompt.text, 90), *pair] for prompt, pair in found[:limit]]
    return table(["prompt_id", "prompt", "gap_runs", "runs"], rows)
