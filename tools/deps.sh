#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing on Debian 12: `deps.sh build|test|check` (`check`: also clang and the linters). Uses sudo when not root; says what to
# do where neither works.
set -eu
build="gcc make pkg-config meson ninja-build libsqlite3-dev libpq-dev libssl-dev libmicrohttpd-dev libcurl4-openssl-dev liburing-dev
 libsodium-dev zlib1g-dev libqrencode-dev libxlsxwriter-dev libhpdf-dev fonts-wqy-zenhei libcmocka-dev tzdata ca-certificates"
test="$build postgresql chromium fonts-noto-cjk sqlite3 curl"
check="$test clang libclang-rt-14-dev llvm clang-format clang-tidy cppcheck"
case "${1:-build}" in
build) want=$build ;;
test) want=$test ;;
check) want=$check ;;
*) echo "usage: deps.sh build|test|check" >&2; exit 2 ;;
esac
missing=
for p in $want; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
# Any npm will do; Debian's conflicts with other Node packages, so it is asked for only where there is none.
command -v npm >/dev/null 2>&1 || missing="$missing nodejs npm"
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "even: missing:$missing; this is no Debian, please install them by hand" >&2
    exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
        echo "even: missing:$missing; run as root: apt-get install$missing" >&2
        exit 1
    }
    as_root=sudo
fi
echo "even: installing$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{ $as_root apt-get update -q && $as_root apt-get install -y -q --no-install-recommends $missing; } >"$log" 2>&1 || {
    tail -20 "$log" >&2
    echo "even: could not install:$missing" >&2
    exit 1
}
