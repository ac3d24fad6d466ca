"""How fresh and how whole the data behind an answer is, per source: what every answer says of itself."""

from compare import Shown
from scope import day_text, instant_text, last_complete_day, statuses


def as_of(cache, projects, days, now):
    """Expected `as_of` of an answer about these projects and days."""
    expected = []
    for source in sorted({project.source for project in projects}):
        own = [project for project in projects if project.source == source]
        runs = [run for project in own for run in cache.runs(project) if days[0] <= run.day <= days[1]]
        finished, failed, unfinished = statuses(runs)
        every = finished + failed + unfinished
        complete = [last_complete_day(cache, project, now) for project in own]
        newest = max((day for day in complete if day is not None), default=None)
        expected.append({
            "source": source,
            "last_complete_day": None if newest is None else day_text(newest),
            "last_sync_at": instant_text(last_good_sync(cache, source)),
            "open_share": Shown(unfinished / every if every else 0.0),
            "failed_share": Shown(failed / every if every else 0.0),
            "syncing": is_syncing(cache, source, now),
        })
    return expected


def last_good_sync(cache, source):
    """When the newest sync ended that did all it had planned."""
    found = cache.rows(
        "SELECT r.ended_at FROM sync_run r JOIN source s ON s.id = r.source_id "
        "WHERE s.name = ? AND r.outcome = 'done' ORDER BY r.id DESC", source,
    )
    return found[0]["ended_at"] if found else None


def is_syncing(cache, source, now):
    held = cache.rows(
        "SELECT l.expires_at FROM lease l JOIN source s ON s.id = l.source_id WHERE s.name = ?", source
    )
    return any(row["expires_at"] > now for row in held)
