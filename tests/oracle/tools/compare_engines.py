"""What `compare_engines` must answer."""

from as_of import as_of
from changes import by_prompt, change, controlled
from compare import Shown, table
from measures import presence
from question import bases, find
from scope import day_text
from text import line

RATES = ["engine", "runs", "presence_rate", "presence_low", "presence_high", "mention_rate", "citation_rate",
         "citation_share_of_voice", "avg_citation_position"]
AGAINST = ["engine", "best", "difference", "low", "high", "verdict", "smallest_detectable", "prompts"]


def expected(cache, arguments, now):
    question = find(cache, arguments, now)
    detailed = arguments.get("response_format") == "detailed"
    return {
        "projects": [compared(question, project, brand, detailed) for project, brand in question.asked],
        "as_of": as_of(cache, question.projects, question.days, now),
    }


def compared(question, project, brand, detailed):
    runs = question.runs(project)
    engines, apart, common, every = basket(runs, brand)
    inside = [run for run in runs if run.engine in engines and run.prompt in common]
    found = {engine: question.figures([run for run in inside if run.engine == engine], brand) for engine in engines}
    # What is in the basket was looked at, so that every engine has a presence rate.
    best_first = sorted(engines, key=lambda engine: (-found[engine]["presence_rate"]["value"], engine))
    name = f"engines {day_text(question.days[0])}..{day_text(question.days[1])}"
    return {
        **question.heading(project, brand),
        "mention_basis": bases({run.basis(brand, 0) for run in runs}),
        "citation_basis": bases({run.basis(brand, 1) for run in runs}),
        "prompts": len(common),
        "prompts_left_out": len(every) - len(common),
        "runs": len(inside),
        "runs_left_out": len(runs) - len(inside),
        "engines": rates(best_first, found, detailed),
        "engines_apart": [line(engine, 80) for engine in apart] or None,
        "against_best": against_best(inside, best_first, brand),
        "runs_filter": question.runs_filter(project, brand, basket=name if len(inside) < len(runs) else None),
    }


def basket(runs, brand):
    """The prompts that all engines were asked, with a run that was looked at in both ways.

    Engines are taken up from the one with most prompts on; one that would leave less than half of all prompts stays
    apart. Returns the engines, those apart, the prompts in common and all of them.
    """
    measure = presence(brand)
    asked, ids = {}, {}
    for run in runs:
        if measure(run) is not None:
            asked.setdefault(run.engine, set()).add(run.prompt)
            ids[run.engine] = run.row["engine_id"]
    every = set().union(*asked.values())
    engines, apart, common = [], [], set()
    for engine in sorted(asked, key=lambda engine: (-len(asked[engine]), ids[engine])):
        rest = common & asked[engine] if engines else asked[engine]
        if engines and 2 * len(rest) < len(every):
            apart.append(engine)
        else:
            engines.append(engine)
            common = rest
    return engines, sorted(apart, key=ids.get), common, every


def rates(engines, found, detailed):
    more = ["present_runs", "checked_runs", "mention_share_of_voice", "avg_mention_rank"] if detailed else []
    rows = []
    for engine in engines:
        of = found[engine]
        present = of["presence_rate"]
        row = [line(engine, 80), of["runs"], Shown(present["value"]), Shown(present["low"]), Shown(present["high"])]
        row += [Shown(of[name]["value"]) for name in RATES[5:]]
        if detailed:
            row += [present["hits"], present["runs"], *(Shown(of[name]["value"]) for name in more[2:])]
        rows.append(row)
    return table(RATES + more, rows)


def against_best(runs, engines, brand):
    """Each engine but the first less the first, paired by prompt."""
    def less(engine):
        before, now = ([run for run in runs if run.engine == one] for one in (engines[0], engine))
        return change(before, now, presence(brand), by_prompt)

    changes = controlled([less(engine) for engine in engines[1:]])
    return table(AGAINST, [
        [
            line(engine, 80), line(engines[0], 80), Shown(moved["difference"]), Shown(moved["low"]),
            Shown(moved["high"]), moved["verdict"], Shown(moved["smallest_detectable"]), moved["prompts"],
        ]
        for engine, moved in zip(engines[1:], changes)
    ])
