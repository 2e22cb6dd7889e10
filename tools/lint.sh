#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clang-format, clang-tidy and cppcheck over what git tracks. Each is skipped with a word where it is not installed.
set -u
build=$1
bad=0
files=$(git ls-files 'src/*.c' 'sim/*.c' 'tools/*.c')
if command -v clang-format >/dev/null; then
    # shellcheck disable=SC2046
    clang-format --dry-run -Werror $(git ls-files '*.c' '*.h') || bad=1
else
    echo "lint: no clang-format"
fi
if command -v cppcheck >/dev/null; then
    # shellcheck disable=SC2086
    cppcheck --quiet --error-exitcode=1 --inline-suppr --suppress=missingInclude --enable=warning,portability \
        -I src -I "$build/src/base" -I "$build/src/core" $files || bad=1
else
    echo "lint: no cppcheck"
fi
if command -v clang-tidy >/dev/null; then
    # shellcheck disable=SC2086
    clang-tidy --quiet -p "$build" $files 2>/dev/null | grep -E 'warning:|error:' && bad=1
else
    echo "lint: no clang-tidy"
fi
exit $bad
