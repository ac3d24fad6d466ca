"""What came out of one requirement set, as a table.

table.py --program FOUND BASELINE: what failed beside the lines of the baseline.
table.py --fixture FOUND REQUIREMENTS: what failed of the scenarios that the requirement set scores.
table.py --baseline FOUND: the lines of a baseline that would accept it.
"""

import json
import pathlib
import re
import sys

# Every message is checked against the schema, whatever a scenario asks for; that may never fail.
NEVER_EXPECTED = "wire-schema-valid"


def scenarios(folder):
    """Scenario to its checks, in the order of their names."""
    found = {}
    for path in sorted(pathlib.Path(folder).glob("server-*/checks.json")):
        name = re.sub(r"-\d{4}-\d\d-\d\dT[\d-]+Z$", "", path.parent.name).removeprefix("server-")
        found[name] = json.loads(path.read_text())
    return found


def failures(checks):
    # The suite takes a warning for a failure too.
    return sorted({check["id"] for check in checks if check["status"] in ("FAILURE", "WARNING")})


def passed(checks):
    return sum(check["status"] == "SUCCESS" for check in checks)


def lines(path, section=""):
    """The names of a list in one of the suite's files, which are simple enough to read without a library."""
    text = pathlib.Path(path).read_text()
    if section:
        text = re.search(rf"^{section}:\n((?:  .*\n|\n)+)", text, re.MULTILINE).group(1)
    return [line.strip("- ") for line in text.splitlines() if line.startswith("  - ")]


def baseline(found):
    print("server:")
    for name, checks in found.items():
        for check in failures(checks):
            if check != NEVER_EXPECTED:
                print(f"  - {name}:{check}")


def program(found, path):
    expected = set(lines(path))
    print("| scenario | passed | without fixture | failed |\n|---|---|---|---|")
    sums = [0, 0, 0]
    for name, checks in found.items():
        failed = [check for check in failures(checks) if f"{name}:{check}" not in expected]
        row = [passed(checks), len(failures(checks)) - len(failed), len(failed)]
        sums = [a + b for a, b in zip(sums, row)]
        print(f"| {name} | {row[0]} | {row[1] or ''} | {', '.join(failed)} |")
    print(f"| **all** | {sums[0]} | {sums[1]} | {sums[2]} |")
    return sums[2]


def fixture(found, path):
    scored = sorted(lines(path, "server"))
    print("| scored scenario | passed | failed |\n|---|---|---|")
    sums = [0, 0]
    for name in scored:
        checks = found.get(name, [])
        # What was not asked has not passed.
        failed = failures(checks) + [check["id"] for check in checks if check["status"] == "SKIPPED"]
        failed += [] if passed(checks) else ["nothing passed"]
        sums = [sums[0] + passed(checks), sums[1] + len(failed)]
        print(f"| {name} | {passed(checks)} | {', '.join(failed)} |")
    print(f"| **all {len(scored)}** | {sums[0]} | {sums[1]} |")
    others = [name for name, checks in found.items() if name not in scored and passed(checks) and not failures(checks)]
    print(f"\nNot scored, and passed too: {', '.join(others)}.")
    return sums[1]


def main():
    how, found, *rest = sys.argv[1:]
    if how == "--baseline":
        return baseline(scenarios(found))
    return {"--program": program, "--fixture": fixture}[how](scenarios(found), *rest)


sys.exit(1 if main() else 0)
