#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The long forms of the tests: `soak.sh BUILD`. Hours, not minutes. REPLAY_FILE=path adds a whole file of real sessions. Ends at the
# first that fails.
set -eu
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
ALL_ORDERS=1 "$build/tests/unit/core/test_core"
"$build/tests/prop/test_exhaust" --full
"$build/tests/prop/test_exhaust_terms" --full
for corpus in "$here"/../fuzz/corpus/*.txt; do
    "$build/tests/prop/test_tapes" "$(basename "$corpus" .txt)" "$corpus" "${TIMES:-100}"
done
"$build/tests/crash/test_crash" --points "${POINTS:-100000}" --seed 1000
"$build/tests/world/test_world" --full
"$build/tests/town/test_town" --controls
"$build/tests/town/test_town" --seeds 1 "${SEEDS:-10000}"
(cd "$here/js" && KILLS="${KILLS:-100}" node kill.mjs "$build/src/app/even")
(cd "$here/js" && KILLS="${KILLS:-100}" node ../kill_commit/kill_commit.mjs "$build/src/app/even" "$build/tests/kill_commit/kill_at")
(cd "$here/js" && FLEET="${FLEET:-5000}" HOURS=24 SPEED="${SPEED:-24}" node fleet.mjs "$build/src/app/even")
(cd "$here/js" && node ../replay/replay.mjs "$build/src/app/even")
# 100,000 piles that beat for ten minutes; judged by whoever reads the figure.
ulimit -n "$(ulimit -Hn)"
(cd "$here/.." && PILES="${PILES:-100000}" BEATING="${BEATING:-600}" sh bench/run.sh "$build" ykc_idle_bytes)
echo "soak passed"
