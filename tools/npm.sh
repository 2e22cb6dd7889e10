#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `npm ci` by the lock file in a folder, once per lock file: npm.sh FOLDER
set -u
cd "$1" || exit 1
stamp=node_modules/.even-lock
cmp -s package-lock.json "$stamp" 2>/dev/null && exit 0
npm ci --no-audit --no-fund --loglevel=error || {
    echo "even: npm ci failed in $1" >&2
    exit 1
}
cp package-lock.json "$stamp"
