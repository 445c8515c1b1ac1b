# Everything that is done with this tree. `make` alone lists the targets.

# All tools stay in this folder; tools/go.sum pins what they are.
BIN := bin
STAMP := $(BIN)/.tools
# The servers that tests talk to; each is a module of its own below tools/, so that its needs stay out of ours.
CONSUL := $(BIN)/consul
S3_SERVERS := $(BIN)/minio $(BIN)/versitygw

# Debian packages that tests need beside Go and gcc (for the race detector).
DEBIAN_PACKAGES := rsync strace curl lftp python3 libjpeg-turbo-progs ncftp tnftp
# What the tests with power cuts need beyond these.
POWERCUT_PACKAGES := e2fsprogs xfsprogs mount util-linux
# What those with networks that are cut need.
CHAOS_PACKAGES := iproute2 nftables
# What the FTP servers need that ours is compared with.
FTPD_PACKAGES := libwrap0 libhiredis0.14 libmemcachedutil2 libmemcached11 libpcre2-posix3 libsodium23 openssl

# What a call may change: make run ARGS="--config my.yaml", make bench BENCH=Commit PKGS=./workarea
ARGS ?=
BENCH ?= .
BENCHTIME ?= 1s
PKGS ?= ./...
ROUNDS ?= 1000
# Seconds that a node is away in make chaos, and the changes that it misses.
AWAY ?= 600
CHANGES ?= 5000
UPLOADS ?= 10000

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
DIST_PLATFORMS := linux-amd64 linux-arm64
GO_FILES = $(shell git ls-files --cached --others --exclude-standard '*.go')

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run cluster build test powercut chaos ftp-death ftp-suite bench-ftp check lint format bench tools debian dist clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: build ## build, then run it here with the defaults: ./data, one hotfolder `inbox` (ARGS="..." adds flags)
	./$(BIN)/hotfolderd run $(ARGS)

cluster: build $(CONSUL) ## run three nodes and a Consul of their own on ./data-cluster, to see them work together
	go build -o $(BIN)/trial ./test/trial
	./$(BIN)/trial $(ARGS)

build: ## build bin/hotfolderd
	@mkdir -p $(BIN)
	CGO_ENABLED=0 go build -trimpath -o $(BIN)/hotfolderd ./cmd/hotfolderd

test: debian $(CONSUL) $(S3_SERVERS) ## run all tests
	go test -timeout 40m ./... ./testdata/make

powercut: DEBIAN_PACKAGES += $(POWERCUT_PACKAGES)
powercut: debian ## cut the power of ext4 and XFS under a running node; needs root and loop devices (ARGS="-rounds 300")
	cd test/powercut && go test -tags powercut $(ARGS)

chaos: DEBIAN_PACKAGES += $(CHAOS_PACKAGES)
chaos: debian $(CONSUL) ## kill, stop and cut off nodes and Consul, over and over; needs root (ROUNDS=20 ARGS="-skip InANetwork")
	HOTFOLDERD_CHAOS_ROUNDS=$(ROUNDS) HOTFOLDERD_AWAY=$(AWAY) HOTFOLDERD_CHANGES=$(CHANGES) go test -tags chaos -count 1 -parallel 1 -v -timeout 0 -run '^Test(Chaos|Faults)' ./test/cluster $(ARGS)

ftp-death: DEBIAN_PACKAGES += rclone
ftp-death: debian ## many FTP uploads whose client dies, or leaves after its answer (UPLOADS=10000)
	HOTFOLDERD_UPLOADS=$(UPLOADS) HOTFOLDERD_REAL_UPLOADS=300 HOTFOLDERD_PASSWORDS=$(UPLOADS) \
		go test -count 1 -parallel 2 -v -timeout 0 -run '^Test(Cut|Whole|Hostile)' ./test/ftp $(ARGS)

ftp-suite: DEBIAN_PACKAGES += rclone
ftp-suite: debian $(BIN)/rclone-ftp.test $(S3_SERVERS) ## run rclone's own tests of FTP on a folder and on a bucket, plain and encrypted
	go test -tags ftpsuite -count 1 -v -timeout 0 -run '^TestSuite' ./test/ftp $(ARGS)

$(BIN)/rclone-ftp.test: tools/rclone/go.mod tools/rclone/go.sum
	@mkdir -p $(BIN)
	cd tools/rclone && go test -c -o ../../$@ github.com/rclone/rclone/backend/ftp

bench-ftp: DEBIAN_PACKAGES += $(FTPD_PACKAGES)
bench-ftp: debian $(BIN)/ftpservers ## upload to this gate, vsftpd, pure-ftpd and proftpd in turn; hold 200 sessions and 10,000 sockets
	go test -run '^$$' -bench '^Benchmark(Servers|Sessions|SlowSockets)' -benchtime 1x -timeout 0 ./test/ftp $(ARGS)

# The servers of Debian, unpacked and not installed: they cannot be installed together, and would be started.
$(BIN)/ftpservers:
	@mkdir -p $(BIN)/debian
	cd $(BIN)/debian && apt-get -qq download vsftpd pure-ftpd pure-ftpd-common proftpd-core
	for p in $(BIN)/debian/*.deb; do dpkg-deb -x $$p $@; done

check: lint $(CONSUL) $(S3_SERVERS) ## format, vet, staticcheck, floors, tidy, race detector
	go test -race -short -timeout 40m ./... ./testdata/make

# What can be said of the code without running all of it.
lint: $(STAMP)
	@unformatted=$$($(BIN)/gofumpt -l $(GO_FILES)) || exit 1; \
		if [ -n "$$unformatted" ]; then echo "not formatted (make format): $$unformatted"; exit 1; fi
	go vet ./... ./testdata/make
	go vet -tags powercut ./test/powercut
	go vet -tags chaos ./test/cluster
	go vet -tags ftpsuite ./test/ftp
	$(BIN)/staticcheck ./... ./testdata/make
	$(BIN)/staticcheck -tags powercut ./test/powercut
	$(BIN)/staticcheck -tags chaos ./test/cluster
	$(BIN)/staticcheck -tags ftpsuite ./test/ftp
	go test -run '^TestFloors' ./node
	go mod tidy -diff

format: $(STAMP) ## format all Go files
	$(BIN)/gofumpt -w $(GO_FILES)

bench: ## run the benchmarks (BENCH=regexp PKGS=./workarea BENCHTIME=10x)
	go test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem -timeout 60m $(PKGS)

tools: $(STAMP) $(CONSUL) $(S3_SERVERS) debian ## build the tools of `check` and the servers for tests into bin/, and see to Debian packages

$(STAMP): tools/go.mod tools/go.sum
	@mkdir -p $(BIN)
	cd tools && go build -o ../$(BIN)/ tool
	@touch $@

# A real Consul: five minutes the first time, about one from a warm build cache.
$(CONSUL): tools/consul/go.mod tools/consul/go.sum
	@mkdir -p $(BIN)
	CGO_ENABLED=0 go build -C tools/consul -trimpath -ldflags '-s -w' -o ../../$@ github.com/hashicorp/consul

# Two S3 servers of different make: about five minutes and two minutes the first time.
$(BIN)/minio: tools/minio/go.mod tools/minio/go.sum
	@mkdir -p $(BIN)
	CGO_ENABLED=0 go build -C tools/minio -trimpath -ldflags '-s -w' -o ../../$@ github.com/minio/minio

$(BIN)/versitygw: tools/versitygw/go.mod tools/versitygw/go.sum
	@mkdir -p $(BIN)
	CGO_ENABLED=0 go build -C tools/versitygw -trimpath -ldflags '-s -w' -o ../../$@ github.com/versity/versitygw/cmd/versitygw

# Installs what is missing when it may, else says how.
debian:
	@missing=; for p in $(DEBIAN_PACKAGES); do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$p"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$missing >/dev/null; \
	else \
		echo "tests need more packages: apt-get install$$missing" >&2; exit 1; \
	fi

dist: $(DIST_PLATFORMS:%=dist/hotfolderd-%) ## build the release for linux/amd64 and linux/arm64 into dist/, with checksums
	cd dist && sha256sum $(DIST_PLATFORMS:%=hotfolderd-%) > SHA256SUMS && cat SHA256SUMS

.PHONY: $(DIST_PLATFORMS:%=dist/hotfolderd-%)
$(DIST_PLATFORMS:%=dist/hotfolderd-%): dist/hotfolderd-linux-%:
	@mkdir -p dist
	CGO_ENABLED=0 GOOS=linux GOARCH=$* go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $@ ./cmd/hotfolderd

clean: ## remove what was built (never ./data)
	rm -rf $(BIN) dist
