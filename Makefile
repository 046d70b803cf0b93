# The two commands that matter are `make run` and `make test`.
# ARGS goes to the program: make run ARGS="--port 3100 --data-dir /var/lib/hostolink"

export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)
TARGET := $(or $(CARGO_TARGET_DIR),target)

.DEFAULT_GOAL := help
.PHONY: help run test check bench soak

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

run: ## install what is missing, build, and serve http://localhost:3000/api in development mode
	@scripts/setup
	@echo "make run: building the program (some minutes the first time)"
	@cargo build --release
	@exec $(TARGET)/release/hostolink dev $(ARGS)

test: ## install what the tests need and run them all
	@scripts/setup tests
	@scripts/test

check: ## formatting and lints, as strict as the review
	@echo "make check: formatting, then clippy with warnings as errors"
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets -- -D warnings

api: ## write docs/api/ anew: the OpenAPI document and the Postman files
	@echo "api: docs/api from the program"
	cargo build -p server
	target/debug/hostolink openapi > docs/api/openapi.json
	target/debug/hostolink postman > docs/api/hostolink.postman_collection.json
	target/debug/hostolink postman --environment > docs/api/hostolink.postman_environment.json

bench: ## measure against the baseline and print the ratios
	@echo "make bench: building for release and measuring"
	@cargo build --release
	@bench/run $(ARGS)

soak: ## the long runs: crashes under load, books checked after each
	@echo "make soak: building for release and running for long"
	@cargo build --release
	@bench/storm
	@bench/soak $(ARGS)
