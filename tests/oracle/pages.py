"""Pages of lists, checked in the order in which they were asked.

Cursors are opaque: a page's cursor must be one that an earlier page of the same question gave, and its rows those that
follow there.
"""

import json

from compare import Check


class Pages:
    """The pages of one tool; `default` is how many rows they have where nothing else is asked for."""

    def __init__(self, default):
        self.default = default
        self.found = {}
        self.begins = {}

    def of(self, arguments, find):
        """All that a question finds, found once."""
        question = key(arguments)
        if question not in self.found:
            self.found[question] = find()
        return self.found[question]

    def page(self, arguments, answer, shown):
        """So many of them, from where the cursor says; and what `next_cursor` must be behind them."""
        question = key(arguments)
        found = self.found[question]
        start = self.begins[question, arguments["cursor"]] if "cursor" in arguments else 0
        if answer.get("next_cursor"):
            self.begins[question, answer["next_cursor"]] = start + shown
        rest = len(found) - start
        full = min(int(arguments.get("limit", self.default)), rest)
        said = any("so that it fits" in caveat for caveat in answer["caveats"])

        def judge(cursor):
            if not (shown == full or 0 < shown < full and said):
                return f"{full} rows on this page, not {shown}"
            if (cursor is not None) != (shown < rest):
                return f"{rest - shown} rows behind this page, so a cursor only if there are any"
            return None
        return found[start : start + shown], Check(judge)


def key(arguments):
    """A question without its cursor, the same for all its pages."""
    return json.dumps({name: value for name, value in arguments.items() if name != "cursor"}, sort_keys=True)
