"""One row of the table of clients, from what a client found; fails where a cell does."""

import json
import sys

found = json.loads(sys.stdin.read() or "{}")
client, transport, mode = sys.argv[1:]
bad = "**no**"
cells = [
    found.get("version") or "",
    str(found.get("list")) if found.get("list") == 15 else bad,
    "3" if found.get("calls") == 3 else bad,
    # What makes one request at a time neither hears nor cancels.
    "-" if client.startswith("Inspector") else "yes" if found.get("progress") else bad,
    "-" if client.startswith("Inspector") else "yes" if found.get("cancel") else bad,
    "yes" if found.get("error") else bad,
]
print(f"| {client} | {transport} | {mode} | {' | '.join(cells)} |", flush=True)
sys.exit(bad in cells)
