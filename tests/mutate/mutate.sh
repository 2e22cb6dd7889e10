#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `mutate.sh BUILD [FILE …]`: takes each check of the money core, and of what judges a provider's notices and answers, away in turn
# (mutants.c) and runs the tests that use it. A mutant that every test passes has survived: either a test is missing, or nothing
# outside can reach the check (equivalent.tsv says which, and why). Ends with 1 when one survives that is not in that list. Needs a
# BUILD that is whole. VERBOSE=1 also names the test that killed each; KNOWN=1 runs those of the list, too: they take longest, as
# every test passes them, and one that is killed has no place there.
set -u
build=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
[ $# -gt 0 ] || set -- ledger split split_terms deal contract refund share payment payout wechat alipay alipay_share alloc form keys rail rails
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
survived=0 killed=0 known=0
export STOP_EARLY=1

# What is linked with the mutants of one file, as the build links it: a program of tests, or the whole (even) for a test in Node.
program_of() {
    case $1 in
    test_core*) echo "tests/unit/core/$1" ;;
    test_rail) echo tests/unit/rail/test_rail ;;
    *) echo src/app/even ;;
    esac
}

# All programs with all the mutants of one file in them.
prepare() {
    "$build/tests/mutate/mutants" "$source" >"$dir/list" && "$build/tests/mutate/mutants" "$source" write >"$dir/mutant.c" || return 1
    flags=$(python3 -c 'import json, sys; print(next(c["command"] for c in json.load(open(sys.argv[1])) if c["file"].endswith(sys.argv[2])))' \
        "$build/compile_commands.json" "${source#"$root"}" | sed 's# -MD .*##')
    (cd "$build" && eval "$flags -w -Werror=implicit-function-declaration -I$(dirname "$source") -c $dir/mutant.c -o $dir/mutant.o") || return 1
    for p in $programs; do
        link=$(ninja -C "$build" -t commands "$(program_of "$p")" | tail -1)
        (cd "$build" && eval "$(echo "$link" | sed "s# -o [^ ]*# -o $dir/$p $dir/mutant.o#")") || return 1
    done
}

run() {
    case $1 in
    test_*) timeout "${LIMIT:-300}" "$dir/$1" ;;
    *) timeout "${LIMIT:-300}" node "$root/tests/js/$1.mjs" "$dir/$1" ;;
    esac
}

# Which test fails first under this mutant; "nobody" when none does. A program that ends early or hangs has noticed too.
killer() {
    for p in $programs; do
        MUTANT=$1 run "$p" >"$dir/log" 2>&1 && continue
        grep -a -m1 -E '^(\[  FAILED  \] [a-z]|FAILED: )' "$dir/log" | sed 's/.*\(\]\|FAILED:\) *//' | grep . || echo "the end of $p"
        return
    done
    echo nobody
}

# The group of tests that is the likeliest to notice.
first_of() {
    case $1 in
    ledger) echo money_ledger ;;
    split_terms | deal) echo money_terms ;;
    split) echo money_split ;;
    contract) echo core_contract ;;
    refund | share | payment | payout) echo core_purse ;;
    esac
}

tab=$(printf '\t')
for name in "$@"; do
    FIRST=$(first_of "$name")
    export FIRST
    source=$root/src/core/$name.c
    case $name in
    ledger | split | split_terms | deal) programs='test_core_money test_core' ;;
    wechat | alipay | alipay_share | alloc | form | keys | rail) programs='test_rail pay_signs' source=$root/src/rail/$name.c ;;
    rails) programs=pay_signs source=$root/src/app/$name.c ;;
    *) programs=test_core ;;
    esac
    prepare "$name" || { echo "$name.c: cannot be built"; exit 2; }
    [ "$(killer -1)" = nobody ] || { echo "$name.c: the tests fail without a mutant"; exit 2; }
    k=0
    while IFS= read -r row; do
        what=$(printf '%s' "$row" | cut -f2-)
        if [ -z "${KNOWN:-}" ] && grep -qF "$name$tab$what$tab" "$here/equivalent.tsv"; then
            known=$((known + 1)) k=$((k + 1))
            continue
        fi
        by=$(killer $k)
        k=$((k + 1))
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
