# `make` alone prints what there is. CI and the README call these targets and nothing else.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Tools that targets install for themselves live here, not in your home.
TOOLS := $(CURDIR)/target/tools
export PATH := $(TOOLS)/bin:$(PATH)

# The mail server and the message centre that nobody here wrote: one test each delivers to them.
AIOSMTPD := aiosmtpd==1.4.6
SMPP34 := smpp34==1.5.0
PYTHON_HOME := $(TOOLS)/python

.PHONY: help
help: ## Print this
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Build (quickly, not optimised) and start a server on ./data; needs only the Rust toolchain
	@cargo run --locked --bin countersign -- serve

.PHONY: build
build: ## Build the optimised binary: target/release/countersign
	cargo build --locked --release --bin countersign

.PHONY: check
check: ## Formatting, lints, documentation; licences where cargo-deny is installed, alert rules where promtool is
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --locked --offline check licenses bans sources; else echo "cargo-deny is not installed: make deny installs and runs it"; fi
	@if command -v promtool >/dev/null; then promtool check config deploy/prometheus/prometheus.yml && promtool test rules deploy/prometheus/alerts.test.yml; else echo "promtool is not installed (Debian's package prometheus): alert rules are not checked"; fi

.PHONY: deny
deny: ## Install cargo-deny if need be (minutes); check licences, bans, sources and, over the network, advisories
	@cargo deny --version >/dev/null 2>&1 || cargo install --locked --root $(TOOLS) cargo-deny
	cargo deny --locked check

.PHONY: test
test: nextest python servers ## Install what tests lack (cargo-nextest, aiosmtpd, smpp34, Redis, PostgreSQL) and run them all, on both pairs of stores
	cargo nextest run --workspace --locked
	COUNTERSIGN_TEST_PLANES=shared cargo nextest run --package countersign-tests --locked -E 'not test(/^faults::/)'
	cargo test --workspace --doc --locked

demo-%: ## Play a vendor's own calls against a throw-away server: demo-kotp, demo-getotp, demo-antryk
	cargo build --locked --bin countersign
	demo/$*.sh target/debug/countersign

.PHONY: bench
bench: ## Sends and verifications per second of the optimised build on this machine
	cargo run --locked --release --package countersign-tests --bin bench

.PHONY: docs
docs: ## Build the code's documentation: target/doc/countersign
	cargo doc --workspace --no-deps --locked

.PHONY: nextest
nextest:
	@cargo nextest --version >/dev/null 2>&1 || cargo install --locked --root $(TOOLS) cargo-nextest

# Tests start servers of their own from these programs, on free ports and in temporary folders. Debian's own instances are not touched.
.PHONY: servers
servers:
	@ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null || missing="postgresql"; \
	command -v redis-server >/dev/null || missing="$${missing:-} redis-server"; \
	test -z "$${missing:-}" \
	  || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq \
	       && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $${missing:-}; } \
	  || { echo "tests need$${missing:-}: install these packages" >&2; exit 1; }

.PHONY: python
python:
	@python3 -c 'import aiosmtpd, smpp34' 2>/dev/null \
	  || $(PYTHON_HOME)/bin/python3 -c 'import aiosmtpd, smpp34' 2>/dev/null \
	  || { python3 -m venv $(PYTHON_HOME) && $(PYTHON_HOME)/bin/pip install --quiet --disable-pip-version-check $(AIOSMTPD) $(SMPP34); } \
	  || { echo "tests need aiosmtpd and smpp34: install python3-venv and let make test do the rest" >&2; exit 1; }
