NODE  = $(shell bin/node24)
BENCH = $(NAME)

.DEFAULT_GOAL := help
.PHONY: help deps gen check test test-long run bench bpf uninstall

help: ## list these tasks
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12
