# Asked when a command runs, not when make reads it: deps may only just have brought it.
NODE = "$$(bin/node24)"
SUDO = $(shell [ "$$(id -u)" = 0 ] || echo sudo --preserve-env)

# Tests named *.system.test.ts need root, the kernel or servers; all others are pure and belong to `check`.
UNIT   = $(shell git ls-files -co --exclude-standard '*.test.ts' | grep -v '\.system\.test\.ts$$')
SYSTEM = $(shell git ls-files -co --exclude-standard '*.system.test.ts')

.DEFAULT_GOAL := help
.PHONY: help deps gen static check fuzz jars test test-long test-truth test-kernels run kafka kafka-stop bench soak bpf uninstall chaos

help: ## list these tasks
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /|/' | column -t -s '|'

deps: ## install what tcptrail needs to run (says what, asks once on a terminal; YES=1 skips)
	@infra/deps.sh run

gen: ## write every generated file from schemas/src/fields.ts, the config.ts and metrics.ts of each part, and the questions
	@$(NODE) schemas/src/generate.ts
	@$(NODE) cli/src/generate-docs.ts

static:
	@$(NODE) schemas/src/generate.ts --check
	@$(NODE) cli/src/generate-docs.ts --check
	@node_modules/.bin/biome check --error-on-warnings
	@node_modules/.bin/tsc -p .

check: static ## generated files, lint, types, unit tests: seconds, run at every commit
	@$(NODE) --test --test-reporter=dot $(UNIT)

# Here, as no test should wait for a download that somebody's deadline covers.
jars:
	@$(NODE) -e "import('./infra/kafka/src/jars.ts').then(({ fetchJars }) => fetchJars(console.log))"

test: ## everything, with real kernel and servers, about 22 minutes on 2 cores
	@YES=1 infra/deps.sh test
	@git config core.hooksPath .githooks
	@$(MAKE) --no-print-directory -j2 static jars
	@$(SUDO) $(NODE) test/run.ts $(SYSTEM) $(UNIT)

test-long: ## as test, with the full counts of kills and events, then test-kernels
	@TCPTRAIL_TEST_LONG=1 TCPTRAIL_KILLS=60 TCPTRAIL_TEST_EVENTS=1000000 $(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory test-kernels

test-kernels: ## the agent on stock Debian kernels under QEMU [KERNELS="6.1 6.12"] [NAME=scenario] [GUESTS=2]; writes docs/kernels.md
	@YES=1 infra/deps.sh kernels
	@$(NODE) test/kernels/main.ts $(KERNELS)

test-truth: ## programs log what truly happens; compare every row, about a minute [NAME=scenario] [WRITE=1: docs/accuracy.md] [RUNS=20]
	@$(SUDO) env WRITE=$(WRITE) RUNS=$(RUNS) $(NODE) test/truth/$(if $(RUNS),repeat,main).ts $(NAME)

fuzz: ## mutated messages through the consumer's decoder [MESSAGES=10000000] [SEED=1]; what it stores is compared with avsc
	@MESSAGES=$(MESSAGES) SEED=$(SEED) $(NODE) test/fuzz/decoder.ts

run: deps ## record this machine's connections and print them as they close; Ctrl-C ends it
	@$(SUDO) bin/tcptrail up

kafka: ## start one Apache Kafka on 127.0.0.1:9092, in the background (installs what it needs, as deps does)
	@infra/deps.sh kafka
	@$(NODE) infra/kafka/src/background.ts start

kafka-stop: ## stop the Kafka that make kafka started; its data stay
	@$(NODE) infra/kafka/src/background.ts stop

chaos: ## kill consumers, ClickHouse and Kafka at each step and at any moment [KILLS=100] [SEED=7]; fails when a row is lost or doubled
	@YES=1 infra/deps.sh test >&2
	@env KILLS=$(KILLS) SEED=$(SEED) $(NODE) test/chaos/exact/main.ts

bench: ## make bench NAME=e2e [QUICK=1]: one benchmark; the last line of its output is a JSON object
	@YES=1 infra/deps.sh test >&2
	@$(SUDO) env QUICK=$(QUICK) $(NODE) test/bench/$(NAME).ts

soak: ## agent, consumer and ClickHouse under 5,000 connections/s for MINUTES=20 [KAFKA=1]; fails when memory or a queue grows, or a row is lost
	@YES=1 infra/deps.sh test >&2
	@$(SUDO) env MINUTES=$(MINUTES) KAFKA=$(KAFKA) $(NODE) test/bench/soak.ts

bpf: ## build bpf/tcptrail.bpf.o (needs clang 14 and bpftool)
	@$(MAKE) --no-print-directory -C bpf

uninstall: ## undo run: stop, detach, delete data and settings (asks once; YES=1 skips)
	@if bin/node24 >/dev/null 2>&1; then $(SUDO) bin/tcptrail uninstall $(if $(YES),--yes); fi
	@rm -rf node_modules
