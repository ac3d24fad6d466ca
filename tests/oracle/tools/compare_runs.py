"""What `compare_runs` must answer; nothing where it must refuse."""

from collections import Counter

from as_of import as_of
from compare import Check, Shown, table
from likeness import likeness, only_in, sentences
from measures import jaccard
from scope import instant_text, newest_day, shown_name
from text import line

FATES = {(True, False): "entered", (False, True): "left", (True, True): "stayed"}
ORDER = ["entered", "left", "stayed", "unknown"]


def expected(cache, arguments, now):
    this = run_named(cache, arguments["run_id"])
    other = run_named(cache, arguments["other_run_id"]) if arguments.get("other_run_id") else run_before(cache, *this)
    if other is None or other == this or this[1].answer is None or other[1].answer is None:
        return None
    detailed = arguments.get("response_format") == "detailed"
    begin, most, chars = arguments.get("offset", 0), 40 if detailed else 8, 300 if detailed else 140
    (project, run), (other_project, other_run) = this, other
    here, there = sentences(run.answer), sentences(other_run.answer)
    entered, left = only_in(here, there), only_in(there, here)
    brands, domains = brand_rows(cache, this, other), domain_rows(run, other_run)
    known = [row for row in brands if row[2] != "unknown"]
    longest = max(entered.total(), left.total(), len(brands), len(domains))
    models = [model_of(cache, one) for one in (run, other_run)]
    projects = [project] if project == other_project else [project, other_project]
    newest = newest_day(cache, projects, now)
    return {
        "runs": table(
            ["role", "run_id", "created_at", "engine", "model", "status", "project", "source", "answer_chars"],
            [side(cache, "this", *this), side(cache, "other", *other)],
        ),
        "prompt": line(run.prompt.text, 300),
        "other_prompt": None if run.prompt == other_run.prompt else line(other_run.prompt.text, 300),
        "same_prompt": run.prompt == other_run.prompt,
        "model_changed": None if None in models else models[0] != models[1],
        "text_similarity": Shown(likeness(run.answer, other_run.answer)),
        "entered_sentences": entered.total(),
        "left_sentences": left.total(),
        "entered": listed(entered, here, begin, most, chars),
        "left": listed(left, there, begin, most, chars),
        "brand_overlap": Shown(sum(row[2] == "stayed" for row in known) / len(known) if known else None),
        "brands_known": len(brands),
        "brands": table(
            ["brand", "kind", "change", "mentions", "other_mentions", "citations", "other_citations"],
            brands[begin : begin + most],
        ),
        "domain_overlap": Shown(jaccard(cited(run), cited(other_run))),
        "domains_known": len(domains),
        "domains": table(["domain", "change", "citations", "other_citations"], domains[begin : begin + most]),
        "next_offset": begin + most if begin + most < longest else None,
        "as_of": as_of(cache, projects, (newest - 29, newest), now),
    }


def run_named(cache, name):
    return next((p, run) for p in cache.projects for run in cache.runs(p) if run.public_id == name.strip())


def run_before(cache, project, run):
    """The finished run of the same prompt on the same engine just before."""
    earlier = [
        one for one in cache.runs(project)
        if one.finished and (one.prompt, one.engine) == (run.prompt, run.engine)
        and (one.created_at, one.id) < (run.created_at, run.id)
    ]
    return (project, max(earlier, key=lambda one: (one.created_at, one.id))) if earlier else None


def model_of(cache, run):
    return run.row["model_id"] and cache.value("SELECT name FROM model WHERE id = ?", run.row["model_id"])


def side(cache, role, project, run):
    model = model_of(cache, run)
    return [
        role, run.public_id, instant_text(run.created_at), line(run.engine, 80), model and line(model, 120),
        run.status, line(shown_name(cache, project), 120), project.source, len(run.answer),
    ]


def listed(counts, text, begin, most, chars):
    """A page of the sentences that are in one text alone, in its order."""
    found = [sentence for sentence in text if counts[sentence]]
    if Counter(found) == counts:
        return [line(sentence, chars) for sentence in found[begin : begin + most]]
    # Which of several equal ones is left over may be seen in more than one way.
    wanted, names = max(min(counts.total() - begin, most), 0), {line(sentence, chars) for sentence in found}
    return Check(lambda given: None if len(given) == wanted and set(given) <= names else f"{wanted} of {names}")


def brand_rows(cache, this, other):
    """Brands that are on either side: what entered, what left, what stayed, what is not known; own ones first."""
    (project, run), (other_project, other_run) = this, other
    here = {name_of(brand, this, other): brand for brand in cache.brands(project) if brand.id in run.checks}
    there = {
        name_of(brand, this, other): brand for brand in cache.brands(other_project) if brand.id in other_run.checks
    }
    rows = []
    for name in here.keys() | there.keys():
        one, same = here.get(name), there.get(name)
        seen = (one and run.visible(one), same and other_run.visible(same))
        if any(seen):
            brand = one or same
            rows.append([
                line(brand.name, 120), brand.kind, FATES.get(seen, "unknown"), one and run.mentions(one),
                same and other_run.mentions(same), one and run.citations_of(one),
                same and other_run.citations_of(same),
            ])
    return sorted(rows, key=lambda row: (ORDER.index(row[2]), row[1] != "own", row[0]))


def name_of(brand, this, other):
    """What a brand is told by: within a project its key, between two its name."""
    return brand.key if this[0] == other[0] else brand.name.lower()


def cited(run):
    """Citations by domain."""
    return Counter(citation["domain"] for citation in run.citations if citation["domain"] is not None)


def domain_rows(run, other):
    here, there = cited(run), cited(other)
    rows = [
        [line(domain, 120), FATES[here[domain] > 0, there[domain] > 0], here[domain], there[domain]]
        for domain in sorted(here.keys() | there.keys())
    ]
    return sorted(rows, key=lambda row: ORDER.index(row[1]))
