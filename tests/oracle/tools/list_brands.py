"""What `list_brands` must answer."""

from as_of import as_of
from compare import table
from pages import Pages
from rows import KINDS
from scope import newest_day, projects_named, shown_name
from text import line

SHORT = ["brand", "kind", "domains", "domains_known", "aliases", "aliases_known"]
LONG = ["exact", "excluded", "brand_id", "gone"]

pages = Pages(20)


def expected(cache, arguments, now, answer):
    detailed = arguments.get("response_format") == "detailed"
    found = pages.of(arguments, lambda: listed(cache, projects_named(cache, arguments.get("project")), detailed))
    shown = sum(len(project["brands"]["rows"]) for project in answer["projects"])
    page, next_cursor = pages.page(arguments, answer, shown)
    # A project is on the page where a brand of it is.
    on_page = list(dict.fromkeys(project for project, _ in page))
    newest = newest_day(cache, on_page, now)
    return {
        "projects": [
            {
                "project": line(shown_name(cache, project), 120),
                "source": project.source,
                "brands_known": len(cache.brands(project)),
                "gone_brands": sum(brand.gone for brand in cache.brands(project)),
                "brands": table(
                    SHORT + LONG if detailed else SHORT,
                    [row(cache, brand, detailed) for of, brand in page if of == project],
                ),
            }
            for project in on_page
        ],
        "total": len(found),
        "next_cursor": next_cursor,
        "as_of": as_of(cache, on_page, (newest - 29, newest), now),
    }


def listed(cache, projects, detailed):
    """Own brands first, then competitors, then others, each by name; those that are gone in detail alone."""
    found = []
    for project in projects:
        brands = [brand for brand in cache.brands(project) if detailed or not brand.gone]
        brands.sort(key=lambda brand: (KINDS.get(brand.kind, 2), brand.name, brand.key))
        found += [(project, brand) for brand in brands]
    return found


def row(cache, brand, detailed):
    most = 100 if detailed else 4

    def some(texts):
        return [line(text, 80) for text in list(texts)[:most]]

    def spellings(counts):
        sql = "SELECT text FROM brand_spelling WHERE brand_id = ? AND counts = ? ORDER BY text"
        return some(one["text"] for one in cache.rows(sql, brand.id, counts))

    cells = [
        line(brand.name, 80), brand.kind, some(brand.domains), len(brand.domains), some(brand.aliases),
        len(brand.aliases),
    ]
    if detailed:
        cells += [spellings("exact"), spellings("excluded"), line(brand.key, 120), brand.gone]
    return cells
