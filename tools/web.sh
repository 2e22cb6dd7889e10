#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the faces into web/dist. Without npm the program is built without them and says so on its pages.
set -u
root=$(dirname "$0")/..
mkdir -p "$root/web/dist"
if [ -f "$root/web/package.json" ] && command -v npm >/dev/null 2>&1; then
    sh "$root/tools/npm.sh" "$root/web" || exit 1
    cd "$root/web" || exit 1
    npm run --silent build >dist.log 2>&1 || { tail -30 dist.log >&2; rm -f dist.log; exit 1; }
    rm -f dist.log
    cd - >/dev/null || exit 1
fi
touch "$root/web/dist/.stamp"
