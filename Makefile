# Zeroth's tasks. `make help` lists them; CI runs nothing else.

GO      ?= go
DEMO_OUT ?= demo-out
LINT     = $(GO) tool -modfile=tools/lint.mod
FUZZTIME ?= 20s
ARM64_TEST = GOOS=linux GOARCH=arm64 $(GO) test
ASSEMBLY = '*.s' ':!*/z*.s'
export CGO_ENABLED = 0

.DEFAULT_GOAL := help
.PHONY: help build plugins shaders shaders-matrix lint-shaders demo demo-short test test-arm64 race fuzz bench conformance conformance-gpu generate lint lint-generated format cross android android-gpu clean

help: ## list the tasks
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/zeroth
	$(GO) build -o bin/zeroth ./tools/zeroth

demo: build ## fine-tune the bundled model on the bundled remarks (about two minutes); results in demo-out/
	./examples/demo.sh $(DEMO_OUT)

demo-short: build ## the demo with a few steps, for CI
	STEPS=40 EVAL_EVERY=20 ./examples/demo.sh $(DEMO_OUT)

test: ## run all tests
	$(GO) test -timeout 40m ./...

# Where goroutines of ours meet: the pool, sessions, the hashes of a program's
# segments, the packing of weights as they are exported, waiting for a device;
# a share of the ops' table, on kernels in Go, whose every access the detector
# sees; training with several threads, and studies of several runs at a time. What
# runs in one goroutine is left out.
RACE = StreamPacks|StreamFails|Await|Golden|RoundTrip|Malformed|TestConformance$$|PackingOnce|DependOnThreads|SlopesHaveTheSameBits|FullLearns|CacheChangesNoBit
race: ## run what is concurrent under the race detector (needs cgo)
	CGO_ENABLED=1 $(GO) test -race -short -timeout 40m ./runtime/platform ./runtime/executor ./tools/study
	CGO_ENABLED=1 GOGC=400 $(GO) test -race -short -timeout 40m -run '$(RACE)' \
	  ./graph/model ./kernels/cpu ./kernels/gpu ./mpzo/train ./runtime/program

SHORT ?= -short
# What does not depend on the processor: plain tiles of every size.
ANYWHERE = WithEveryTile|WithAWide
test-arm64: ## run the tests of what differs there as arm64 under qemu: kernels, noise, executor
	ZEROTH_CPU_REQUIRE=i8mm GOGC=400 $(ARM64_TEST) $(SHORT) -skip '$(ANYWHERE)' -timeout 60m -exec "qemu-aarch64-static -cpu max" \
	  ./runtime/noise ./runtime/platform ./runtime/executor ./kernels/ref ./kernels/cpu
	ZEROTH_CPU_REQUIRE=neon $(ARM64_TEST) $(SHORT) -skip '$(ANYWHERE)' -timeout 60m -exec "qemu-aarch64-static -cpu cortex-a53" -run 'Required|Code' ./kernels/cpu
	ZEROTH_CPU_REQUIRE=dotprod $(ARM64_TEST) $(SHORT) -skip '$(ANYWHERE)' -timeout 60m -exec "qemu-aarch64-static -cpu cortex-a76" -run 'Required|Code' ./kernels/cpu

fuzz: ## run every fuzz target for FUZZTIME
	@for target in $$(grep -rhoE --include='*_test.go' '^func Fuzz[A-Za-z0-9]+' . | sed 's/func //' | sort -u); do \
	  for file in $$(grep -rlE --include='*_test.go' "^func $$target\(" .); do \
	    echo "$$target in $$(dirname $$file)"; \
	    $(GO) test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=5x "./$$(dirname $$file)" || exit 1; \
	  done; done

bench: ## run the benchmarks
	$(GO) test -run='^$$' -bench=. ./runtime/... ./kernels/... ./mpzo/train

conformance: build ## compare the CPU kernels with the plain ones, on each instruction set
	./bin/zeroth conformance --backend cpu --every

.PHONY: conformance-opencl
conformance-opencl: build ## compare a device of OpenCL with the plain kernels (minutes on PoCL, whose compiler takes most)
	./bin/zeroth conformance --backend opencl:0

conformance-gpu: build ## compare a device of Vulkan with the plain kernels; what sums across a group at other subgroup widths of llvmpipe, too
	./bin/zeroth conformance --backend vulkan:0
	if ./bin/zeroth devices | grep -q 'f16 storage'; then ZEROTH_VULKAN=store16 ./bin/zeroth conformance --backend vulkan:0 --part 1/30; fi
	for op in linear crossentropy; do ZEROTH_VULKAN=dot,coop ./bin/zeroth conformance --backend vulkan:0 --op $$op --part 1/8 || exit 1; done
	for width in 128 512; do for op in normalization attention loss weightedsum updatelora; do \
	  LP_NATIVE_VECTOR_WIDTH=$$width MESA_SHADER_CACHE_DISABLE=1 ./bin/zeroth conformance --backend vulkan:0 --op $$op || exit 1; done; done

generate: ## regenerate the generated files (arm64: needs aarch64-linux-gnu-as)
	$(GO) generate ./...

PLUGIN_CC = $(CC) -O2 -std=c99 -pedantic -Wall -Wextra -ffp-contract=off -fPIC -shared -fvisibility=hidden -Ikernels/plugin
PLUGINS = bin/plugins

plugins: ## build the example plug-ins into bin/plugins (needs cc; libopenblas-dev for one of them)
	@mkdir -p $(PLUGINS)
	$(PLUGIN_CC) -o $(PLUGINS)/libzeroth_plain.so examples/plugins/plain/*.c -lm
	@if $(CC) -fsyntax-only -include cblas.h -xc /dev/null 2>/dev/null; then \
	  set -x; $(PLUGIN_CC) -o $(PLUGINS)/libzeroth_openblas.so examples/plugins/openblas/openblas.c -lopenblas; \
	else echo "notice: no cblas.h (Debian: apt-get install libopenblas-dev): libzeroth_openblas.so was not built"; fi

SHADERS = kernels/vulkan/shaders
# Shaders with cooperative matrices want a glslc of 2024 or later, the others do not.
GLSLC ?= glslc
MATRIX_GLSLC ?= glslc
SPIRV_VAL ?= spirv-val
MATRIX_SPIRV_VAL ?= spirv-val
MATRIX_SHADERS = headbytematrix headmatrix linearbytematrix linearmatrix peakbytematrix peakmatrix
MATRIX_SOURCES = $(MATRIX_SHADERS:%=%.comp) common.glsl activation.glsl half.glsl headrounded.glsl linearrounded.glsl matrix.glsl operands.glsl peak.glsl peakmatrix.glsl rounded.glsl weights.glsl
USUAL_SHADERS = $(filter-out $(MATRIX_SHADERS),$(basename $(notdir $(wildcard $(SHADERS)/*.comp))))
# Those that have a variant for activations in f16: gpu.HalfList.
HALF_SHADERS = attention elementwise gather head linear linearbytematrix lineardot linearmatrix normalize rotary round slice
USUAL_SPIRV = $(USUAL_SHADERS:%=%.spv) $(patsubst %,%.half.spv,$(filter-out $(MATRIX_SHADERS),$(HALF_SHADERS)))
MATRIX_SPIRV = $(MATRIX_SHADERS:%=%.spv) $(patsubst %,%.half.spv,$(filter $(MATRIX_SHADERS),$(HALF_SHADERS)))
# What gives $$spirv, in the folder of the shaders.
TO_SPIRV = --target-env=vulkan1.1 -O $$(case $$spirv in *.half.spv) echo -DHALF;; esac) $${spirv%%.*}.comp

shaders: ## compile the Vulkan shaders (needs glslc and spirv-val)
	@cd $(SHADERS) && for spirv in $(USUAL_SPIRV); do \
	  $(GLSLC) $(TO_SPIRV) -o $$spirv && $(SPIRV_VAL) --target-env vulkan1.1 $$spirv || exit 1; done
	@cd $(SHADERS) && { $(GLSLC) --version | head -1; sha256sum $(USUAL_SHADERS:%=%.comp) $$(ls *.glsl | grep -v 'matrix') $(USUAL_SPIRV); } > zsums.txt

shaders-matrix: ## compile those with cooperative matrices: MATRIX_GLSLC and MATRIX_SPIRV_VAL must know them
	@cd $(SHADERS) && for spirv in $(MATRIX_SPIRV); do \
	  $(MATRIX_GLSLC) $(TO_SPIRV) -o $$spirv && $(MATRIX_SPIRV_VAL) --target-env vulkan1.1 $$spirv || exit 1; done
	@cd $(SHADERS) && { $(MATRIX_GLSLC) --version | head -1; sha256sum $(MATRIX_SOURCES) $(MATRIX_SPIRV); } > zsums-matrix.txt

lint-shaders: ## shaders are what their sources give and pass spirv-val (notices where the tools are missing)
	@if command -v $(firstword $(SPIRV_VAL)) >/dev/null; then \
	  for spirv in $(USUAL_SPIRV); do $(SPIRV_VAL) --target-env vulkan1.1 $(SHADERS)/$$spirv || exit 1; done; \
	else echo "notice: no spirv-val: the shaders were not validated"; fi
	@if ! command -v $(firstword $(MATRIX_SPIRV_VAL)) >/dev/null || $(MATRIX_SPIRV_VAL) $(SHADERS)/linearmatrix.spv 2>&1 | grep -q 'Invalid capability operand: 6022'; then \
	  echo "notice: no spirv-val that knows cooperative matrices: their shaders were not validated"; \
	else for spirv in $(MATRIX_SPIRV); do $(MATRIX_SPIRV_VAL) --target-env vulkan1.1 $(SHADERS)/$$spirv || exit 1; done; fi
	@cd $(SHADERS) && if [ "$$($(GLSLC) --version 2>/dev/null | head -1)" = "$$(head -1 zsums.txt)" ]; then \
	  for spirv in $(USUAL_SPIRV); do $(GLSLC) $(TO_SPIRV) -o - | cmp - $$spirv || exit 1; done; \
	else echo "notice: not the glslc that made the shaders: they were not compiled again"; fi
	@cd $(SHADERS) && if [ "$$($(MATRIX_GLSLC) --version 2>/dev/null | head -1)" = "$$(head -1 zsums-matrix.txt)" ]; then \
	  for spirv in $(MATRIX_SPIRV); do $(MATRIX_GLSLC) $(TO_SPIRV) -o - | cmp - $$spirv || exit 1; done; \
	else echo "notice: not the glslc that made the shaders with cooperative matrices: they were not compiled again"; fi

lint: lint-generated lint-shaders ## gofumpt, vet (amd64, arm64), staticcheck, asmfmt, generated files up to date
	@test -z "$$($(LINT) gofumpt -l $$(git ls-files '*.go'))" || { echo "gofumpt: run make format:"; $(LINT) gofumpt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	GOARCH=arm64 $(GO) vet ./...
	$(LINT) staticcheck ./...
	@test -z "$$(git ls-files $(ASSEMBLY) | xargs $(LINT) asmfmt -l)" || { echo "asmfmt: run make format"; exit 1; }

lint-generated: ## generated files are what their sources give (arm64: needs GNU as for it)
	$(GO) generate ./runtime/noise && git diff --exit-code -- runtime/noise
	@if command -v aarch64-linux-gnu-as >/dev/null; then \
	  for dir in kernels/cpu kernels/cpu/peak; do \
	    echo "asmgen -check $$dir/arm64src"; (cd $$dir && $(GO) run zeroth/tools/asmgen -check arm64src) || exit 1; done; \
	else echo "notice: no aarch64-linux-gnu-as: the assembly of arm64 was not compared with its sources"; fi

format: ## format Go and assembly
	$(LINT) gofumpt -w $$(git ls-files '*.go')
	git ls-files $(ASSEMBLY) | xargs $(LINT) asmfmt -w

cross: ## build and vet for every target
	@for target in linux/amd64 linux/arm64 android/arm64 darwin/arm64 windows/amd64; do \
	  echo $$target; \
	  GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build -o /dev/null ./tools/zeroth && \
	  GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) vet ./... || exit 1; done

android: ## build bin/zeroth-android-arm64: the full CPU path, no NDK
	GOOS=android GOARCH=arm64 $(GO) build -o bin/zeroth-android-arm64 ./tools/zeroth

# Files for Android with libraries loaded at run time: by cgo where there is an NDK,
# else by the edited purego of tools/androiddl.
ANDROID_GPU = bin/zeroth-android-arm64-gpu
NDK_CC = $(firstword $(wildcard $(NDK)/toolchains/llvm/prebuilt/*/bin/aarch64-linux-android29-clang))

android-gpu: ## build bin/zeroth-android-arm64-gpu, with Vulkan and plug-ins; NDK=FOLDER, or an experimental way without
ifneq ($(NDK),)
	@test -n "$(NDK_CC)" || { echo "NDK=$(NDK) has no toolchains/llvm/prebuilt/*/bin/aarch64-linux-android29-clang"; exit 1; }
	CGO_ENABLED=1 CC=$(NDK_CC) GOOS=android GOARCH=arm64 $(GO) build -o $(ANDROID_GPU) ./tools/zeroth
else
	@echo "notice: no NDK=FOLDER: experimental, for Android 10 and later, and never run on a real device"
	$(GO) run ./tools/androiddl -out bin/androiddl
	GOOS=android GOARCH=arm64 $(GO) build -modfile bin/androiddl/go.mod -tags androiddl -o $(ANDROID_GPU) ./tools/zeroth
endif

clean: ## remove what was built
	rm -rf bin demo-out
