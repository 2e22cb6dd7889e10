# SPDX-License-Identifier: Apache-2.0
# The façade. Meson does the work; this file knows what to install and which build a target needs.
#
#   make          build                    make test     every test, ends with "N passed, N failed"
#   make run      the demonstration        make bench    figures (ONLY=name,name)
#   make asan     tests under ASan+UBSan   make tsan     tests under TSan
#   make fuzz     fuzzers (SECONDS_EACH=60)  make tidy     house rules, format, linters
#   make mutate   checks removed in turn   make cover    what the corpora reach (gcov)
#   make repro    two builds, compared     make install  PREFIX=/usr/local        make clean

BUILD   ?= build/release
PREFIX  ?= /usr/local
SECONDS_EACH ?= 60
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1767225600)

WEB_SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)

.PHONY: all deps deps-test deps-check web run test bench asan tsan fuzz cover mutate tidy format repro install clean
all: build

deps:
	@sh tools/deps.sh build
deps-test:
	@sh tools/deps.sh test
deps-check:
	@sh tools/deps.sh check

# The faces: npm ci by the lock file, then vite. A build without npm goes on without them.
web: web/dist/.stamp
web/dist/.stamp: $(WEB_SOURCES) src/web/tables/api.msg src/web/tables/routes.tbl | deps
	@sh tools/web.sh

.PHONY: build
build: deps web
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) --buildtype=debugoptimized -Db_lto=false
	@ninja -C $(BUILD)

run: build
	@$(BUILD)/src/app/even demo --dir build/demo

test: deps-test
	@sh tools/npm.sh tests/js & packages=$$!; $(MAKE) --no-print-directory build && wait $$packages
	@sh tests/run.sh $(BUILD)

asan: deps-test
	@test -f build/asan/build.ninja || meson setup build/asan --buildtype=debug -Db_sanitize=address,undefined -Db_lundef=false
	@ninja -C build/asan && TIMES=4 sh tests/run.sh build/asan --no-e2e
tsan: deps-check
	@test -f build/tsan/build.ninja || meson setup build/tsan --buildtype=debug -Db_sanitize=thread -Db_lundef=false
	@ninja -C build/tsan && TIMES=10 sh tests/run.sh build/tsan --no-e2e

fuzz: deps-check
	@test -f build/fuzz/build.ninja || CC=clang meson setup build/fuzz --buildtype=debugoptimized -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
	@ASAN_OPTIONS=detect_leaks=0 ninja -C build/fuzz && sh fuzz/run.sh build/fuzz $(SECONDS_EACH)

cover: deps-check
	@test -f build/cover/build.ninja || meson setup build/cover --buildtype=debug -Db_coverage=true -Dweb=disabled
	@ninja -C build/cover tests/prop/test_tapes && sh fuzz/cover.sh build/cover

mutate: build
	@sh tests/mutate/mutate.sh $(CURDIR)/$(BUILD)

bench: build
	@sh bench/run.sh $(BUILD) "$(ONLY)"

tidy: deps-check build
	@$(BUILD)/tools/tidy/tidy .
	@sh tools/lint.sh $(BUILD)
format: deps-check
	@git ls-files '*.c' '*.h' | xargs clang-format -i

# Builds the program twice in different folders and compares the bytes.
repro: deps web
	@sh tools/repro.sh

install: build
	@meson configure $(BUILD) -Dprefix=$(PREFIX) && DESTDIR=$(DESTDIR) meson install -C $(BUILD)

clean:
	rm -rf build web/dist
