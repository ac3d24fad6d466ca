#!/usr/bin/env bash
# Public clients over every transport and era: each lists, calls three tools, hears of a sync's steps, cancels one, and
# is refused once. Prints one table; fails where a cell does.
# usage: tests/clients/run.sh PROGRAM FOLDER; what the clients need is installed into FOLDER.
set -euo pipefail

program=$(realpath "$1")
folder=$2
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")

mkdir -p "$folder"
folder=$(realpath "$folder")
if [ ! -x "$folder/python/bin/python" ]; then
    python3 -m venv "$folder/python"
    "$folder/python/bin/pip" install --quiet 'mcp==2.3.*' >&2
fi
if [ ! -x "$folder/node_modules/.bin/mcp-inspector" ]; then
    npm install --prefix "$folder" --no-audit --no-fund --loglevel=error 'node@24' '@modelcontextprotocol/sdk@1.32.2' \
        '@modelcontextprotocol/client@2.4.0' '@modelcontextprotocol/inspector@2.12.0' >&2
fi
# Modules are found from where a script lies.
cp "$here/ts_client.mjs" "$folder/"
export PATH="$folder/node_modules/.bin:$PATH"

failed=0
server=

# A program, a home and a cache of its own for each client, so that there is something to sync.
home=
fresh() {
    home=$(mktemp -d "$folder/home.XXXX")
    export HOME=$home
}

arguments=(serve --demo --no-sync --history-days 30)

serve() {
    "$program" "${arguments[@]}" --http 127.0.0.1:0 --rate 10000 2>"$home/log" &
    server=$!
    for _ in $(seq 100); do
        address=$(sed -n 's|.*MCP at \(http://[^;]*\)/mcp;.*|\1|p' "$home/log")
        [ -z "$address" ] || return 0
        sleep 0.1
    done
    cat "$home/log" >&2
    exit 1
}

stop() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
        server=
    fi
}
trap stop EXIT

# row CLIENT TRANSPORT MODE COMMAND...: plays one client and prints its row.
row() {
    local client=$1 transport=$2 mode=$3
    shift 3
    fresh
    local target=("$program" "${arguments[@]}")
    if [ "$transport" != stdio ]; then
        serve
        target=("$address")
    fi
    if ! "$@" "$transport" "$mode" "${target[@]}" >"$home/found" 2>"$home/errors"; then
        tail -5 "$home/errors" >&2
        echo '{}' >"$home/found"
    fi
    stop
    tail -1 "$home/found" | python3 "$here/row.py" "$client" "$transport" "$mode" || failed=1
    rm -rf "$home"
}

# The Inspector makes one request at a time, so there is nothing to cancel.
inspector() {
    local transport=$1 era=$2
    shift 2
    local at=("$@")
    if [ "$transport" != stdio ]; then
        local path=/mcp
        if [ "$transport" = sse ]; then path=/sse; fi
        at=("$1$path" --transport "$transport")
    fi
    ask() {
        mcp-inspector --cli --format json -q --protocol-era "$era" "${at[@]}" "$@" 2>>"$home/errors"
    }
    local list calls=0 code=0
    list=$(ask --method tools/list | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["result"]["tools"]))')
    for tool in list_sources explain_metric; do
        ask --method tools/call --tool-name "$tool" >/dev/null && calls=$((calls + 1))
    done
    ask --method tools/call --tool-name sync_now --tool-args-json '{"source": "demo-lunary"}' >/dev/null &&
        calls=$((calls + 1))
    ask --method tools/call --tool-name list_prompt_runs --tool-args-json '{"limit": 1000}' >/dev/null || code=$?
    printf '{"list": %d, "calls": %d, "error": %s}\n' "$list" "$calls" "$([ "$code" = 5 ] && echo true || echo false)"
}

printf '| client | transport | mode | version | lists | calls | progress | cancels | error |\n'
printf '|---|---|---|---|---|---|---|---|---|\n'
for transport in stdio http; do
    for mode in legacy auto 2026-07-28; do
        row 'Python mcp 2.3' "$transport" "$mode" "$folder/python/bin/python" "$here/python_client.py"
    done
done
row 'Python mcp 2.3' sse legacy "$folder/python/bin/python" "$here/python_client.py"
for transport in stdio http sse; do
    row 'TypeScript SDK 1.32' "$transport" legacy node "$folder/ts_client.mjs" v1
done
for transport in stdio http; do
    for mode in legacy auto modern; do
        row 'TypeScript SDK 2.4' "$transport" "$mode" node "$folder/ts_client.mjs" v2
    done
done
for mode in legacy auto modern; do
    row 'Inspector 2.12' stdio "$mode" inspector
    row 'Inspector 2.12' http "$mode" inspector
done
row 'Inspector 2.12' sse legacy inspector
exit "$failed"
