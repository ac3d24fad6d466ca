#!/usr/bin/env bash
# The proxy of docs/serving.md in front of the program, and two teams with projects of their own behind it: what each
# sees, over TLS. Prints what was asked and answered; fails where it is not as the page says.
# usage: tests/proxy/run.sh PROGRAM FOLDER; needs nginx, openssl and curl.
set -euo pipefail

program=$(realpath "$1")
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
mkdir -p "$2"
folder=$(realpath "$2")
export HOME=$folder
cd "$folder"

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mcp.example.com -addext subjectAltName=DNS:mcp.example.com \
    -keyout key.pem -out cert.pem 2>/dev/null
"$program" sync --demo --history-days 7 --cache cache.sqlite >/dev/null 2>sync.log || { cat sync.log >&2; exit 1; }

token() {
    "$program" token "$@" >minted 2>/dev/null
    sed 1d minted >>tokens.toml
    head -1 minted
}
rm -f tokens.toml
acme=$(token acme --project 'demo-verseodin/Fernvolt · home batteries')
ledger=$(token ledger --project 'demo-verseodin/Tallybrook · invoicing software')

"$program" serve --demo --no-sync --cache cache.sqlite --http 127.0.0.1:0 --token-file tokens.toml \
    --allow-host mcp.example.com 2>server.log &
server=$!
proxy=
trap 'kill $server $proxy 2>/dev/null || true' EXIT
for _ in $(seq 100); do
    at=$(sed -n 's|.*MCP at http://\([^/]*\)/mcp;.*|\1|p' server.log)
    [ -z "$at" ] || break
    sleep 0.1
done

# The block of the page, with the places of this machine.
port=$((20000 + RANDOM % 20000))
block=$(awk '/^```nginx/ { inside = 1; next } /^```/ { inside = 0 } inside' "$here/../../docs/serving.md")
block=${block//listen 443/listen $port}
block=${block//127.0.0.1:8080/$at}
block=${block//\/etc\/ssl\/mcp.example.com.pem/$folder\/cert.pem}
block=${block//\/etc\/ssl\/mcp.example.com.key/$folder\/key.pem}
cat >nginx.conf <<EOF
daemon off;
pid $folder/nginx.pid;
error_log $folder/proxy.log;
events {}
http {
access_log off;
client_body_temp_path $folder/body;
proxy_temp_path $folder/proxied;
fastcgi_temp_path $folder/fastcgi;
uwsgi_temp_path $folder/uwsgi;
scgi_temp_path $folder/scgi;
$block
}
EOF
nginx -c "$folder/nginx.conf" 2>>proxy.log &
proxy=$!

fail() {
    printf 'error: %s\n' "$1" >&2
    tail -n 5 -- server.log proxy.log >&2
    exit 1
}
ask() {
    curl --silent --show-error --cacert cert.pem --resolve "mcp.example.com:$port:127.0.0.1" "$@"
}
for _ in $(seq 50); do
    ask "https://mcp.example.com:$port/health/live" >/dev/null 2>&1 && break
    sleep 0.1
done

call() {
    local token=$1 tool=$2 arguments=$3 meta
    meta='"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}'
    ask "https://mcp.example.com:$port/mcp" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        -H 'Accept: application/json, text/event-stream' -H 'MCP-Protocol-Version: 2026-07-28' \
        -H 'Mcp-Method: tools/call' -H "Mcp-Name: $tool" \
        -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"$tool\",\"arguments\":$arguments,\"_meta\":{$meta}}}"
}
says() {
    local who=$1 what=$2 answer=$3 expected=$4
    printf '%s: %s\n    %s\n' "$who" "$what" "$(printf '%s' "$answer" | cut -c1-220)"
    [[ $answer == *"$expected"* ]] || fail "no $expected"
}

says anyone 'GET /health/ready' "$(ask "https://mcp.example.com:$port/health/ready")" '"ready":true'
says anyone 'POST /mcp without a token' "$(ask -o /dev/null -w '%{http_code}' -d '{}' "https://mcp.example.com:$port/mcp")" 401
says acme 'its projects' "$(call "$acme" list_brands '{}' | grep -o '"project":"[^"]*"' | sort -u | tr '\n' ' ')" Fernvolt
says ledger 'its projects' "$(call "$ledger" list_brands '{}' | grep -o '"project":"[^"]*"' | sort -u | tr '\n' ' ')" Tallybrook
[[ $(call "$acme" list_brands '{}') != *Tallybrook* ]] || fail 'acme sees what is ledger'"'"'s'
refused=$(call "$acme" brand_summary '{"project": "Tallybrook · invoicing software"}')
says acme 'brand_summary of the other project' "$(printf '%s' "$refused" | grep -o '"text":"[^}]*')" 'no project'
says acme sync_now "$(call "$acme" sync_now '{}' | grep -o '"text":"[^}]*')" 'not sync'
says acme 'GET /sse, the first event' "$(ask --max-time 2 --no-buffer -H "Authorization: Bearer $acme" \
    "https://mcp.example.com:$port/sse" 2>/dev/null | head -2 | tr '\n' ' ')" '/messages?sessionId='
printf '\nall of it is as the page says\n'
