#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clang-format, cppcheck and clang-tidy over what git tracks: `lint.sh BUILD`. Each is skipped with a word where it is not installed;
# EVEN_LINT=quick leaves out clang-tidy, which takes minutes.
set -u
build=$1
bad=0
jobs=$(nproc)
files=$(git ls-files 'src/*.c' 'sim/*.c' 'tools/*.c')
if command -v clang-format >/dev/null; then
    git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror || bad=1
else
    echo "lint: no clang-format"
fi
if command -v cppcheck >/dev/null; then
    # shellcheck disable=SC2086
    cppcheck --quiet -j "$jobs" --error-exitcode=1 --inline-suppr --suppress=missingInclude \
        --enable=warning,portability -I src $files || bad=1
else
    echo "lint: no cppcheck"
fi
if [ "${EVEN_LINT:-}" = quick ]; then
    echo "lint: clang-tidy left out"
elif command -v clang-tidy >/dev/null; then
    echo "$files" | xargs -P "$jobs" -n 8 clang-tidy --quiet -p "$build" 2>/dev/null |
        grep -E 'warning:|error:' && bad=1
else
    echo "lint: no clang-tidy"
fi
exit $bad
