#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every test of a build and counts: `run.sh BUILD [--no-e2e]`. The last line is "N passed, N failed". A test that is skipped is
# told by name and counts as neither. TIMES=K lengthens every limit: 2 by itself, for tests run beside others; more for builds that
# sanitizers slow down.
set -u
build=$1
e2e=${2:-}
log=$build/meson-logs/testlog.json
# Many tests wait most of their time: two more than the machine has cores.
export MESON_TESTTHREADS=$(( $(nproc) + 2 ))
[ "$e2e" = --no-e2e ] && e2e='--no-suite e2e'
# shellcheck disable=SC2086 # two words, or none
meson test -C "$build" -t "${TIMES:-2}" --no-rebuild --print-errorlogs $e2e >"$build/test.out" 2>&1
status=$?
grep -E '^ *[0-9]+/[0-9]+ ' "$build/test.out"
number() { sed -n "s/^$1: *\([0-9][0-9]*\).*/\1/p" "$build/test.out" | tail -1; }
ok=$(number Ok) fail=$(number Fail) slow=$(number Timeout) odd=$(number 'Unexpected Pass')
bad=$(( ${fail:-0} + ${slow:-0} + ${odd:-0} ))
if [ "$bad" -gt 0 ] || [ -z "$ok" ]; then
    sed -n '/^Summary of Failures/,$p' "$build/test.out"
    python3 tests/failures.py "$log" 2>/dev/null
fi
[ -n "$ok" ] || { cat "$build/test.out"; echo "0 passed, 1 failed"; exit 1; }
echo "$ok passed, $bad failed"
[ "$bad" = 0 ] && [ "$status" = 0 ]
