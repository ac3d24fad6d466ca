#!/usr/bin/env bash
# The program with a real issuer of tokens (oidc-provider), and the protocol's own TypeScript clients on their whole way to
# an answer: metadata, registration, a person who signs in, a token. Then what must not be let in. Prints what was
# asked and answered; fails where it is not as docs/serving.md says.
# usage: tests/oauth/run.sh PROGRAM FOLDER; what the issuer and the clients need is installed into FOLDER.
set -euo pipefail

program=$(realpath "$1")
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
mkdir -p "$2"
folder=$(realpath "$2")
export HOME=$folder
cd "$folder"
if [ ! -d node_modules/oidc-provider ]; then
    # The issuer needs a newer Node than many systems have; the package `node` brings one.
    npm install --prefix "$folder" --no-audit --no-fund --loglevel=error 'node@24' 'oidc-provider@9.13.3' 'jose@6' \
        '@modelcontextprotocol/sdk@1.32.2' '@modelcontextprotocol/client@2.4.0' >&2
fi
# Modules are found from where a script lies.
cp "$here"/*.mjs "$folder/"
export PATH="$folder/node_modules/.bin:$PATH"

project='Fernvolt · home batteries'
other='Tallybrook · invoicing software'
rm -f ./*.log
"$program" sync --demo --history-days 7 --cache cache.sqlite >/dev/null 2>sync.log || { cat sync.log >&2; exit 1; }

# Both are told beforehand where the other will be.
port=$((20000 + RANDOM % 20000))
issuer=http://127.0.0.1:$port
at=127.0.0.1:$((port + 1))
resource=http://$at/mcp

fail() {
    printf 'error: %s\n' "$1" >&2
    tail -n 5 -- ./*.log >&2
    exit 1
}

"$program" serve --demo --no-sync --history-days 7 --cache cache.sqlite --http "$at" --oauth-issuer "$issuer" \
    --oauth-resource "$resource" --oauth-projects-claim projects 2>server.log &
server=$!
identity=
trap 'kill $server $identity 2>/dev/null || true' EXIT
for _ in $(seq 100); do
    curl --silent --fail "http://$at/health/live" >/dev/null && break
    sleep 0.1
done
printf 'before the issuer is up, a token\n    %s\n' \
    "$(curl --silent --include -H 'Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.e30.AA' "$resource" | grep -i '^HTTP\|^retry-after' | tr -d '\r' | tr '\n' ' ')"
node issuer.mjs "$port" "$resource" "demo-verseodin/$project" >issuer.log 2>&1 &
identity=$!
for _ in $(seq 100); do
    curl --silent --fail "$issuer/jwks" >/dev/null && break
    sleep 0.1
done
# Until it has keys the server asks for them every five seconds.
sleep 5
node flow.mjs "$resource" "$issuer" "$project" "$other" 2>flow.log || { cat flow.log >&2; fail 'see above'; }
! grep -q 'eyJ' server.log || fail 'a token is in the log'
