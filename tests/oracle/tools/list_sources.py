"""What `list_sources` must answer."""

from as_of import is_syncing, last_good_sync
from compare import Check, Shown, table
from scope import day_number, day_text, instant_text, last_complete_day, projects_named, shown_name, statuses
from scores import recheck
from text import line


def expected(cache, arguments, now, answer):
    projects = projects_named(cache, arguments.get("project"))
    detailed = arguments.get("response_format") == "detailed"
    # Sources that are configured and hold nothing yet are in no row.
    names = sorted({project.source for project in projects} | {one["source"] for one in answer["sources"]})
    whole = max((40 if detailed else 10) // max(len(names), 1), 1)
    return {"sources": [source(cache, name, projects, whole, detailed, now) for name in names]}


def source(cache, name, projects, whole, detailed, now):
    own = [project for project in projects if project.source == name]
    of_source = "FROM {0} x JOIN source s ON s.id = x.source_id WHERE s.name = ?"
    drift = cache.rows("SELECT x.* " + of_source.format("drift") + " ORDER BY x.last_at DESC, x.record, x.field", name)
    by_reason = of_source.format("quarantine") + " GROUP BY x.reason ORDER BY 2 DESC, 1 LIMIT 10"
    reasons = cache.rows("SELECT x.reason, count(*) " + by_reason, name)
    drift_rows = [[row["record"], row["field"], row["kind"], instant_text(row["last_at"])] for row in drift[:50]]
    return {
        "source": name,
        "syncing": is_syncing(cache, name, now),
        "last_sync": last_sync(cache, name),
        "last_good_sync_at": instant_text(last_good_sync(cache, name)),
        "quarantined_rows": cache.value("SELECT count(*) " + of_source.format("quarantine"), name),
        "quarantine": table(["reason", "rows"], reasons) if detailed else None,
        "drift_count": min(len(drift), 200),
        "drift": table(["record", "field", "kind", "last_seen_at"], drift_rows) if detailed else None,
        "projects": [of_project(cache, one, detailed, now) for one in own[:whole]],
        "projects_known": len(own),
    }


def last_sync(cache, name):
    found = cache.rows(
        "SELECT r.* FROM sync_run r JOIN source s ON s.id = r.source_id WHERE s.name = ? ORDER BY r.id DESC", name
    )
    return {
        "started_at": instant_text(found[0]["started_at"]),
        "ended_at": instant_text(found[0]["ended_at"]),
        "added": found[0]["added"],
        "changed": found[0]["changed"],
        "unchanged": found[0]["unchanged"],
        "error": found[0]["error"],
    } if found else None


def of_project(cache, one, detailed, now):
    runs = cache.runs(one)
    finished, failed, unfinished = statuses(runs)
    complete = last_complete_day(cache, one, now)
    kept = [brand for brand in cache.brands(one) if not brand.gone]
    engines = sorted({run.engine for run in runs if not run.gone})
    by_engine = [[engine, *statuses([run for run in runs if run.engine == engine])] for engine in engines]
    days = [run.day for run in runs]
    followed = [brand for brand in kept if brand.kind in ("own", "competitor")][:8]
    window = None if complete is None else (complete - 29, complete)
    return {
        "project": line(shown_name(cache, one), 120),
        "first_day": day_text(min(days)) if days else None,
        "last_day": day_text(max(days)) if days else None,
        "last_complete_day": None if complete is None else day_text(complete),
        "finished_runs": finished,
        "failed_runs": failed,
        "open_runs": unfinished,
        "prompts": cache.value("SELECT count(*) FROM prompt WHERE project_id = ?", one.id),
        "brands": len(kept),
        "missing_slices": cache.value(
            "SELECT count(*) FROM slice WHERE project_id = ? AND completed_at IS NULL", one.id
        ),
        "engines": engines[:30],
        "runs_by_engine": table(["engine", "finished", "failed", "open"], by_engine) if detailed else None,
        "rechecked": rechecked(cache, one, followed, window) if detailed and window else None,
        "agreement": agreement(runs, [brand for brand in followed if brand.kind == "own"], window)
        if detailed and window else None,
    }


def agreement(runs, brands, days):
    """Runs where what the tracker says of a brand and what was read off the text agree."""
    rows = []
    for brand in brands:
        for half, fact, column in ((0, "mentioned", "mentions"), (1, "cited", "citations")):
            both = [
                (bool(run.fact(brand, column)), bool(run.fact(brand, "derived_" + column)))
                for run in runs
                if run.finished and days[0] <= run.day <= days[1] and run.row["detected"] is not None
                and run.basis(brand, half) == 1
            ]
            if both:
                agreed = sum(one == other for one, other in both)
                rows.append([line(brand.name, 120), fact, len(both), Shown(agreed / len(both)),
                             both.count((True, False)), both.count((False, True))])
    columns = ["brand", "fact", "runs", "agreement", "upstream_only", "derived_only"]
    return table(columns, rows) if rows else None


def rechecked(cache, one, brands, days):
    """How far published figures are from the same computed from the runs."""
    rows = []
    by_key = {brand.key: brand for brand in brands}
    for (key, metric), off in sorted(recheck(cache, one, days).items()):
        if key in by_key:
            rows.append([
                line(by_key[key].name, 120), metric, len(off), Shown(sum(off.values()) / len(off)),
                Shown(max(off.values())), day_of_greatest(off),
            ])
    columns = ["brand", "figure", "days", "mean_difference", "greatest_difference", "on_day"]
    return table(columns, rows) if rows else None


def day_of_greatest(off):
    """The day of the greatest difference; any of those that are equal but for the last bits."""
    def judge(day):
        is_greatest = max(off.values()) - off.get(day_number(day), -1.0) < 1e-9
        return None if is_greatest else "the day of the greatest difference"
    return Check(judge)
