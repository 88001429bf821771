# `make help` lists the targets.
NODE_BIN := $(CURDIR)/node_modules/node/bin
export PATH := $(NODE_BIN):$(PATH)

.PHONY: help install test lint format
help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: node_modules/.installed
node_modules/.installed: package.json package-lock.json $(wildcard packages/*/package.json apps/*/package.json)
	@echo "installing the npm packages of package-lock.json"
	npm ci --no-audit --no-fund
	@touch $@

test: install ## install what the tests need and run them all
	npx vitest run

lint: install ## type check, Biome, unused exports and dependencies
	npx tsc -p tsconfig.pure.json
	npx tsc -p tsconfig.node.json
	npx biome check .

format: install ## format and apply safe fixes
	npx biome check --write .
