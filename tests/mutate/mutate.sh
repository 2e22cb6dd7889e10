#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `mutate.sh BUILD [FILE …]`: takes each check of the money core, and of what judges a provider's notices and answers, away in turn
# (mutants.c) and runs the tests that use it. A mutant that every test passes has survived: either a test is missing, or nothing
# outside can reach the check (equivalent.tsv says which, and why). Ends with 1 when one survives that is not in that list. Needs a
# BUILD that is whole. VERBOSE=1 also names the test that killed each; KNOWN=1 runs those of the list, too: one that is killed has
# no place there. ONLY='95 97' takes only the checks of these lines.
#
# Programs of unit tests run once whole, and say in which tests each check is the one that refuses. A mutant runs those tests alone,
# the quick ones first: in the others it does what the original does. A test is asked so only if it passes alone without a mutant.
set -u
build=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
[ $# -gt 0 ] || set -- ledger split split_terms deal contract refund share share_return sharing payment payout notice wechat alipay alipay_share alloc form keys rail rails
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
survived=0 killed=0 known=0

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
    test_*) timeout "${LIMIT:-600}" "$dir/$1" ;;
    *) timeout "${LIMIT:-600}" node "$root/tests/js/$1.mjs" "$dir/$1" ;;
    esac
}

# Who failed in the last run. A program that ends early or hangs has noticed too.
failed() {
    grep -a -m1 -E '^(\[  FAILED  \] [a-z]|FAILED: )' "$dir/log" | sed 's/.*\(\]\|FAILED:\) *//' | grep . || echo "the end of $1"
}

# Each program without a mutant: all must pass. Of programs of unit tests, $dir/fires: check, program, test.
observe() {
    : >"$dir/fires"
    : >"$dir/alone"
    for p in $programs; do
        {
            MUTANT=-1 FIRES=1 run "$p" 2>"$dir/err"
            echo "$?" >"$dir/rc"
        } | awk -v p="$p" '/^\[ RUN / { test = $4 } match($0, /FIRES [0-9]+$/) { k = substr($0, RSTART + 6); if (!seen[k, test]++) print k, p, test }' >>"$dir/fires"
        [ "$(cat "$dir/rc")" = 0 ] || return 1
    done
}

# What a test takes when it runs alone, in ms; nothing when it needs the others.
alone_ms() {
    if ! grep -q "^$1 $2 " "$dir/alone"; then
        began=$(date +%s%N)
        MUTANT=-1 TEST=$2 run "$1" >/dev/null 2>&1 && echo "$1 $2 $((($(date +%s%N) - began) / 1000000))" >>"$dir/alone" || echo "$1 $2 -" >>"$dir/alone"
    fi
    sed -n "s/^$1 $2 //p" "$dir/alone" | grep -v '^-'
}

# The tests of a program in which check $2 refuses, the quick ones first; the whole program, if one of them cannot stand alone.
tests_of() {
    awk -v k="$2" -v p="$1" '$1 == k && $2 == p { print $3 }' "$dir/fires" | while read -r t; do
        echo "$(alone_ms "$1" "$t" || echo 999999) $t"
    done | sort -n | awk '$1 == 999999 { print "*"; exit } { print $2 }'
}

# Which test fails first under this mutant; "nobody" when none does.
killer() {
    for p in $programs; do
        case $p in
        test_*) tests=$(tests_of "$p" "$1") ;;
        *) tests='*' ;;
        esac
        set -f
        for t in $tests; do
            MUTANT=$1 TEST=$t run "$p" >"$dir/log" 2>&1 && continue
            failed "$p"
            return
        done
        set +f
    done
    echo nobody
}

tab=$(printf '\t')
for name in "$@"; do
    source=$root/src/core/$name.c
    case $name in
    ledger | split | split_terms | deal) programs='test_core_money test_core' ;;
    wechat | alipay | alipay_share | alloc | form | keys | rail) programs='test_rail pay_signs' source=$root/src/rail/$name.c ;;
    rails) programs=pay_signs source=$root/src/app/$name.c ;;
    *) programs=test_core ;;
    esac
    prepare "$name" || { echo "$name.c: cannot be built"; exit 2; }
    observe || { echo "$name.c: the tests fail without a mutant"; exit 2; }
    : >"$dir/met"
    : >"$dir/unmet"
    k=-1
    while IFS= read -r row; do
        k=$((k + 1))
        what=$(printf '%s' "$row" | cut -f2-)
        case " ${ONLY:-${row%%"$tab"*}} " in *" ${row%%"$tab"*} "*) ;; *) continue ;; esac
        if [ -z "${KNOWN:-}" ] && grep -qF "$name$tab$what$tab" "$here/equivalent.tsv"; then
            known=$((known + 1))
            continue
        fi
        by=$(killer $k)
        if [ "$by" != nobody ]; then
            killed=$((killed + 1))
            [ -z "${VERBOSE:-}" ] || echo "$name.c:$row$tab$by"
            printf '%s\n' "$what" >>"$dir/met"
        elif grep -qF "$name$tab$what$tab" "$here/equivalent.tsv"; then
            known=$((known + 1))
            printf '%s\n' "$what" >>"$dir/unmet"
        else
            survived=$((survived + 1))
            [ "$(tests_of "${programs%% *}" $k)" ] && seen=', though tests meet it' || seen=
            echo "SURVIVED $name.c:$row$seen"
        fi
    done <"$dir/list"
    sort -u "$dir/met" | grep -vxFf "$dir/unmet" | while IFS= read -r what; do
        ! grep -qF "$name$tab$what$tab" "$here/equivalent.tsv" || echo "NOT BEYOND REACH $name.c: $what"
    done
done
echo "$killed killed, $known beyond reach (tests/mutate/equivalent.tsv), $survived survived"
[ $survived = 0 ]
