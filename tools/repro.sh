#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the program twice, in two folders of different names and depths, and compares the results byte for byte: `repro.sh [SOURCE]`.
# No compiler cache takes part. The pages come from web/dist as it is. Ends 1 where the builds differ and says where.
set -eu
source=$(cd "${1:-$(dirname "$0")/..}" && pwd)
SOURCE_DATE_EPOCH=$(git -C "$source" log -1 --format=%ct 2>/dev/null || echo 1767225600)
CCACHE_DISABLE=1
export SOURCE_DATE_EPOCH CCACHE_DISABLE
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
one=$work/a
two=$work/another/folder/with/a-longer-name
for tree in "$one" "$two"; do # both before any build: the source may change meanwhile
    mkdir -p "$tree"
    (cd "$source" && { git ls-files 2>/dev/null || find . -type f ! -path './build/*' ! -path '*/node_modules/*'; } |
        tar -cf - -T -) | tar -xf - -C "$tree"
    if [ -d "$source/web/dist" ]; then
        cp -R "$source/web/dist" "$tree/web/"
    fi
done
for tree in "$one" "$two"; do
    if ! { CC=${CC:-gcc} meson setup "$tree/build" "$tree" --buildtype="${BUILDTYPE:-debugoptimized}" && ninja -C "$tree/build" src/app/even; } >"$work/log" 2>&1; then
        tail -20 "$work/log" >&2
        exit 1
    fi
done
if cmp "$one/build/src/app/even" "$two/build/src/app/even"; then
    echo "repro: both builds are the same $(wc -c <"$one/build/src/app/even") bytes, SHA-256 $(sha256sum <"$one/build/src/app/even" | cut -c1-64)"
else
    for part in $(cd "$one/build" && find . -name '*.o' -o -name '*.a' -o -path '*_gen.c' | sort); do
        cmp -s "$one/build/$part" "$two/build/$part" || echo "repro: differs: $part" >&2
    done
    exit 1
fi
