"""Recomputes every figure of recorded answers from the cache's rows: `python3 oracle.py CACHE LINES`.

LINES is a file of JSON lines, each `{"tool", "arguments", "now", "answer"}` or `{"exact", "question", "value"}`; and
`{"texts_of", "answer", "record"}` for texts of runs, since they are compressed in the cache.
An answer that is null is a refusal, which must be expected: as None.
Prints what differs and ends with 1 if anything does.
"""

import sys

# No folder of compiled modules beside the sources.
sys.dont_write_bytecode = True

import importlib
import inspect
import json
from collections import Counter

import exact
from compare import Comparison, brief
from rows import Cache
from scope import instant_number

MOST = 40


def expected(cache, line):
    """The tree that a line's answer must be."""
    if "exact" in line:
        if line["exact"] not in exact.KINDS:
            raise LookupError(f"no figure {line['exact']!r}; add it to KINDS in tests/oracle/exact.py")
        return exact.expected(cache, line["exact"], line["question"])
    tool = line["tool"]
    try:
        module = importlib.import_module(f"tools.{tool}")
    except ModuleNotFoundError:
        raise LookupError(f"no oracle for `{tool}`; write tests/oracle/tools/{tool}.py") from None
    given = (cache, line["arguments"], instant_number(line["now"]), line["answer"] or {})
    # Most answers can be expected without a look at them.
    return module.expected(*given[: len(inspect.signature(module.expected).parameters)])


def check(cache, line):
    comparison = Comparison()
    try:
        comparison.compare(expected(cache, line), line["value"] if "exact" in line else line["answer"])
    except LookupError as error:
        is_refused = "tool" in line and line["answer"] is None
        comparison.note("$", "an answer" if is_refused else str(error), None)
    return comparison


def main(cache_path, lines_path):
    cache = Cache(cache_path)
    lines, numbers, differing, printed = Counter(), Counter(), 0, 0
    with open(lines_path, encoding="utf-8") as file:
        for text in file:
            line = json.loads(text)
            if "texts_of" in line:
                cache.texts[line["texts_of"]] = line
                continue
            name = line.get("tool") or "exact " + line["exact"]
            comparison = check(cache, line)
            lines[name] += 1
            numbers[name] += comparison.numbers
            differing += len(comparison.problems)
            for path, wanted, got in comparison.problems:
                printed += 1
                if printed <= MOST:
                    asked = json.dumps(line.get("arguments", line.get("question")), ensure_ascii=False)
                    print(f"{name} {asked[:400]}\n  at {path}")
                    print(f"  expected {brief(wanted)}\n  got      {brief(got)}")
    for name in lines:
        print(f"{name}: {numbers[name]} numbers in {lines[name]} answers")
    if differing:
        print(f"error: {differing} values differ, {min(printed, MOST)} shown")
    return 1 if differing or not lines else 0


if __name__ == "__main__":
    if sys.version_info < (3, 11):
        sys.exit(f"error: this is Python {sys.version.split()[0]}\nhint: take 3.11 or newer")
    if len(sys.argv) != 3:
        sys.exit("usage: python3 oracle.py CACHE LINES")
    sys.exit(main(*sys.argv[1:]))
