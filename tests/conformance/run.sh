#!/usr/bin/env bash
# The protocol's own conformance suite over a server, both requirement sets, and a table of what came out.
# usage: tests/conformance/run.sh PROGRAM FOLDER
#        tests/conformance/run.sh --fixture FIXTURE FOLDER
# What the suite needs is installed into FOLDER.
#
# The suite asks for fixtures that a real server has not (`test_simple_text` and the like). For the program,
# baseline-REVISION.yml lists exactly these checks, one by one, so that the schema of every message still counts; a line
# that no longer fails makes the run fail too. FIXTURE, built from `fixture/`, has them all behind the program's own HTTP:
# there every scored scenario must pass.
set -euo pipefail

server=program
if [ "$1" = --fixture ]; then
    server=fixture
    shift
fi
program=$(realpath "$1")
folder=$2
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
suite_version=0.2.0-alpha.12
# The suite needs a newer Node than many systems have; this package brings one.
node_version=24

mkdir -p "$folder/home"
folder=$(realpath "$folder")
if [ ! -x "$folder/node_modules/.bin/conformance" ]; then
    npm install --prefix "$folder" --no-audit --no-fund --loglevel=error \
        "node@$node_version" "@modelcontextprotocol/conformance@$suite_version" >&2
fi
clean=(env -i HOME="$folder/home" PATH="$folder/node_modules/.bin:$PATH")

log=$folder/$server.log
if [ "$server" = program ]; then
    "${clean[@]}" "$program" sync --demo --history-days 7 --cache "$folder/cache.sqlite" >/dev/null 2>"$folder/sync.log" ||
        { cat "$folder/sync.log" >&2; exit 1; }
    start=("$program" serve --demo --no-sync --cache "$folder/cache.sqlite" --http 127.0.0.1:0 --rate 10000)
else
    start=("$program")
fi
"${clean[@]}" "${start[@]}" 2>"$log" &
pid=$!
trap 'kill "$pid" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
    address=$(sed -n 's|.*MCP at \(http://[^;]*\);.*|\1|p' "$log")
    [ -z "$address" ] || break
    sleep 0.1
done
[ -n "$address" ] || { cat "$log" >&2; exit 1; }

for revision in 2025-11-25 2026-07-28; do
    found=$folder/$server-$revision
    if [ "$server" = program ]; then
        expected=$here/baseline-$revision.yml
        allow=(--expected-failures "$expected")
    else
        expected=$folder/node_modules/@modelcontextprotocol/conformance/requirements/$revision.yaml
        allow=()
    fi
    rm -rf "$found"
    failed=0
    "${clean[@]}" conformance server --url "$address" --requirements "$revision" -o "$found" "${allow[@]}" >"$found.log" 2>&1 ||
        failed=1
    printf '\n### %s\n\n' "$revision"
    "${clean[@]}" python3 "$here/table.py" "--$server" "$found" "$expected" || failed=1
    if [ "$failed" = 1 ]; then
        sed -n '/=== SUMMARY ===/,$p' "$found.log" >&2
        exit 1
    fi
done
