#!/usr/bin/env bash
# Two public judges of tool definitions, over the program itself: `tdqs lint` and the Inspector's `--strict`.
# usage: tests/judges/definitions.sh PROGRAM FOLDER; what the judges need is installed into FOLDER.
set -euo pipefail

program=$(realpath "$1")
folder=$2
tdqs_version=0.1.0
inspector_version=2.12.0
# The Inspector needs a newer Node than many systems have; this package brings one.
node_version=24

mkdir -p "$folder/home"
folder=$(realpath "$folder")
if [ ! -x "$folder/python/bin/tdqs" ]; then
    python3 -m venv "$folder/python"
    "$folder/python/bin/pip" install --quiet "tdqs==$tdqs_version"
fi
if [ ! -x "$folder/node_modules/.bin/mcp-inspector" ]; then
    npm install --prefix "$folder" --no-audit --no-fund --loglevel=error \
        "node@$node_version" "@modelcontextprotocol/inspector@$inspector_version"
fi

# No cache, no configuration and no key of this machine.
judge() {
    env -i HOME="$folder/home" PATH="$folder/node_modules/.bin:$PATH" "$@"
}

for options in '--demo' '--demo --query-sql'; do
    printf '\ntdqs lint, serve %s\n' "$options"
    judge "$folder/python/bin/tdqs" lint --command "$program serve --no-sync $options" --fail-on warning
    printf '\nInspector --strict, serve %s\n' "$options"
    # Findings go to standard error; the answer itself is of no interest.
    # shellcheck disable=SC2086
    judge mcp-inspector --cli --strict --format json "$program" serve --no-sync $options --method tools/list \
        2>"$folder/findings" >/dev/null || { cat "$folder/findings" >&2; exit 1; }
    if grep -E '^(Error|Warning): tool' "$folder/findings"; then
        cat "$folder/findings" >&2
        exit 1
    fi
done
printf '\nno findings\n'
