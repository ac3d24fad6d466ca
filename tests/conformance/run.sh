#!/usr/bin/env bash
# The protocol's own conformance suite over the program, both requirement sets, and a table of what came out.
# usage: tests/conformance/run.sh PROGRAM FOLDER; what the suite needs is installed into FOLDER.
#
# The suite asks for fixtures that a real server has not (`test_simple_text` and the like). baseline-REVISION.yml lists
# exactly these checks, one by one, so that the schema of every message still counts; a line that no longer fails makes
# the run fail too.
set -euo pipefail

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
clean() {
    env -i HOME="$folder/home" PATH="$folder/node_modules/.bin:$PATH" "$@"
}

clean "$program" sync --demo --history-days 7 --cache "$folder/cache.sqlite" >/dev/null 2>"$folder/sync.log" ||
    { cat "$folder/sync.log" >&2; exit 1; }
clean "$program" serve --demo --no-sync --cache "$folder/cache.sqlite" --http 127.0.0.1:0 --rate 10000 \
    2>"$folder/server.log" &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
    address=$(sed -n 's|.*MCP at \(http://[^;]*\);.*|\1|p' "$folder/server.log")
    [ -z "$address" ] || break
    sleep 0.1
done
[ -n "$address" ] || { cat "$folder/server.log" >&2; exit 1; }

failed=0
for revision in 2025-11-25 2026-07-28; do
    rm -rf "$folder/$revision"
    clean conformance server --url "$address" --requirements "$revision" -o "$folder/$revision" \
        --expected-failures "$here/baseline-$revision.yml" >"$folder/$revision.log" 2>&1 || failed=1
    printf '\n### %s\n\n' "$revision"
    clean python3 "$here/table.py" "$folder/$revision" "$here/baseline-$revision.yml"
    if [ "$failed" = 1 ]; then
        sed -n '/=== SUMMARY ===/,$p' "$folder/$revision.log" >&2
        exit 1
    fi
done
