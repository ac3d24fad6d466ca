#!/usr/bin/env bash
# docs/conformance.md, from what the suite and the clients make of the program, and the suite of the fixture.
# usage: tests/conformance/document.sh PROGRAM FIXTURE FOLDER >docs/conformance.md
# FIXTURE is what `cargo build --example conformance_fixture` makes.
set -euo pipefail

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
cat <<'TEXT'
# Conformance

Written by `tests/conformance/document.sh PROGRAM FIXTURE FOLDER`, which `.ci/run` runs: what public judges make of the
program as it is shipped, and of its HTTP with what they ask for behind it.

## Clients

Each lists the tools, calls three, hears of the steps of a sync, cancels one, and is refused once
(`tests/clients/run.sh`). The Inspector makes one request at a time, so that it neither hears nor cancels.

TEXT
"$here/../clients/run.sh" "$1" "$3/clients"
cat <<'TEXT'

## The protocol's suite

`@modelcontextprotocol/conformance` 0.2.0-alpha.12 over Streamable HTTP (`tests/conformance/run.sh`). It asks for tools,
prompts and resources named `test_*`, which a real server has not; such checks are listed one by one in
`tests/conformance/baseline-*.yml` and counted here as without fixture. The schema of every message counts in all of them.
TEXT
"$here/run.sh" "$1" "$3/suite"
cat <<'TEXT'

## The same HTTP with the suite's fixtures

The same suite over `tests/conformance/fixture`, which has what it asks for, behind the program's own routes, guards,
sessions and limits. Every scenario that a requirement set scores must pass here, without a list of exceptions. What it
asks for and does not score are tasks, which nothing here uses, and a call that closes its own stream, which the library
does not let a call do.
TEXT
"$here/run.sh" --fixture "$2" "$3/suite"
