# SPDX-License-Identifier: Apache-2.0

GO       ?= go
PREFIX   ?= /usr/local
LDFLAGS  := -s -w
export CGO_ENABLED = 0

.PHONY: help build run generate check test test-full bench sizes kernels install uninstall clean

help: ## Print this list.
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

build: bin/ingraind ## Build the agent into bin/: needs Go and nothing else.

bin/ingraind: FORCE
	$(GO) build -trimpath -ldflags='$(LDFLAGS)' -o $@ ./generated/ingraind

run: build ## Build the agent and watch this machine on the console. Needs root.
	bin/ingraind

generate: ## Bring generated/ up to date with grains/ and bpf/. Needs clang.
	$(GO) generate ./...

check: ## Look for mistakes without running anything: format, vet, lint, generated code.
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "not gofmt'd: $$unformatted" >&2; exit 1; }
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	$(GO) run ./gen/cmd/ingrain generate -n
	$(GO) run ./gen/cmd/ingrain generate -n -C examples/grains
	$(GO) run ./gen/cmd/ingrain generate -n -C examples/ship

test: ## Run what every change must pass; installs what it needs. Needs root.
	.ci/test short

test-full: ## Run everything.
	.ci/test full

bench: ## Measure ratios against other ways to do the same, in one run, into docs/performance.md.
	$(GO) run ./bench -peers -write docs/performance.md

kernels: ## Run the tests of all grains on all kernels, and write docs/kernels.md. Needs root.
	.ci/test full deps
	.ci/test full fetch
	.ci/test full kernels
	$(GO) run ./bench/matrix -kernels .cache/kernels -write docs/kernels.md

sizes: ## Print what each grain and sink adds to an agent, and compare with docs/sizes.md.
	$(GO) run ./bench/sizes

install: build ## Install the agent below PREFIX (/usr/local), with its completions.
	install -D -m 0755 bin/ingraind $(DESTDIR)$(PREFIX)/bin/ingraind
	mkdir -p $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	bin/ingraind completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ingraind
	bin/ingraind completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_ingraind
	bin/ingraind completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/ingraind.fish

uninstall: ## Remove what install installed.
	rm -f $(DESTDIR)$(PREFIX)/bin/ingraind $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ingraind \
	  $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_ingraind $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/ingraind.fish

clean: ## Remove what was built and fetched.
	rm -rf bin .cache

FORCE:
