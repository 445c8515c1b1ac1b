# Everything that is done with this tree. `make` alone lists the targets.

# All tools stay in this folder; tools/go.sum pins what they are.
BIN := bin
STAMP := $(BIN)/.tools
# The servers that tests talk to; each is a module of its own below tools/, so that its needs stay out of ours.
CONSUL := $(BIN)/consul
S3_SERVERS := $(BIN)/minio $(BIN)/versitygw
BALANCERS := $(BIN)/balancers/.unpacked

# Debian packages that tests need beside Go and gcc (for the race detector).
DEBIAN_PACKAGES := webp libtiff-tools poppler-utils librsvg2-bin ffmpeg rsync strace curl lftp python3 libjpeg-turbo-progs ncftp tnftp liblcms2-utils icc-profiles-free libgs-common libheif-examples libavif-bin imagemagick rclone litmus chromium fonts-dejavu-core iproute2
# What the lab with NFS needs: a Linux that runs as a process, a server, and the namespace that they are in.
NFS_PACKAGES := user-mode-linux nfs-kernel-server nfs-common rpcbind e2fsprogs iproute2
# Ceph by its programs: a monitor, a disk, the gateway.
CEPH_PACKAGES := ceph-mon ceph-osd ceph-common radosgw
# What the tests with power cuts need beyond these.
POWERCUT_PACKAGES := e2fsprogs xfsprogs mount util-linux
# What those with networks that are cut need.
CHAOS_PACKAGES := iproute2 nftables
# What the FTP servers need that ours is compared with.
FTPD_PACKAGES := libwrap0 libhiredis0.14 libmemcachedutil2 libmemcached11 libpcre2-posix3 libsodium23 openssl
# The engines that make thumbnails and that ours is compared with; sharp comes where npm is.
ENGINE_PACKAGES := libvips-tools imagemagick graphicsmagick libjpeg-turbo-progs webp
# The load balancers that lb-config writes for.
BALANCER_PACKAGES := haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1 nginx libnginx-mod-stream

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
# Keys that three clients of an NFS server create at once in make nfslab.
RACES ?= 300
# How long make fuzz stays at each target.
FUZZTIME ?= 1m

# nodynamic: the decoders of HEIC and AVIF never look for a library of the system, and the program stays a static file.
TAGS := nodynamic
export GOFLAGS := -tags=$(TAGS) $(GOFLAGS)

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
DIST_PLATFORMS := linux-amd64 linux-arm64
GO_FILES = $(shell git ls-files --cached --others --exclude-standard '*.go')

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run cluster build test powercut ceph nfslab chaos ftp-death ftp-suite bench-nfs bench-ftp bench-web bench-thumbnails check lint format bench fuzz tools debian dist clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: build ## build, then run it here with the defaults: ./data, one hotfolder `inbox` (ARGS="..." adds flags)
	./$(BIN)/hotfolderd run $(ARGS)

cluster: build $(CONSUL) $(if $(filter -s3,$(ARGS)),$(BIN)/minio) ## run three nodes and a Consul of their own on ./data-cluster, or with ARGS=-s3 on a bucket
	go build -o $(BIN)/trial ./test/trial
	./$(BIN)/trial $(ARGS)

build: ## build bin/hotfolderd
	@mkdir -p $(BIN)
	CGO_ENABLED=0 go build -trimpath -o $(BIN)/hotfolderd ./cmd/hotfolderd

# Real clusters on a busy machine: when no more than a few tests fail (six, subtests counted), they are run once more, alone, and what
# fails again has failed. What passes then is told with its first output: it is a fault of the test or a rare one of ours, and to be mended.
test: debian $(STAMP) $(CONSUL) $(S3_SERVERS) $(BALANCERS) ## run all tests
	$(BIN)/gotestsum --format standard-quiet --rerun-fails=1 --rerun-fails-max-failures 6 --rerun-fails-run-root-test \
		--packages './... ./testdata/make' -- -timeout 40m

powercut: DEBIAN_PACKAGES += $(POWERCUT_PACKAGES)
powercut: debian ## cut the power of ext4 and XFS under a running node; needs root and loop devices (ARGS="-rounds 300")
	cd test/powercut && go test -tags $(TAGS),powercut $(ARGS)

ceph: DEBIAN_PACKAGES += $(CEPH_PACKAGES)
ceph: debian $(CONSUL) $(S3_SERVERS) ## try Ceph's S3 gateway as a store, with a monitor and a disk in memory of its own
	go test -tags $(TAGS),ceph -count 1 -run '^TestCeph' ./storage/s3 $(ARGS)
	go test -tags $(TAGS),ceph -count 1 -timeout 40m -run '^TestCeph|^TestBucket_/radosgw' ./node $(ARGS)
	go test -tags $(TAGS),ceph -count 1 -timeout 40m -run '[iI]nABucket/radosgw' ./test/cluster $(ARGS)

nfslab: DEBIAN_PACKAGES += $(NFS_PACKAGES)
nfslab: debian $(CONSUL) ## run nodes on real NFS: servers and clients that are Linuxes as processes; needs root (ROUNDS=300 RACES=10000)
	HOTFOLDERD_RACES=$(RACES) go test -tags $(TAGS),nfslab -count 1 -v -timeout 0 ./test/nfslab
	HOTFOLDERD_CHAOS_ROUNDS=$(if $(filter-out file,$(origin ROUNDS)),$(ROUNDS)) go test -tags $(TAGS),nfslab -count 1 -v -timeout 0 -run '^TestNFS' ./test/cluster $(ARGS)

bench-nfs: DEBIAN_PACKAGES += $(NFS_PACKAGES)
bench-nfs: debian $(CONSUL) ## count what idle nodes ask of an NFS server, with 100 and 100,000 files; time drops by HTTP that others import; needs root
	go test -tags $(TAGS),nfslab -run '^$$' -bench '^BenchmarkNFS' -benchtime 1x -timeout 0 ./test/cluster $(ARGS)

chaos: DEBIAN_PACKAGES += $(CHAOS_PACKAGES)
chaos: debian $(CONSUL) $(BALANCERS) ## kill, stop and cut off nodes and Consul, over and over; needs root (ROUNDS=20 ARGS="-skip InANetwork")
	HOTFOLDERD_CHAOS_ROUNDS=$(ROUNDS) HOTFOLDERD_AWAY=$(AWAY) HOTFOLDERD_CHANGES=$(CHANGES) go test -tags $(TAGS),chaos -count 1 -parallel 1 -v -timeout 0 -run '^Test(Chaos|Faults)' ./test/cluster $(ARGS)

ftp-death: DEBIAN_PACKAGES += iproute2
ftp-death: debian ## many FTP uploads whose client dies, whose network goes (as root), or whose client leaves after its answer (UPLOADS=10000)
	HOTFOLDERD_UPLOADS=$(UPLOADS) HOTFOLDERD_REAL_UPLOADS=300 HOTFOLDERD_PASSWORDS=$(UPLOADS) \
		go test -count 1 -parallel 2 -v -timeout 0 -run '^Test(Cut|Whole|Hostile)' ./test/ftp $(ARGS)

ftp-suite: debian $(BIN)/rclone-ftp.test $(BALANCERS) $(S3_SERVERS) ## run rclone's own tests of FTP on a folder and a bucket; and put haproxy before the gate
	go test -tags $(TAGS),ftpsuite -count 1 -v -timeout 0 -run '^TestSuite' ./test/ftp $(ARGS)

$(BIN)/rclone-ftp.test: tools/rclone/go.mod tools/rclone/go.sum
	@mkdir -p $(BIN)
	cd tools/rclone && go test -c -o ../../$@ github.com/rclone/rclone/backend/ftp

bench-ftp: DEBIAN_PACKAGES += $(FTPD_PACKAGES)
bench-ftp: debian $(BIN)/ftpservers $(CONSUL) ## upload to this gate, vsftpd, pure-ftpd and proftpd in turn; hold 200 sessions and 10,000 sockets; time what follows 226
	go test -run '^$$' -bench '^Benchmark(Servers|Sessions|SlowSockets)' -benchtime 1x -timeout 0 ./test/ftp $(ARGS)
	go test -run '^$$' -bench '^BenchmarkGate_importedAfter226' -benchtime 3000x -timeout 0 ./test/cluster $(ARGS)

# The servers of Debian, unpacked and not installed: they cannot be installed together, and would be started.
$(BIN)/ftpservers:
	@mkdir -p $(BIN)/debian
	cd $(BIN)/debian && apt-get -qq download vsftpd pure-ftpd pure-ftpd-common proftpd-core
	for p in $(BIN)/debian/*.deb; do dpkg-deb -x $$p $@; done

# haproxy and nginx of Debian with what they load, unpacked and not installed: they would be started.
$(BALANCERS):
	@mkdir -p $(@D)/debian
	cd $(@D)/debian && { apt-get -qq download $(BALANCER_PACKAGES) || { apt-get -qq update && apt-get -qq download $(BALANCER_PACKAGES); }; }
	for p in $(@D)/debian/*.deb; do dpkg-deb -x $$p $(@D) || exit 1; done
	@touch $@

bench-web: $(BALANCERS) ## ask this program and nginx for the same thumbnails, in turn and with the same client
	go test -run '^$$' -bench '^BenchmarkThumbnails' -benchtime 200000x -timeout 0 ./test/web $(ARGS)

bench-thumbnails: DEBIAN_PACKAGES += $(ENGINE_PACKAGES)
bench-thumbnails: debian $(BIN)/sharp/.tried ## make thumbnails of the same pictures with libvips, sharp, ImageMagick and others; time, memory, quality; import with thumbnails
	go test -run '^$$' -bench '^Benchmark(Engines|Quality|Imports)' -benchtime 1x -timeout 0 ./test/pictures $(ARGS)

# sharp is compared with where npm can install it; it is no part of anything.
$(BIN)/sharp/.tried:
	@mkdir -p $(@D)
	@if command -v npm >/dev/null && npm install --silent --no-audit --no-fund --prefix $(@D) sharp@0.34.5 >/dev/null 2>&1; then :; else echo "sharp is not compared: npm is missing or cannot install it"; fi
	@touch $@

check: lint $(CONSUL) $(S3_SERVERS) $(BALANCERS) ## format, vet, staticcheck, floors, tidy, race detector
	go test -race -short -timeout 40m ./... ./testdata/make

# What can be said of the code without running all of it.
lint: $(STAMP)
	@unformatted=$$($(BIN)/gofumpt -l $(GO_FILES)) || exit 1; \
		if [ -n "$$unformatted" ]; then echo "not formatted (make format): $$unformatted"; exit 1; fi
	go vet ./... ./testdata/make
	go vet -tags $(TAGS),powercut ./test/powercut
	go vet -tags $(TAGS),chaos ./test/cluster
	go vet -tags $(TAGS),ftpsuite ./test/ftp
	go vet -tags $(TAGS),ceph ./storage/s3 ./node ./test/cluster
	go vet -tags $(TAGS),nfslab ./test/nfslab ./test/cluster ./storage/posix
	$(BIN)/staticcheck ./... ./testdata/make
	$(BIN)/staticcheck -tags $(TAGS),powercut ./test/powercut
	$(BIN)/staticcheck -tags $(TAGS),chaos ./test/cluster
	$(BIN)/staticcheck -tags $(TAGS),ftpsuite ./test/ftp
	$(BIN)/staticcheck -tags $(TAGS),ceph ./storage/s3 ./node ./test/cluster
	$(BIN)/staticcheck -tags $(TAGS),nfslab ./test/nfslab ./test/cluster ./storage/posix
	go test -run '^TestFloors' ./node
	go mod tidy -diff

format: $(STAMP) ## format all Go files
	$(BIN)/gofumpt -w $(GO_FILES)

bench: ## run the benchmarks (BENCH=regexp PKGS=./workarea BENCHTIME=10x)
	go test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem -timeout 60m $(PKGS)

# Only this module and the FTP library are instrumented: the rest would be compiled anew, and its branches lead nowhere. What the goroutines
# of a gate pass through differs from run to run, so that nearly every input looks new, and is not made smaller. What breaks a target is
# left below its testdata/fuzz, where `make test` finds it.
fuzz: ## fuzz what is foreign, one target after the other, the FTP gate with the race detector (FUZZTIME=1h PKGS=./config ARGS="-test.parallel 1")
	@failed=; top=$$PWD; for dir in $$(go list -f '{{.Dir}}' $(PKGS)); do \
		targets=$$(cat $$dir/*_test.go 2>/dev/null | sed -n 's/^func \(Fuzz[A-Za-z]*\)(f .*/\1/p'); \
		if [ -z "$$targets" ]; then continue; fi; \
		race=; more=; case $$dir in */ftpgate) race=-race; more='-test.fuzzminimizetime 1x';; esac; \
		into=$$top/$(BIN)/fuzz$${dir#$$top}; mkdir -p $$into; \
		go test $$race -c -gcflags=hotfolderd/...=-d=libfuzzer -gcflags=goftp.io/server/v2=-d=libfuzzer -o $$into/fuzz.test $$dir || exit 1; \
		for target in $$targets; do \
			echo "$${dir#$$top/} $$target"; \
			(cd $$dir && $$into/fuzz.test -test.run '^$$' -test.fuzz "^$$target\$$" -test.fuzztime $(FUZZTIME) -test.fuzzcachedir $$into/cache $$more $(ARGS)) || failed="$$failed $$target"; \
		done; \
	done; if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

tools: DEBIAN_PACKAGES += $(ENGINE_PACKAGES)
tools: $(STAMP) $(CONSUL) $(S3_SERVERS) $(BALANCERS) $(BIN)/sharp/.tried debian ## build the tools of `check` and the servers for tests into bin/, and see to Debian packages

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
