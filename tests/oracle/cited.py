"""What answers cite: the runs behind each domain or URL, and whose it is."""

from dataclasses import dataclass, field

from scope import is_below


@dataclass
class Source:
    name: str
    domain: str
    runs: list = field(default_factory=list)
    citations: int = 0

    @property
    def prompts(self):
        return len({run.prompt.id for run in self.runs})


def sources(runs, by="domain"):
    """Every domain, or every URL, that these runs cite."""
    found = {}
    for run in runs:
        for citation in run.citations:
            name = citation[by]
            if name is not None:
                source = found.setdefault(name, Source(name, citation["domain"]))
                source.citations += 1
                if not source.runs or source.runs[-1] is not run:
                    source.runs.append(run)
    return list(found.values())


def owner_of(brands, domain):
    """The first brand that a domain belongs to, or None."""
    if domain is None:
        return None
    return next((brand for brand in brands if any(is_below(own, domain) for own in brand.domains)), None)


def kind_beside(owner, asked):
    """Whose an owner's domain is, seen from the brand asked about: all own brands are as one."""
    if owner is None:
        return "other"
    if owner == asked or owner.kind == asked.kind == "own":
        return "own"
    return "competitor" if owner.kind in ("own", "competitor") else "other"


def domain_named(cache, name):
    """The cited domain that a domain, host or URL belongs to; None where none is cited."""
    host = name.strip().lower().split("://")[-1].split("/")[0].split(":")[0].removeprefix("www.")
    domains = (row["name"] for row in cache.rows("SELECT name FROM domain"))
    return max((domain for domain in domains if is_below(host, domain)), key=len, default=None)
