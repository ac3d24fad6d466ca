#!/usr/bin/env bash
# docs/conformance.md, from what the suite and the clients make of the program.
# usage: tests/conformance/document.sh PROGRAM FOLDER >docs/conformance.md
set -euo pipefail

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
cat <<'EOF'
# Conformance

Written by `tests/conformance/document.sh PROGRAM FOLDER`, which `.ci/run` runs: what public judges make of the program as it
is shipped.

## Clients

Each lists the tools, calls three, hears of the steps of a sync, cancels one, and is refused once
(`tests/clients/run.sh`). The Inspector makes one request at a time, so that it neither hears nor cancels.

EOF
"$here/../clients/run.sh" "$1" "$2/clients"
cat <<'EOF'

## The protocol's suite

`@modelcontextprotocol/conformance` 0.2.0-alpha.12 over Streamable HTTP (`tests/conformance/run.sh`). It asks for tools,
prompts and resources named `test_*`, which a real server has not; such checks are listed one by one in
`tests/conformance/baseline-*.yml` and counted here as without fixture. The schema of every message counts in all of them.
EOF
"$here/run.sh" "$1" "$2/suite"
