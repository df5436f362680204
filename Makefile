NODE = $(shell bin/node24)
SUDO = $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# Tests named *.system.test.ts need root, the kernel or servers; all others are pure and belong to `check`.
UNIT   = $(shell git ls-files -co --exclude-standard '*.test.ts' | grep -v '\.system\.test\.ts$$')
SYSTEM = $(shell git ls-files -co --exclude-standard '*.system.test.ts')

.DEFAULT_GOAL := help
.PHONY: help deps gen check test test-long run bench bpf uninstall

help: ## list these tasks
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /|/' | column -t -s '|'

deps: ## install what tcptrail needs to run (says what, asks once on a terminal; YES=1 skips)
	@infra/deps.sh run

gen: ## write every generated file from schemas/src/fields.ts
	@$(NODE) schemas/src/generate.ts

check: ## generated files, lint, types, unit tests: seconds, run at every commit
	@$(NODE) schemas/src/generate.ts --check
	@node_modules/.bin/biome check --error-on-warnings
	@node_modules/.bin/tsc -p .
	@$(NODE) --test --test-reporter=dot $(UNIT)

test: ## everything, with real kernel and servers, under 10 minutes
	@YES=1 infra/deps.sh test
	@git config core.hooksPath .githooks
	@$(MAKE) --no-print-directory check
	@$(SUDO) $(NODE) --test --test-concurrency=1 --test-timeout=300000 $(UNIT) $(SYSTEM)

test-long: ## as test, with the full counts of kills and events
	@TCPTRAIL_TEST_LONG=1 TCPTRAIL_TEST_EVENTS=1000000 $(MAKE) --no-print-directory test

run: deps ## record this machine's connections and print them as they close; Ctrl-C ends it
	@$(SUDO) bin/tcptrail up

bench: ## make bench NAME=e2e [QUICK=1]: one benchmark; the last line of its output is a JSON object
	@YES=1 infra/deps.sh test >&2
	@$(SUDO) env QUICK=$(QUICK) $(NODE) test/bench/$(NAME).ts

bpf: ## build bpf/tcptrail.bpf.o (needs clang 14 and bpftool)
	@$(MAKE) --no-print-directory -C bpf

uninstall: ## undo run: stop, detach, delete data and settings (asks once; YES=1 skips)
	@$(SUDO) bin/tcptrail uninstall $(if $(YES),--yes)
	@rm -rf node_modules
