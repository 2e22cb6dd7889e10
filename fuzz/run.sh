#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `run.sh BUILD SECONDS`: every fuzzer for so long, on its corpus in fuzz/corpus (grown in the build folder). Stops at the first finding.
set -u
build=$1
seconds=${2:-60}
bad=0
for f in "$build"/fuzz/fuzz_*; do
    [ -x "$f" ] && [ -f "$f" ] || continue
    name=$(basename "$f")
    mkdir -p "$build/corpus/$name"
    set -- "$build/corpus/$name"
    [ -d "fuzz/corpus/$name" ] && set -- "$@" "fuzz/corpus/$name"
    echo "== $name"
    "$f" -max_total_time="$seconds" -print_final_stats=1 -timeout=10 -artifact_prefix="$build/" "$@" >"$build/$name.log" 2>&1 || {
        tail -30 "$build/$name.log"
        bad=1
    }
    grep -E 'stat::number_of_executed_units|cov:' "$build/$name.log" | tail -2
done
exit $bad
