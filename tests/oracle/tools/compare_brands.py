"""What `compare_brands` must answer."""

from as_of import as_of
from changes import change, controlled
from compare import Shown, table
from measures import presence, prompt_split
from ranked_pages import default_limit, next_cursor, shown_of, start
from question import bases, find
from scope import brand_named
from text import line

TOOL = "compare_brands"
LEADERS = ["brand", "kind", "presence_rate", "presence_low", "presence_high", "mention_rate", "citation_rate",
           "mention_share_of_voice", "citation_share_of_voice", "avg_mention_rank"]
DUELS = ["rival", "only_us", "only_them", "both", "neither", "difference", "low", "high", "verdict",
         "smallest_detectable"]
# Brands of an answer, all projects together.
BRANDS = 100


def expected(cache, arguments, now, answer):
    question = find(cache, arguments, now)
    detailed = arguments.get("response_format") == "detailed"
    defaults = (20, 20) if detailed else (10, 4)
    limit = min(default_limit(arguments, len(question.asked), *defaults), BRANDS // max(len(question.asked), 1))
    at, = start(TOOL, arguments, 1)
    given = iter(answer["projects"])
    projects, longest = [], 0
    for project, brand in question.asked:
        rival = brand_named(cache.brands(project), arguments["rival"]) if arguments.get("rival") else None
        one, prompts = compared(question, project, brand, rival, limit, detailed)
        of_answer = next(given, {})
        if rival is not None:
            listed = of_answer["only_them_prompts"]["rows"]
            shown = shown_of(max(len(prompts) - at, 0), limit, listed, len(question.asked))
            one["only_them_prompts"] = table(["prompt_id", "prompt", "rival_runs"], prompts[at : at + shown])
            longest = max(longest, len(prompts))
        projects.append(one)
    # One cursor goes on with the lists of all projects, of which so many rows were shown.
    shown = max((len(one.get("only_them_prompts", {"rows": []})["rows"]) for one in projects), default=0)
    return {
        "projects": projects,
        "next_cursor": next_cursor(TOOL, arguments, answer, [at + shown], longest > at + shown),
        "as_of": as_of(cache, question.projects, question.days, now),
    }


def compared(question, project, brand, rival, limit, detailed):
    """The tables of a project, and the prompts where the rival alone appears."""
    runs = question.runs(project)
    named = (brand, rival)
    contenders = [
        (one, question.figures(runs, one)) for one in question.cache.brands(project) if one.tracked or one in named
    ]
    contenders.sort(key=lambda one: (
        -or_least(one[1]["presence_rate"]), -or_least(one[1]["mention_share_of_voice"]), one[0].name,
    ))
    shown = [one for place, one in enumerate(contenders) if place < limit or one[0] in named]
    others = [one for one, _ in shown if one != brand]
    return {
        **question.heading(project, brand),
        "runs": len(runs),
        "branded_runs_left_out": question.branded_left_out(project),
        "prompts": len({run.prompt.id for run in runs}),
        "leaderboard": leaderboard(runs, shown, detailed),
        "brands_not_shown": len(contenders) - len(shown),
        "head_to_head": head_to_head(runs, brand, others),
        "runs_filter": question.runs_filter(project, brand),
    }, only_them(runs, brand, rival)


def or_least(rate):
    return -1.0 if rate["value"] is None else rate["value"]


def leaderboard(runs, shown, detailed):
    more = ["present_runs", "checked_runs", "mention_basis", "citation_basis"] if detailed else []
    rows = []
    for brand, found in shown:
        present = found["presence_rate"]
        row = [line(brand.name, 80), brand.kind, Shown(present["value"]), Shown(present["low"]), Shown(present["high"])]
        row += [Shown(found[name]["value"]) for name in LEADERS[5:]]
        if detailed:
            met = [bases({run.basis(brand, half) for run in runs}) for half in (0, 1)]
            row += [present["hits"], present["runs"], *met]
        rows.append(row)
    return table(LEADERS + more, rows)


def head_to_head(runs, brand, others):
    found = controlled([less(runs, brand, other) for other in others])
    rows = []
    for other, moved in zip(others, found):
        split = prompt_split(runs, brand, other)
        rows.append([
            line(other.name, 80), *(len(split[name]) for name in DUELS[1:5]),
            Shown(moved["difference"]), Shown(moved["low"]), Shown(moved["high"]), moved["verdict"],
            Shown(moved["smallest_detectable"]),
        ])
    return table(DUELS, rows)


def less(runs, brand, other):
    """The presence rate of the brand less that of another, paired by prompt and engine."""
    return change(runs, runs, presence(other), now_measure=presence(brand))


def only_them(runs, brand, rival):
    """The prompts where the rival alone appears, those first in whose runs it appears most."""
    if rival is None:
        return []
    prompts = prompt_split(runs, brand, rival)["only_them"]
    measure = presence(rival)
    counts = {prompt: 0 for prompt in prompts}
    for run in runs:
        if run.prompt in counts and measure(run):
            counts[run.prompt] += measure(run)[0]
    most_first = sorted(counts.items(), key=lambda one: (-one[1], one[0].id))
    return [[prompt.public_id, line(prompt.text, 90), count] for prompt, count in most_first]
