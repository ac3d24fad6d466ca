"""What a question is about: from the names and periods in arguments to projects, brands, days and runs."""

from calendar import monthrange
from datetime import date, datetime, timedelta, timezone

from rows import FAILED, FINISHED

EPOCH = date(1970, 1, 1)


def day_text(day):
    """A day as people see it."""
    return (EPOCH + timedelta(days=day)).isoformat()


def day_number(text):
    return (date.fromisoformat(text) - EPOCH).days


def day_of(milliseconds):
    return milliseconds // 86_400_000


def instant_text(milliseconds):
    """An instant as people see it; None where there is none."""
    if milliseconds is None:
        return None
    seconds, rest = divmod(milliseconds, 1000)
    text = datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return text + (f".{rest:03}".rstrip("0") if rest else "") + "Z"


def instant_number(text):
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def shown_name(cache, project):
    """A project's name, with its source in front where another source has one of that name."""
    twins = [other for other in cache.projects if other.name.lower() == project.name.lower()]
    return f"{project.source}/{project.name}" if len(twins) > 1 else project.name


def projects_named(cache, name):
    """The projects asked about: those of this name or key, or all."""
    if name is None:
        return list(cache.projects)
    wanted = str(name).strip().lower()
    return [
        project for project in cache.projects
        if wanted in (project.name.lower(), project.key.lower(), f"{project.source}/{project.name}".lower())
    ]


def brand_named(brands, name):
    """The brand asked about, by name, key, alias or domain; the own one where none is named. None if there is none."""
    if name is None:
        return next((brand for brand in brands if brand.kind == "own"), None)
    wanted = name.strip().lower()
    for brand in brands:
        if wanted in (brand.name.lower(), brand.key.lower(), *(alias.lower() for alias in brand.aliases)):
            return brand
    host = wanted.split("://")[-1].split("/")[0].removeprefix("www.")
    return next((brand for brand in brands if any(is_below(host, domain) for domain in brand.domains)), None)


def is_below(host, domain):
    """Is a host this domain, or below it?"""
    return host == domain or host.endswith("." + domain)


def days_of(period, newest):
    """First and last day of a period, as people write it; the last days end with `newest`."""
    period = (period or "30d").strip()
    if period[-1] in "dD" and period[:-1].isdigit():
        return newest - int(period[:-1]) + 1, newest
    if len(period) == 7:
        year, month = map(int, period.split("-"))
        first = day_number(period + "-01")
        return first, first + monthrange(year, month)[1] - 1
    first, _, last = period.partition("..")
    return day_number(first), day_number(last or first)


def window_before(days):
    """The window of equal length just before."""
    first, last = days
    return first - (last - first + 1), first - 1


def finished_runs(cache, project, days, engine=None, include_branded=False):
    """Finished runs of some days, oldest first."""
    return [
        run for run in cache.runs(project)
        if run.finished and days[0] <= run.day <= days[1]
        and (engine is None or run.engine == engine) and (include_branded or not run.prompt.branded)
    ]


def last_complete_day(cache, project, now):
    """The newest day that is over and was read to its end after it was over, with no slice of it missing.

    Slices of the same days are complete together, up to the day before the first of them was read to its end.
    """
    groups = {}
    for row in cache.rows("SELECT first_day, last_day, completed_at FROM slice WHERE project_id = ?", project.id):
        groups.setdefault((row["last_day"], row["first_day"]), []).append(row["completed_at"])
    for (last, first), read_at in sorted(groups.items(), reverse=True):
        if None not in read_at:
            until = min(min(day_of(min(at, now)) - 1, last) for at in read_at)
            if until >= first:
                return until
    return None


def newest_day(cache, projects, now):
    """The day that `7d` and the like end with: the last complete one, else the newest with data, else yesterday."""
    complete = [last_complete_day(cache, project, now) for project in projects]
    complete = [day for day in complete if day is not None]
    with_data = [run.day for project in projects for run in cache.runs(project)]
    return max(complete or with_data or [day_of(now) - 1])


def statuses(runs):
    """How many runs are finished, failed and open, of those that are not gone."""
    ids = [run.row["status_id"] for run in runs if not run.gone]
    finished, failed = ids.count(FINISHED), ids.count(FAILED)
    return finished, failed, len(ids) - finished - failed
