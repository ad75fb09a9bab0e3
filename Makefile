# SPDX-License-Identifier: GPL-2.0-or-later
# make help lists the targets.

VERSION := 0.1
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= gcc
PKG_CONFIG ?= pkg-config
# A flavour is a build of its own: B=build/asan CFLAGS_EXTRA=-fsanitize=...
B ?= build
V ?= 0
Q := $(if $(filter 1,$(V)),,@)

LIBS := libpci readline libnl-3.0 smartcols json-c
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wformat=2 -Wundef
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu17 -Isrc $(WARN) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DMSICTL_VERSION='"$(VERSION)"' \
	     -fstack-protector-strong $(shell $(PKG_CONFIG) --cflags $(LIBS)) $(CFLAGS) $(CFLAGS_EXTRA)
ALL_LDFLAGS = $(LDFLAGS) $(CFLAGS_EXTRA) -Wl,--as-needed
LDLIBS = $(shell $(PKG_CONFIG) --libs $(LIBS))

SRC := $(sort $(wildcard src/*.c src/*/*.c))
OBJ := $(SRC:src/%.c=$(B)/%.o)
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(sort $(wildcard tests/unit/*.c)))

all: $(B)/msictl ## build the tool

$(B)/msictl: $(OBJ)
	@echo "  LD      $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/%.o: src/%.c Makefile | $(B)/unit
	@echo "  CC      $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# It has the rows and the script in it.
$(B)/capture/script.o: src/capture/rules src/capture/head.sh src/capture/tail.sh

# A unit test links everything but main().
$(B)/unit/%: tests/unit/%.c $(filter-out $(B)/main.o,$(OBJ)) Makefile | $(B)/unit
	@echo "  UNIT    $@"
	$(Q)$(CC) $(ALL_CFLAGS) -include tests/unit/descriptors.h $(ALL_LDFLAGS) -MMD -MP -o $@ $< $(filter %.o,$^) $(LDLIBS) -lcmocka

$(B)/unit:
	@mkdir -p $@

unit: $(UNIT) ## build the unit tests

# One process per processor, unless make was told how many.
ALL_CPUS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

check: ## install what is missing, build, run everything
	tests/deps check
	$(MAKE) $(ALL_CPUS) all unit
	tests/check $(B)

quick: all unit ## the suite without virtual machines
	tests/check -l $(B)

lab: all ## a shell in a virtual machine with real vfio-pci devices: LAB='--kernel 6.1 --intremap off --cpus 4'
	tests/deps lab
	PATH="$(CURDIR)/$(B):$$PATH" tests/lab/vm $(LAB)

lint: ## style, static analysis, who includes and calls whom, the figures of src/
	tests/lint

# --- figures beside those of bare C programs, asserting none; see tests/bench/bench.c ---
BENCH := $(sort $(wildcard tests/bench/*.c))
$(B)/bench: $(BENCH) $(wildcard tests/bench/*.h) $(filter-out $(B)/main.o,$(OBJ)) Makefile
	@echo "  BENCH   $@"
	$(Q)$(CC) $(ALL_CFLAGS) -pthread $(ALL_LDFLAGS) -o $@ $(BENCH) $(filter %.o,$^) $(LDLIBS)

bench: $(B)/msictl $(B)/bench ## ratios to bare C programs: arming, counting, waking, watching; BENCH_ONLY=cpu,serving
	$(B)/bench $(B)/msictl

BENCH_LAB := tests/bench/lab/lab.c tests/bench/row.c tests/bench/vectors.c
$(B)/bench-lab: $(BENCH_LAB) $(wildcard tests/bench/*.h) $(filter-out $(B)/main.o,$(OBJ)) Makefile
	@echo "  BENCH   $@"
	$(Q)$(CC) $(ALL_CFLAGS) -pthread $(ALL_LDFLAGS) -o $@ $(BENCH_LAB) $(filter %.o,$^) $(LDLIBS)

bench-lab: $(B)/bench-lab ## CPU time per interrupt that a device raises, on the real vfio-pci in a virtual machine
	tests/deps lab
	tests/lab/vm $(LAB) --bind -- $(CURDIR)/$(B)/bench-lab 0000:03:00.0

.PHONY: bench bench-lab
# --- end of the bench ---

SANITIZE := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
asan: ## the suite with ASan and UBSan
	$(MAKE) $(ALL_CPUS) B=build/asan CFLAGS_EXTRA="$(SANITIZE)" all unit
	tests/check build/asan unit bats lab

valgrind: all unit ## unit tests and bats under valgrind
	tests/check $(B) valgrind

mutants: ## change a token of src/ at a time, tell what no test notices: FILES="src/irq/sample.c" MUTANTS=200 SEED=1 JOBS=2
	tests/deps mutants
	tests/mutants $(if $(MUTANTS),-n $(MUTANTS)) $(if $(SEED),-s $(SEED)) $(if $(JOBS),-j $(JOBS)) $(ONLY:%=-o %) $(FILES)

.PHONY: mutants

print-flags:
	@echo $(filter-out -Werror,$(ALL_CFLAGS))

# --- manual, completions, installation ---
INSTALL ?= install
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
UNITDIR ?= $(PREFIX)/lib/systemd/system

# What --version tells of the libraries that it was built with.
$(B)/main.o: CFLAGS_EXTRA += -DMSICTL_LIBRARIES='"$(strip $(foreach l,$(LIBS),$(l) $(shell $(PKG_CONFIG) --modversion $(l))))"'

# The rows of the commands write the middle part themselves.
$(B)/msictl.8: man/msictl.8.in $(B)/msictl
	@echo "  MAN     $@"
	$(Q)$(B)/msictl help --man >$@.commands
	$(Q)sed -e '/@COMMANDS@/{r $@.commands' -e 'd}' -e 's/@VERSION@/$(VERSION)/' $< >$@
	@rm -f $@.commands

$(B)/msictl-capture.5: man/msictl-capture.5.in | $(B)/unit
	@echo "  MAN     $@"
	$(Q)sed -e 's/@VERSION@/$(VERSION)/' $< >$@

install: $(B)/msictl $(B)/msictl.8 $(B)/msictl-capture.5 ## install the tool, its manual and completions (PREFIX, DESTDIR)
	$(INSTALL) -D -m 755 $(B)/msictl $(DESTDIR)$(BINDIR)/msictl
	$(INSTALL) -D -m 644 $(B)/msictl.8 $(DESTDIR)$(DATADIR)/man/man8/msictl.8
	$(INSTALL) -D -m 644 $(B)/msictl-capture.5 $(DESTDIR)$(DATADIR)/man/man5/msictl-capture.5
	$(INSTALL) -D -m 644 completions/msictl.bash $(DESTDIR)$(DATADIR)/bash-completion/completions/msictl
	$(INSTALL) -D -m 644 completions/_msictl $(DESTDIR)$(DATADIR)/zsh/site-functions/_msictl
	$(INSTALL) -D -m 644 completions/msictl.fish $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/msictl.fish
	$(Q)sed -e 's|@BINDIR@|$(BINDIR)|' systemd/msictl-hold@.service.in >$(B)/msictl-hold@.service
	$(INSTALL) -D -m 644 $(B)/msictl-hold@.service $(DESTDIR)$(UNITDIR)/msictl-hold@.service

lint-man: $(B)/msictl.8 $(B)/msictl-capture.5
	$(Q)mandoc -Tlint -W style $^

.PHONY: install lint-man
# --- end of installation ---

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

clean: ## remove what was built
	rm -rf $(B)

.PHONY: all unit check quick lab lint asan valgrind print-flags help clean
.DELETE_ON_ERROR:
-include $(OBJ:.o=.d) $(UNIT:=.d)

# --- fuzzing: clang's libFuzzer, FUZZ_SECONDS for all targets together ---
FUZZ_SECONDS ?= 300
FUZZ_FLAGS := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/%,$(sort $(wildcard tests/fuzz/fuzz-*.c)))

$(B)/fuzz-%: tests/fuzz/fuzz-%.c $(filter-out $(B)/main.o,$(OBJ)) Makefile
	@echo "  FUZZ    $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -MMD -MP -o $@ $< $(filter %.o,$^) $(LDLIBS)

fuzz-programs: $(FUZZ)

fuzz-build:
	$(Q)$(MAKE) $(ALL_CPUS) CC=clang B=$(B)/fuzz CFLAGS_EXTRA="$(FUZZ_FLAGS)" fuzz-programs

fuzz: fuzz-build ## feed clients, servers, decoders and parsers with nonsense: FUZZ_SECONDS=300
	tests/fuzz/run $(B)/fuzz $(FUZZ_SECONDS)

.PHONY: fuzz fuzz-build fuzz-programs
-include $(FUZZ:=.d)
# --- end of fuzzing ---

# --- a first run: no root, no VFIO, no hardware ---
demo: ## install what is missing to build, build, and try it on a simulated device
	$(Q)tests/deps build
	$(Q)$(MAKE) -s --no-print-directory $(ALL_CPUS) all
	$(Q)demo/start $(B)/msictl

.PHONY: demo
# --- end of the demo ---
