# Apus, federated learning in Swift.
# SPDX-License-Identifier: Apache-2.0

# Flags for every Swift build, for example SWIFT_FLAGS='-Xswiftc -warnings-as-errors'.
SWIFT_FLAGS ?=
# Arguments for `apus simulate`, for example RUN='--seed 2 --set rounds=20'.
RUN ?=
# Arguments for `swift test`, for example TEST='--filter ApusNumericsTests'.
TEST ?=
# Arguments for `scripts/bench`, for example BENCH='--only step --save'.
BENCH ?=
# Seconds for each fuzz target.
SECONDS_EACH ?= 60

.DEFAULT_GOAL := help
.PHONY: help bootstrap run demo build device test bench format lint fuzz clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

bootstrap: ## install the system packages that are missing
	@scripts/bootstrap

run: ## train the quickstart federation on real images, from nothing
	@scripts/bootstrap --data
	swift build -c release --product apus $(SWIFT_FLAGS)
	@scripts/quickstart $(RUN)

demo: ## a live federation on this machine: an aggregator and four devices over TLS
	@scripts/bootstrap --data
	swift build -c release --product apus $(SWIFT_FLAGS)
	@scripts/demo

build: bootstrap ## the release build of the command line, in .build/release/apus
	swift build -c release --product apus $(SWIFT_FLAGS)

device: bootstrap ## the program for a device alone, the Swift runtime in it: .build/release/apus-device
	swift build -c release --static-swift-stdlib --product apus-device $(SWIFT_FLAGS)

# Debug, for its checks; the C kernels optimized, or they would be thirty times slower.
# Eight at a time: more would keep those waiting that measure time, on few cores.
# In a temporary directory of their own: the compiler leaves folders behind, and so does a test that is killed.
test: bootstrap ## every test
	place=$$(mktemp -d) && trap 'rm -rf "$$place"' EXIT && export TMPDIR="$$place" && \
	SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=8 swift test --disable-xctest -Xcc -O2 $(SWIFT_FLAGS) $(TEST)

# Kills, seed and devices of the long form.
KILLS ?= 200
SEED ?= 1
DEVICES ?= 20

torture: bootstrap ## kill an aggregator and its devices at random, KILLS times, and check what is left
	@scripts/torture $(SEED) $(KILLS) $(DEVICES)

bench: build ## Apus measured, and its peers where they are installed (APUS_PEERS)
	@scripts/bench $(BENCH)

format: ## format every source file in place
	swift format --in-place --parallel --recursive Package.swift Sources Tests Fuzz Benchmarks

lint: ## the formatter's rules and the gates of scripts/gates
	@for gate in scripts/gates/*; do $$gate || exit 1; done
	swift format lint --strict --parallel --recursive Package.swift Sources Tests Fuzz Benchmarks

fuzz: bootstrap ## feed broken files to every reader, SECONDS_EACH each
	@scripts/fuzz $(SECONDS_EACH)

clean: ## remove what was built
	swift package clean
	rm -rf .build/fuzz
