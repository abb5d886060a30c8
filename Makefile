# `make` alone formats, generates, vets, lints and tests. `make help` lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := all

GO        ?= go
NEWER     ?= go1.27.4
FUZZTIME  ?= 30s
FUZZ      ?= .
BENCH     ?= .
BENCHTIME ?= 1s
COUNT     ?= 1

BIN      := $(CURDIR)/.bin
NOTES    := $(BIN)/not-checked
MODULES  := $(shell sed -n 's/^\t\(\.[^ ]*\)$$/\1/p' go.work)
PACKAGES := $(addsuffix /...,$(MODULES))
PROGRAMS := $(notdir $(patsubst %/go.mod,%,$(wildcard tools/programs/*/go.mod)))
ALONE    := $(patsubst %/go.mod,%,$(wildcard bench/go.mod))

# Debian's packages that tests need, each with what tells that it is there: a command, or a path.
APT := etcd-server:etcd
APT += knot:knotd
APT += avahi-daemon avahi-utils:avahi-browse dbus-daemon iproute2:ip
APT += libzookeeper-java:/usr/share/java/zookeeper.jar default-jre-headless:java
APT += redis-server

# A checkout may belong to somebody else than who runs make in it, as in a container.
export GIT_CONFIG_COUNT   := 1
export GIT_CONFIG_KEY_0   := safe.directory
export GIT_CONFIG_VALUE_0 := $(CURDIR)

# The modules outside the workspace are built with what their own go.mod says.
outside = $(foreach module,$(1),GOWORK=off $(GO) -C $(module) $(2);)

.PHONY: all help fmt generate vet lint test bench fuzz tidy programs apt tools vuln
.PHONY: notes fmt-check generate-check tidy-check unit outside newer

.NOTPARALLEL: # the go command uses all processors by itself

all: fmt generate test ## format, generate, vet, lint and test (the default)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\n%s\n' 'Variables: FUZZTIME=30s FUZZ=regexp BENCH=regexp BENCHTIME=1s COUNT=1 NEWER=$(NEWER)'

fmt: tools ## format the source
	$(BIN)/golangci-lint fmt

generate: tools ## write what is generated: code, and the dependency lists of internal/house
	PATH="$(BIN):$$PATH" $(GO) generate $(PACKAGES)
	$(GO) test ./internal/house -run '^TestDependencies$$' -update

vet: ## run go vet on every module
	$(GO) vet $(PACKAGES)
	$(call outside,$(ALONE),vet ./...)

lint: tools ## run golangci-lint; .golangci.yml has the reason for what is switched off
	$(BIN)/golangci-lint run $(PACKAGES)

test: notes fmt-check tidy-check generate-check vet lint programs apt unit outside newer ## check everything, as continuous integration does
	@if [ -s $(NOTES) ]; then printf '\n*** not checked here:\n'; cat $(NOTES); fi

bench: ## run the benchmarks: BENCH=regexp BENCHTIME=1s COUNT=1
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -count $(COUNT) -benchmem ./...
	$(call outside,$(ALONE),test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -count $(COUNT) -benchmem ./...)

fuzz: ## fuzz every target: FUZZTIME=30s FUZZ=regexp
	tools/fuzz '$(FUZZ)' '$(FUZZTIME)'

tidy: ## tidy every module
	$(call outside,$(MODULES) tools $(ALONE),mod tidy)

programs: notes ## build the servers and clients that tests run, pinned in tools/programs, into the user's cache
	@for program in $(PROGRAMS); do \
		tools/program $$program >/dev/null || { [ "$${CI:-}" != true ] && echo "tests with $$program, which could not be built" >>$(NOTES); }; \
	done

apt: notes ## install Debian's packages that tests need and that are missing; takes root
	@tools/apt $(NOTES) $(APT)

tools: $(BIN)/.installed ## install the tools pinned in tools/go.mod into .bin

vuln: tools ## look for known vulnerabilities; asks vuln.go.dev
	$(BIN)/govulncheck $(PACKAGES)

$(BIN)/.installed: tools/go.mod tools/go.sum
	@mkdir -p $(BIN)
	GOWORK=off GOBIN=$(BIN) $(GO) -C tools install tool
	@touch $@

notes:
	@mkdir -p $(BIN)
	@: > $(NOTES)

fmt-check:
	tools/formatted

tidy-check:
	$(call outside,$(MODULES) $(ALONE),mod tidy -diff)

generate-check:
	tools/unchanged $(MAKE) generate

unit:
	flags=$$(tools/race $(NOTES)); $(GO) test $$flags -shuffle=on $(PACKAGES); \
	if [ -n "$$flags" ]; then $(GO) test -short -shuffle=on $(PACKAGES); fi # the budgets of allocations, which the race detector breaks

outside:
	$(call outside,$(ALONE),test -short ./...)

newer:
	tools/newer $(NEWER) $(NOTES) $(PACKAGES)
