"""What `get_run_details` must answer: the facts off the rows, and the pieces of texts that were given beside them."""

from as_of import as_of
from compare import Check, Shown, table
from rows import BASES, KINDS
from scope import brand_named, day_text, instant_text, newest_day, shown_name
from text import clean, line

BRANDS = ["brand", "kind", "mention_basis", "mentions", "derived_mentions", "citation_basis", "citations",
          "best_position", "mention_rank", "sentiment", "sentiment_justification", "visibility_score"]


def expected(cache, arguments, now, answer):
    wanted = arguments["run_id"].strip()
    project, run = next((p, run) for p in cache.projects for run in cache.runs(p) if run.public_id == wanted)
    detailed = arguments.get("response_format") == "detailed"
    brands = cache.brands(project)
    brand = brand_named(brands, arguments.get("brand"))
    newest = newest_day(cache, [project], now)
    row, texts = run.row, cache.texts[run.public_id]
    previous, following = neighbours(cache, project, run)
    former = cache.rows("SELECT * FROM run_history WHERE run_id = ? ORDER BY id DESC LIMIT 20", run.id)
    known = sum(run.fact(brand, "derived_mentions") or 0 for brand in brands if brand.tracked and not brand.gone)
    return {
        "run_id": run.public_id,
        "source": project.source,
        "project": line(shown_name(cache, project), 120),
        "engine": run.engine,
        "status": run.status,
        "day": day_text(run.day),
        "created_at": instant_text(run.created_at),
        "started_at": instant_text(row["started_at"]),
        "finished_at": instant_text(row["finished_at"]),
        "prompt": piece(run.prompt.text, 0),
        "prompt_id": run.prompt.public_id,
        "branded": run.prompt.branded,
        "answer": piece(texts["answer"], arguments.get("answer_offset", 0)),
        "seen_from": brand and {
            "brand": line(brand.name, 120),
            "visible": run.visible(brand),
            "total_citations": run.citations_of(brand),
            "total_mentions": run.mentions(brand),
            "best_position": run.fact(brand, "best_citation_position"),
            "avg_sentiment": Check(lambda given: close(given, run.fact(brand, "sentiment"))),
        },
        "answer_citations": row["total_citations"],
        **citations(cache, run, arguments.get("citations_offset", 0), answer),
        "brands": facts(run, brands, detailed),
        "mentions_known": known,
        "mentions": Check(lambda given: mentions(given, known, detailed, texts["answer"])),
        "web_search": None if row["web_search"] is None else bool(row["web_search"]),
        "cost_usd": row["cost_usd"] if detailed else None,
        "history": history(run, former) if detailed else None,
        "former_states": len(former),
        "previous_run_id": previous,
        "next_run_id": following,
        "gone_at": instant_text(row["gone_at"]),
        "upstream_record": piece(texts["record"], arguments.get("record_offset", 0)) if detailed else None,
        "as_of": as_of(cache, [project], (newest - 29, newest), now),
    }


def close(given, wanted):
    """Sentiment is passed on as the upstream gave it."""
    same = given is wanted or None not in (given, wanted) and abs(given - wanted) <= 1e-9
    return None if same else wanted


def piece(text, offset):
    """A piece of a text, from a character on; of the text as it is quoted."""
    text = None if text is None else clean(text)

    def judge(given):
        if text is None or given is None:
            return None if given is text else text
        held, end = len(given["text"]), given.get("next_offset")
        if given["total_chars"] != len(text) or given["text"] != text[offset : offset + held]:
            return f"{len(text)} characters, from {offset} on: {text[offset : offset + held]!r}"
        if given["truncated"] != (end is not None) or (end or max(len(text), offset)) != offset + held:
            return f"where the text goes on behind {offset + held} of {len(text)} characters"
        return None
    return Check(judge)


def neighbours(cache, project, run):
    """The runs of the same prompt and engine just before and just after."""
    alike = [
        other for other in cache.runs(project)
        if other.prompt == run.prompt and other.engine == run.engine and (not other.gone or other is run)
    ]
    alike.sort(key=lambda other: (other.created_at, other.id))
    at = alike.index(run)
    before, after = alike[at - 1 : at] if at else [], alike[at + 1 : at + 2]
    return (before[0].public_id if before else None), (after[0].public_id if after else None)


def citations(cache, run, offset, answer):
    brands = {row["id"]: row for row in cache.rows("SELECT id, name, kind FROM brand")}
    known, shown = len(run.citations), len(answer["citations"]["rows"])
    passed = min(offset, known)
    rows = []
    for row in run.citations[passed : passed + shown]:
        owner = brands.get(row["brand_id"])
        rows.append([
            row["position"], line(row["url"], 400), row["domain"] and line(row["domain"], 120),
            owner and line(owner["name"], 120), owner and owner["kind"], Shown(row["quality"]),
        ])
    return {
        "citations_known": known,
        "next_citations_offset": passed + shown if passed + shown < known else None,
        "citation_basis": "derived" if run.row["citations_derived"] else "upstream",
        "citations": table(["position", "url", "domain", "brand", "kind", "quality"], rows),
    }


def facts(run, brands, detailed):
    """Brands that appear; all that were looked for when detailed."""
    rows = []
    looked_for = [brand for brand in brands if brand.id in run.checks]
    for brand in sorted(looked_for, key=lambda brand: (KINDS.get(brand.kind, 2), brand.name, brand.key)):
        derived = None if run.row["detected"] is None else run.fact(brand, "derived_mentions") or 0
        named = run.mentions(brand) or derived or run.citations_of(brand)
        if not (detailed or brand.kind == "own" or named):
            continue
        why = run.fact(brand, "sentiment_justification")
        rows.append([
            line(brand.name, 120), brand.kind, BASES.get(run.basis(brand, 0)), run.mentions(brand), derived,
            BASES.get(run.basis(brand, 1)), run.citations_of(brand), run.fact(brand, "best_citation_position"),
            run.fact(brand, "mention_rank"), Shown(run.fact(brand, "sentiment")), why and line(why, 500),
            Shown(run.fact(brand, "visibility_score")),
        ])
    return table(BRANDS, rows[:100])


def mentions(given, known, detailed, text):
    """Are there as many mentions as there must be, each where it says?"""
    if len(given["rows"]) != min(known, 60 if detailed else 3):
        return f"the first of {known} mentions"
    text = clean(text or "")
    for _, spelling, offset, _ in given["rows"]:
        there = text[offset : offset + len(spelling)]
        if there.casefold() != spelling.casefold():
            return f"{spelling!r} at {offset}, where the answer has {there!r}"
    return None


def history(run, former):
    rows = [
        [instant_text(row["replaced_at"]), row["status"], row["answer_hash"] != run.row["answer_hash"],
         line(row["facts"], 500)]
        for row in former
    ]
    return table(["replaced_at", "status", "answer_differed", "facts"], rows)
