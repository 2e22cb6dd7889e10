#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `mutate.sh BUILD [FILE …]`: takes each check of the money core away in turn (mutants.c) and runs the unit tests of the core that use it. A
# mutant that every test passes has survived: either a test is missing, or nothing outside can reach the check (equivalent.tsv says
# which, and why). Ends with 1 when one survives that is not in that list. Needs a BUILD whose core tests are built. VERBOSE=1 also
# names the test that killed each.
set -u
build=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
[ $# -gt 0 ] || set -- ledger split split_terms deal contract refund share payment payout
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
unit=$build/tests/unit/core
survived=0 killed=0 known=0

# Both programs with all the mutants of one file in them.
prepare() {
    "$build/tests/mutate/mutants" "$root/src/core/$1.c" >"$dir/list" &&
        "$build/tests/mutate/mutants" "$root/src/core/$1.c" write >"$dir/mutant.c" || return 1
    ${CC:-cc} -std=c17 -O1 -D_POSIX_C_SOURCE=200809L -w -I"$root/src" -I"$build/src/core" -I"$build/src" -I"$build/src/base" \
        -I"$root/src/core" -c "$dir/mutant.c" -o "$dir/mutant.o" || return 1
    for p in $programs; do
        ${CC:-cc} -o "$dir/$p" "$dir/mutant.o" "$unit/$p".p/*.o "$build/src/core/libcore.a" "$build/src/base/libbase.a" \
            -lcmocka || return 1
    done
}

# Which test fails first under this mutant; "nobody" when none does. A program that ends early or hangs has noticed too.
killer() {
    for p in $programs; do
        MUTANT=$1 timeout "${LIMIT:-300}" "$dir/$p" >"$dir/log" 2>&1 && continue
        grep -a -m1 '^\[  FAILED  \] [a-z]' "$dir/log" | sed 's/.*\] *//' | grep . || echo "the end of $p"
        return
    done
    echo nobody
}

tab=$(printf '\t')
for name in "$@"; do
    case $name in ledger | split | split_terms | deal) programs='test_core_money test_core' ;; *) programs=test_core ;; esac
    prepare "$name" || { echo "$name.c: cannot be built"; exit 2; }
    [ "$(killer -1)" = nobody ] || { echo "$name.c: the tests fail without a mutant"; exit 2; }
    k=0
    while IFS= read -r row; do
        by=$(killer $k)
        k=$((k + 1))
        what=$(printf '%s' "$row" | cut -f2-)
        if [ "$by" != nobody ]; then
            killed=$((killed + 1))
            [ -z "${VERBOSE:-}" ] || echo "$name.c:$row$tab$by"
        elif grep -qF "$name$tab$what$tab" "$here/equivalent.tsv"; then
            known=$((known + 1))
        else
            survived=$((survived + 1))
            echo "SURVIVED $name.c:$row"
        fi
    done <"$dir/list"
done
echo "$killed killed, $known beyond reach (tests/mutate/equivalent.tsv), $survived survived"
[ $survived = 0 ]
