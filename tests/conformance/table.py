"""What came out of one requirement set, as a table; with --baseline, the lines of a baseline that would accept it."""

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


def main():
    folder, baseline = sys.argv[1], pathlib.Path(sys.argv[2])
    found = scenarios(folder)
    if "--baseline" in sys.argv:
        lines = [f"  - {name}:{check}" for name, checks in found.items() for check in failures(checks)]
        print("server:")
        print("\n".join(line for line in lines if not line.endswith(NEVER_EXPECTED)))
        return
    expected = {line.strip("- \n") for line in baseline.read_text().splitlines() if line.startswith("  - ")}
    print("| scenario | passed | without fixture | failed |\n|---|---|---|---|")
    sums = [0, 0, 0]
    for name, checks in found.items():
        failed = [check for check in failures(checks) if f"{name}:{check}" not in expected]
        passed = sum(check["status"] == "SUCCESS" for check in checks)
        row = [passed, len(failures(checks)) - len(failed), len(failed)]
        sums = [a + b for a, b in zip(sums, row)]
        print(f"| {name} | {row[0]} | {row[1] or ''} | {', '.join(failed)} |")
    print(f"| **all** | {sums[0]} | {sums[1]} | {sums[2]} |")


main()
