#!/usr/bin/env bash
# Runs the fuzz targets one after the other, each for so many seconds from its committed corpus; stops at a finding.
#
#   tests/fuzz/run.sh 600                 # all of them, ten minutes each
#   tests/fuzz/run.sh 60 cursors          # one
#   tests/fuzz/run.sh 0                   # only what is in the corpora, once
#
# It needs cargo-fuzz (`cargo install cargo-fuzz --locked`) and a C++ compiler. The stable compiler will do, since no
# sanitizer is used: the program itself has no unsafe code. For AddressSanitizer beside it, which watches the libraries:
# `RUSTC_BOOTSTRAP=1 SANITIZER=address tests/fuzz/run.sh 600`.
#
# A finding is left in tests/fuzz/artifacts/TARGET. What a run learns stays in target/fuzz/corpus; to keep some of it,
# `cargo fuzz cmin --fuzz-dir tests/fuzz --sanitizer none TARGET target/fuzz/corpus/TARGET` and copy a handful.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if [ $# -eq 0 ]; then
    sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
seconds=$1
shift
home=tests/fuzz
built="${CARGO_TARGET_DIR:-target}/fuzz"
[ $# -gt 0 ] || set -- $(cd "$home/targets" && ls -- *.rs | sed 's/\.rs$//')

common=(--fuzz-dir "$home" --sanitizer "${SANITIZER:-none}" --target-dir "$built")
cargo fuzz build "${common[@]}"
for target in "$@"; do
    learned="$built/corpus/$target"
    mkdir -p "$learned"
    bounds=(-max_total_time="$seconds")
    if [ "$seconds" -eq 0 ]; then bounds=(-runs=0); fi
    printf '==> %s: %s s\n' "$target" "$seconds"
    cargo fuzz run "${common[@]}" "$target" "$learned" "$home/corpus/$target" -- \
        "${bounds[@]}" -timeout=20 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 -verbosity=0
done
