#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `cover.sh BUILD`: how many lines of wire, io/net and gate the tapes of `make test` reach (the committed corpora and the seeded
# tapes, nothing else). BUILD is one with -Db_coverage=true. A line a file, a sum a folder.
set -u
build=$1
find "$build" -name '*.gcda' -delete
for c in fuzz/corpus/*.txt; do
    "$build/tests/prop/test_tapes" "$(basename "$c" .txt)" "$c" || exit 1
done
find "$build/src/wire" "$build/src/io/net" "$build/src/gate" -name '*.gcda' | while read -r g; do
    gcov -n "$g" 2>/dev/null
done | awk '
    /^File / { gsub(/\047/, "", $2); file = $2; sub(/^.*src\//, "src/", file) }
    /^Lines executed:/ && file ~ /^src\/(wire|io\/net|gate)\/.*\.c$/ && file !~ /(ocpp16|ykc)\.c$/ {
        split($2, part, ":"); sub(/%/, "", part[2]); n = $4; got = int(part[2] * n / 100 + 0.5)
        printf "%6.1f %%  %5d  %s\n", part[2], n, file
        dir = file; sub(/\/[^\/]*\.c$/, "", dir); lines[dir] += n; hit[dir] += got; file = ""
    }
    END { for (d in lines) printf "%6.1f %%  %5d  %s\n", 100 * hit[d] / lines[d], lines[d], d " (all)" }' | sort -k4
