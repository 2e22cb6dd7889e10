#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the faces into web/dist. Without npm, or when it fails, the program is built without them and says so on its pages.
set -u
cd "$(dirname "$0")/../web" || exit 1
mkdir -p dist
if [ -f package.json ] && command -v npm >/dev/null 2>&1; then
    stamp=node_modules/.even-lock
    if ! cmp -s package-lock.json "$stamp" 2>/dev/null; then
        npm ci --no-audit --no-fund --loglevel=error || { echo "even: npm ci failed; the pages are left out" >&2; exit 1; }
        cp package-lock.json "$stamp"
    fi
    npm run --silent build >dist.log 2>&1 || { tail -30 dist.log >&2; rm -f dist.log; exit 1; }
    rm -f dist.log
fi
touch dist/.stamp
