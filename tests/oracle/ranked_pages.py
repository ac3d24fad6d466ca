"""Pages of lists that are counted anew for each page.

Cursors are opaque, so pages are checked in the order in which they were asked: a page's cursor must be one that an
earlier page of the same question gave, and its rows those that follow there.
"""

import json

from compare import Check

# Rows shorter than this, as text, always fit; longer ones may be cut, and then follow on the next page.
LONG = 8_000

# At which rows the page behind each cursor begins.
begins = {}


def same_question(tool, arguments):
    """What all pages of one question have in common."""
    paging = ("cursor", "limit", "response_format")
    asked = {name: value for name, value in arguments.items() if name not in paging}
    return tool + json.dumps(asked, sort_keys=True)


def start(tool, arguments, lists):
    """At which row of each of so many lists this page begins."""
    if "cursor" not in arguments:
        return [0] * lists
    return begins[same_question(tool, arguments), arguments["cursor"]]


def shown_of(rest, limit, given, lists=1):
    """How many of the `rest` rows of a list a page must show: as many as asked for, unless those shown are long."""
    full, shown = min(limit, rest), len(given)
    is_long = len(json.dumps(given)) >= LONG // lists
    return shown if 0 < shown < full and is_long else full


def next_cursor(tool, arguments, answer, ends, more):
    """A cursor is there if there is more, and leads to where this page ends."""
    if "next_cursor" in answer:
        begins[same_question(tool, arguments), answer["next_cursor"]] = ends
    wrong = "a cursor, since rows follow" if more else "no cursor, since no row follows"
    return Check(lambda given: None if (given is not None) == more else wrong)


def default_limit(arguments, projects, of_one=10, of_several=4):
    """Rows of each list: as asked for, else few where there are several projects."""
    return int(arguments.get("limit", of_one if projects <= 1 else of_several))
