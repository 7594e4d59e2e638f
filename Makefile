# huiqi: `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export CGO_ENABLED ?= 0
# One way of compiling for programs, tests and scanners, so that each package is compiled once, and without what only a debugger reads.
export GOFLAGS := -trimpath -gcflags=all=-dwarf=false -ldflags=-w
PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD

# The packages in which several goroutines share something; a request elsewhere has its own.
RACED := $(addprefix ./platform/,audit/... database/... event/... idempotency/... jobs/... lease/... live/... relay/... web/...) \
	./integrations/... ./modules/export ./modules/importing

# What needs the file of SQLite, or no database at all, runs there, and so does the longest of what says nothing of its own on
# PostgreSQL.
PG_SKIP := TestSlowClients|TestKilledWhileUploading|TestKilledIn|TestOldProgram|TestNoFilesLeft|TestKilledBetween|TestLoadCutShort|TestServicesGoOnWithLoadedRows|TestTenThousand|TestUploads|TestScannerDown|TestFilesReadOnly|TestRanges

.PHONY: help run build test test-go test-pg test-both test-race test-front test-s3 test-e2e bench bench-live shots torture lint fmt gen tools front front-h5 front-admin packages formatted

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

run: build ## Build everything and serve the demo district on http://localhost:8080
	bin/huiqi serve --data data/demo --listen 127.0.0.1:8080 --demo

build: front-h5 front-admin packages ## Build bin/huiqi, static, with both front-ends embedded
	@test -s h5/dist/index.html -a -s admin-ui/dist/index.html || { echo "a front-end was not built"; exit 1; }
	go build -ldflags "-s -w" -o bin/huiqi .

front: front-h5 front-admin

front-h5: h5/node_modules
	cd h5 && npm run -s build

front-admin: admin-ui/node_modules
	cd admin-ui && npm run -s build

# What the program is linked from; make -j compiles it beside the front-ends.
packages:
	go build ./platform/... ./integrations/... ./modules/...

%/node_modules: %/package-lock.json
	cd $* && $(CURDIR)/scripts/retry.sh npm ci --no-audit --no-fund
	@touch $@

test: tools build test-both test-race test-front test-e2e ## Pass every test: Go on both databases, front-ends, browser

test-go: formatted ## The Go suite on SQLite
	scripts/with-scratch.sh go test -vet=off -p 3 -parallel 4 ./server ./...

test-pg: ## The Go suite on PostgreSQL, without what test-race runs there
	scripts/with-scratch.sh scripts/with-postgres.sh go test -vet=off -timeout 20m -p 2 -parallel 5 ./server $$(go list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' ./... | \
		grep databasetest | cut -d' ' -f1 | grep -vxF "$$(go list $(RACED))") -skip '$(PG_SKIP)'

test-both: formatted ## test-go and test-pg at once: every test program is linked once and runs on both
	@# The tests of the server take longest and often wait, so they begin first and the others run beside them.
	@# What uses no database and runs with the race detector runs there only.
	ELSEWHERE="$$(go list -f '{{.Dir}}' $(RACED) | sed 's|^$(CURDIR)/||')" PG_SKIP='$(PG_SKIP)' scripts/with-scratch.sh scripts/with-postgres.sh \
		go test -vet=off -timeout 20m -p 2 -parallel 3 -exec "$(CURDIR)/scripts/on-both.sh" ./server \
		$$(go list ./... | grep -vxF "$$(go list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' $(RACED) | grep -v databasetest | cut -d' ' -f1)")

test-race: ## What works at once, with the race detector, on PostgreSQL and Redis
	@# All is compiled once more for it; without inlining (-l) in two thirds of the time.
	CGO_ENABLED=1 scripts/with-scratch.sh scripts/with-redis.sh scripts/with-postgres.sh go test -vet=off -race -gcflags='all=-dwarf=false -l' $(RACED)

formatted:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }

test-front: h5/node_modules admin-ui/node_modules ## Unit tests of both front-ends; build checks their types, lint the rest
	(cd h5 && npm test -s) & (cd admin-ui && npm test -s) && wait $$!

test-s3: ## The storage suite against a real S3 server, built once from scripts/s3server (some minutes)
	scripts/with-s3.sh go test ./platform/files/ ./server/ -run 'TestStorage|TestLargeInParts|TestFilesCopy' -count=1 -v

test-e2e: e2e/node_modules ## The journeys in Chromium
	cd e2e && npm test -s

bench: build ## Measure at SIZE=10k|100k|1m|1m-services beside the floor, on SQLite or DATABASE=postgres://… (ONLY=name,name; SPAN=5s)
	@go build -o bin/bench ./bench && bin/bench

shots: build e2e/node_modules ## Picture every page of every role at 1440 and 390 px into DIR (make shots DIR=/tmp/shots ROLES=agent,visitor)
	cd e2e && SHOTS_DIR="$(abspath $(or $(DIR),e2e/test-results/shots))" E2E_PORT=$${E2E_PORT:-18090} npx playwright test --config shots.config.ts

bench-live: build ## Hold 10,000 open streams and count what they miss and cost (STREAMS for another number)
	@go run ./bench/live

torture: ## Kill the server 500 times while people use it (TORTURE_ROUNDS for another count)
	TORTURE_ROUNDS=$${TORTURE_ROUNDS:-500} go test ./server/ -run 'Killed' -count=1 -v -timeout 120m

lint: ## Every scanner: vet, staticcheck, gosec, govulncheck (VULNDB), import rules, the front-ends' linters
	go vet ./...
	scripts/scanner.sh honnef.co/go/tools/cmd/staticcheck@v0.7.0 ./...
	@# G104: staticcheck and review look after unhandled errors; what is left are Close on a path that already fails.
	@# G115: flags every conversion of an integer whatever its bounds. Any other finding is mended or explained in the code.
	scripts/scanner.sh github.com/securego/gosec/v2/cmd/gosec@v2.29.0 -quiet -exclude=G104,G115$(GOSEC_SKIP) -exclude-dir=node_modules ./...
	@if [ -n "$(VULNDB)" ]; then scripts/scanner.sh golang.org/x/vuln/cmd/govulncheck@v1.8.0 -db file://$(VULNDB) ./...; else echo "govulncheck skipped"; fi
	$(if $(BESIDE_TESTS),,go test ./server/ -run TestImportsPointDown -count=1)
	cd h5 && npm run -s lint
	cd admin-ui && npm run -s lint

fmt: ## Format everything
	gofmt -w $$(git ls-files '*.go')

gen: ## Write the front-ends' API types from the interface document
	go run . openapi > .openapi.json
	cd h5 && OPENAPI=../.openapi.json npm run -s gen
	cd admin-ui && OPENAPI=../.openapi.json npm run -s gen
	rm .openapi.json

tools: ## Install what the tests need (Chromium, Chinese fonts, PostgreSQL, Redis, sqlite3, strace) with apt
	scripts/tools.sh
