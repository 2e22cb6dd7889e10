#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every test of a build and counts: `run.sh BUILD [--no-e2e]`. The last line is "N passed, N failed". A test that is skipped is
# told by name and counts as neither. TIMES=K lengthens every limit: 2 by itself, for tests run beside others; more for builds that
# sanitizers slow down. Two rounds: most tests wait most of their time, so three more of them run than the machine has cores; those of
# the suite `paired` count on the machine's time and run two at a time.
set -u
build=$1
e2e=${2:-}
ok=0 bad=0 status=0

number() { sed -n "s/^$1: *\([0-9][0-9]*\).*/\1/p" "$build/test.out" | tail -1; }

# round NAME THREADS SUITES…
round() {
    name=$1 threads=$2
    shift 2
    meson test -C "$build" -t "${TIMES:-2}" --no-rebuild --print-errorlogs --logbase "$name" --num-processes "$threads" "$@" >"$build/test.out" 2>&1 || status=1
    grep -E '^ *[0-9]+/[0-9]+ ' "$build/test.out"
    passed=$(number Ok) fail=$(number Fail) slow=$(number Timeout) odd=$(number 'Unexpected Pass')
    worse=$(( ${fail:-0} + ${slow:-0} + ${odd:-0} ))
    if [ "$worse" -gt 0 ] || [ -z "$passed" ]; then
        sed -n '/^Summary of Failures/,$p' "$build/test.out"
        python3 tests/failures.py "$build/meson-logs/$name.json" 2>/dev/null
    fi
    [ -n "$passed" ] || { cat "$build/test.out"; worse=1; status=1; }
    ok=$((ok + ${passed:-0})) bad=$((bad + worse))
}

many=$(( $(nproc) + 3 ))
if [ "$e2e" = --no-e2e ]; then
    round testlog "$many" --no-suite e2e
else
    round testlog "$many" --no-suite paired
    round paired 2 --suite paired
fi
echo "$ok passed, $bad failed"
[ "$bad" = 0 ] && [ "$status" = 0 ]
