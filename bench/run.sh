#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `run.sh BUILD [name,name]`: every bench, or the named ones; writes build/bench.tsv.
set -eu
sh tools/npm.sh tests/js
exec node bench/bench.mjs "$1" "${2:-}"
