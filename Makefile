# Everything a contributor does; `make help` lists it. Needs git, make and Node 20 or later with npm.
NODE := node_modules/node/bin/node
CONSOLE := apps/console/dist/index.html
CONSOLE_SOURCES := $(shell find apps/console/src -type f -not -path '*/gen/*') $(addprefix apps/console/,index.html vite.config.ts package.json) package-lock.json
SENSOR := sensor/target/release/bulwark-sensor
SENSOR_SOURCES := $(shell find sensor/src sensor/bpf sensor/proto proto -type f) sensor/build.rs sensor/Cargo.toml sensor/Cargo.lock
export PATH := $(CURDIR)/node_modules/node/bin:$(CURDIR)/node_modules/.bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help up dev console console-types wire-types test lint bench bench-smoke accuracy format install test-tools sensor cluster test-cluster

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: install $(CONSOLE) ## start Bulwark on this machine: database, API, console, a first scan; Ctrl-C ends it
	@scripts/up

dev: install console-types ## the console with live reload; finds the server at BULWARK_SERVER (http://127.0.0.1:8080)
	npm run dev --workspace apps/console

wire-types:
	@npm run types --silent --workspace apps/server

console-types: wire-types
	@npm run types --silent --workspace apps/console

console: install $(CONSOLE) ## build the console into apps/console/dist, from where the server serves it

$(CONSOLE): $(CONSOLE_SOURCES) | install
	@echo "Building the console"
	@npm run build --silent --workspace apps/console -- --logLevel warn
	@touch $@

test: install test-tools sensor cluster ## install what the tests need and run them all
	cd sensor && cargo test --release --locked --quiet
	vitest run

cluster: ## build the real Kubernetes that tests run against (needs Go)
	@scripts/build-test-cluster

test-cluster: install test-tools cluster ## run the tests that need a real Kubernetes
	vitest run test/cluster

sensor: $(SENSOR) ## build the node sensor (needs cargo, clang and libbpf-dev)

# Linked into its place: a sensor that runs goes on with what it was started from.
$(SENSOR): $(SENSOR_SOURCES)
	@command -v cargo >/dev/null || { echo "cargo is missing: install Rust 1.90 or later (apt-get install rustup, then rustup default stable)"; exit 1; }
	@command -v clang >/dev/null || { echo "clang is missing: apt-get install clang libbpf-dev"; exit 1; }
	@test -e /usr/include/bpf/bpf_helpers.h || { echo "the headers of libbpf are missing: apt-get install libbpf-dev"; exit 1; }
	cd sensor && cargo build --release --locked
	@cp "$$(ls -t sensor/target/*-linux-*/release/bulwark-sensor | head -1)" $@.new && mv $@.new $@

lint: install console-types wire-types ## type check, format, lint, import directions, unused exports and dependencies
	tsc -p tsconfig.pure.json
	tsc -p tsconfig.node.json
	tsc -p tsconfig.browser.json
	biome check --error-on-warnings .
	knip
	vitest run test/import-direction.test.ts

bench: install test-tools sensor cluster ## measure, print a table, write bench/results.json
	$(NODE) --disable-warning=ExperimentalWarning bench/run.ts

bench-smoke: install test-tools sensor cluster ## the same with small sizes: shows that it runs, not how fast
	BULWARK_BENCH_SMOKE=1 $(NODE) --disable-warning=ExperimentalWarning bench/run.ts

accuracy: install ## precision and recall on the labelled corpus; fails below the stated bounds
	$(NODE) --disable-warning=ExperimentalWarning bench/accuracy/run.ts

format: install ## format and apply safe fixes
	biome check --write .

install: node_modules/.installed ## install the npm packages of package-lock.json

# Not `npm ci`: it refuses a lock file that lacks the optional packages of other platforms, which npm itself leaves out.
node_modules/.installed: package.json package-lock.json $(wildcard packages/*/package.json apps/*/package.json)
	@echo "Installing the npm packages of package-lock.json, Node 24 among them"
	npm install --no-save --no-audit --no-fund --loglevel=error
	@test -x $(NODE) || { echo "npm did not install Node 24 into $(NODE)"; exit 1; }
	@touch $@

test-tools:
	@scripts/install-test-tools
