"""The cache's rows as plain objects: projects, brands, and runs with what was checked and what was found.

Rollups (day_*) are never read: they are what is checked. So is everything else that could be computed from the rows,
such as the basis of a share of voice.
"""

import sqlite3
from dataclasses import dataclass
from functools import cached_property

NOBODY, UPSTREAM, DERIVED = 0, 1, 2
BASES = {UPSTREAM: "upstream", DERIVED: "derived"}
FINISHED, FAILED = 3, 4
KINDS = {"own": 0, "competitor": 1}
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass(frozen=True)
class Project:
    id: int
    source: str
    upstream: str
    key: str
    name: str


@dataclass(frozen=True)
class Brand:
    id: int
    key: str
    name: str
    kind: str
    gone: bool
    domains: tuple
    aliases: tuple

    @property
    def tracked(self):
        return self.kind in KINDS or self.key.startswith("config:")


@dataclass(frozen=True)
class Prompt:
    id: int
    public_id: str
    text: str
    topic: str
    branded: bool


class Run:
    """One run. `facts` are rows of run_brand by brand, `checks` are (mentions, citations) by brand."""

    def __init__(self, row, prompt, engine, status, checks):
        self.row = row
        self.id = row["id"]
        self.public_id = public_id("r", row["public_id"])
        self.prompt = prompt
        self.engine = engine
        self.status = status
        self.day = row["day"]
        self.created_at = row["created_at"]
        self.gone = row["gone_at"] is not None
        self.finished = row["status_id"] == FINISHED and not self.gone
        self.checks = checks
        self.facts = {}
        # The text, where the caller gave it.
        self.answer = None
        self.citations = []

    def fact(self, brand, column):
        fact = self.facts.get(brand.id)
        return None if fact is None else fact[column]

    def basis(self, brand, half):
        """By whom the brand was looked for; half is 0 for mentions, 1 for citations."""
        return self.checks.get(brand.id, (NOBODY, NOBODY))[half]

    def mentions(self, brand):
        """The brand's mentions; None where it was not looked for, 0 where it was and is not there."""
        return (self.fact(brand, "mentions") or 0) if self.basis(brand, 0) else None

    def citations_of(self, brand):
        """The same for citations."""
        return (self.fact(brand, "citations") or 0) if self.basis(brand, 1) else None

    def visible(self, brand):
        """Is the brand named or cited? None where that is not known."""
        halves = (self.mentions(brand), self.citations_of(brand))
        if any(halves):
            return True
        return None if None in halves else False

    def share_basis(self, half):
        """By whom all brands of the run were checked, so that their counts may be added up; NOBODY where one was not.

        Counts of the upstream and counts off the text cannot be added up, but those off the text are there for all.
        A share needs somebody to share with.
        """
        bases = [checks[half] for checks in self.checks.values()]
        if len(bases) < 2 or NOBODY in bases:
            return NOBODY
        return DERIVED if DERIVED in bases else UPSTREAM

    def share_counts(self, half):
        """Counts by brand for a share of voice: of all brands that were checked, of one basis."""
        column = ("mentions", "citations")[half]
        if self.share_basis(half) == DERIVED:
            column = "derived_" + column
        return {brand: (self.facts[brand][column] or 0) if brand in self.facts else 0 for brand in self.checks}


class Cache:
    """A cache file, read only."""

    def __init__(self, path):
        if sqlite3.sqlite_version_info < (3, 37):
            raise SystemExit(f"error: Python's SQLite is {sqlite3.sqlite_version}\nhint: take one with 3.37 or newer")
        self.connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self.connection.row_factory = sqlite3.Row
        # Of runs whose texts are known, by id: what the caller adds.
        self.texts = {}
        self._brands = {}
        self._runs = {}

    def rows(self, sql, *values):
        return self.connection.execute(sql, values).fetchall()

    def value(self, sql, *values):
        return self.connection.execute(sql, values).fetchone()[0]

    @cached_property
    def projects(self):
        """Every project, by source, name and key."""
        found = self.rows(
            "SELECT p.id, s.name AS source, s.upstream, p.key, p.name "
            "FROM project p JOIN source s ON s.id = p.source_id"
        )
        return sorted((Project(*row) for row in found), key=lambda p: (p.source, p.name, p.key))

    def brands(self, project):
        """A project's brands: its own, competitors, others, each by name."""
        if project.id not in self._brands:
            found = []
            for row in self.rows("SELECT * FROM brand WHERE project_id = ?", project.id):
                domains = self.rows("SELECT domain FROM brand_domain WHERE brand_id = ? ORDER BY domain", row["id"])
                aliases = self.rows(
                    "SELECT text FROM brand_spelling WHERE brand_id = ? AND counts = 'alias'", row["id"]
                )
                found.append(Brand(
                    row["id"], row["key"], row["name"], row["kind"], row["gone_at"] is not None,
                    tuple(one[0] for one in domains), tuple(one[0] for one in aliases),
                ))
            found.sort(key=lambda brand: (KINDS.get(brand.kind, 2), brand.name, brand.key))
            self._brands[project.id] = found
        return self._brands[project.id]

    def runs(self, project):
        """All runs of a project, whatever their status, oldest first."""
        if project.id not in self._runs:
            self._runs[project.id] = self._read_runs(project)
        return self._runs[project.id]

    def prompts(self, project):
        """A project's prompts by their number."""
        found = self.rows("SELECT id, public_id, text, topic, branded FROM prompt WHERE project_id = ?", project.id)
        return {
            row["id"]: Prompt(
                row["id"], public_id("p", row["public_id"]), row["text"], row["topic"], bool(row["branded"])
            )
            for row in found
        }

    def _read_runs(self, project):
        engines = dict(map(tuple, self.rows("SELECT id, name FROM engine")))
        statuses = dict(map(tuple, self.rows("SELECT id, name FROM status")))
        prompts = self.prompts(project)
        checks = {}
        for row in self.rows(
            "SELECT b.* FROM scope_brand b JOIN scope s ON s.id = b.scope_id WHERE s.project_id = ?", project.id
        ):
            checks.setdefault(row["scope_id"], {})[row["brand_id"]] = (row["mentions"], row["citations"])
        runs = {}
        for row in self.rows("SELECT * FROM run WHERE project_id = ? ORDER BY created_at, id", project.id):
            runs[row["id"]] = Run(
                row, prompts[row["prompt_id"]], engines[row["engine_id"]], statuses[row["status_id"]],
                checks.get(row["scope_id"], {}),
            )
            runs[row["id"]].answer = self.texts.get(runs[row["id"]].public_id, {}).get("answer")
        of_project = "JOIN run r ON r.id = {0}.run_id WHERE r.project_id = ?"
        for row in self.rows("SELECT f.* FROM run_brand f " + of_project.format("f"), project.id):
            runs[row["run_id"]].facts[row["brand_id"]] = row
        for row in self.rows(
            "SELECT c.run_id, c.position, c.brand_id, c.quality, u.url, d.name AS domain FROM citation c "
            "JOIN url u ON u.id = c.url_id LEFT JOIN domain d ON d.id = u.domain_id "
            + of_project.format("c") + " ORDER BY c.run_id, c.position", project.id,
        ):
            runs[row["run_id"]].citations.append(row)
        self._check_scopes(runs.values())
        return list(runs.values())

    @staticmethod
    def _check_scopes(runs):
        """What a run holds of brands must be in its scope: a share of voice adds up the scope's brands."""
        for run in runs:
            strangers = set(run.facts) - set(run.checks)
            if strangers:
                raise SystemExit(f"error: run {run.public_id} has facts of brands outside its scope: {strangers}")


def public_id(prefix, number):
    """A stored id as people see it: 13 letters or digits of Crockford's alphabet."""
    number &= (1 << 64) - 1
    return prefix + "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(13)))
