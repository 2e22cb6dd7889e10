#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `run.sh BUILD SECONDS [NAME …]`: every tape (or the named ones) fuzzed for so many seconds of CPU, beginning with its corpus in
# fuzz/corpus and what earlier runs found (BUILD/corpus), with its dictionary. Ends with 1 when one has a finding, which is kept in
# BUILD/finding-NAME-*; the others run all the same.
set -u
build=$1
seconds=${2:-60}
shift; [ $# -gt 0 ] && shift
hertz=$(getconf CLK_TCK)
# No leak check: a tape keeps its reactor for ever. Undefined behaviour is a finding.
export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
bad=0

# CPU seconds of a process and its threads.
cpu() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk -v h="$hertz" '{ print int(($12 + $13) / h) }'; }

for f in "$build"/fuzz/fuzz_*; do
    [ -x "$f" ] && [ -f "$f" ] || continue
    name=$(basename "$f" | sed 's/^fuzz_//')
    [ $# -eq 0 ] || case " $* " in *" $name "*) ;; *) continue ;; esac
    mkdir -p "$build/corpus/$name"
    "$build/fuzz/corpus" unpack "fuzz/corpus/$name.txt" "$build/corpus/$name" || exit 1
    case $name in
    json | ocpp | ocpp_gate) dict=$build/src/wire/ocpp16.dict ;;
    ykc_gate) dict=$build/src/wire/ykc.dict ;;
    web) dict=$build/src/web/api.dict ;;
    *) dict=fuzz/dict/$name.dict ;;
    esac
    [ -f "$dict" ] && dict=-dict=$dict || dict=
    "$f" -timeout=300 -report_slow_units=300 -rss_limit_mb=4000 -max_len=8192 -close_fd_mask=2 -print_final_stats=1 $dict \
        -artifact_prefix="$build/finding-$name-" "$build/corpus/$name" >"$build/fuzz_$name.log" 2>&1 &
    pid=$!
    used=0
    while kill -0 $pid 2>/dev/null && [ "${used:-0}" -lt "$seconds" ]; do
        sleep 1
        now=$(cpu $pid) && [ -n "$now" ] && used=$now
    done
    kill -TERM $pid 2>/dev/null
    wait $pid
    found=
    ls "$build"/finding-"$name"-* >/dev/null 2>&1 && { bad=1; found=', FINDINGS'; tail -40 "$build/fuzz_$name.log"; }
    runs=$(sed -n 's/.*stat::number_of_executed_units: //p' "$build/fuzz_$name.log" | tail -1)
    echo "$name: $used s of CPU, ${runs:-?} tapes, $(ls "$build/corpus/$name" | wc -l) in the corpus$found"
done
exit $bad
