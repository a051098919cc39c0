# keybroker: `make help` lists targets and knobs.

VERSION := $(shell sed -n 's/^\#define KB_VERSION  *"\(.*\)"/\1/p' include/keybroker.h)
SOVERSION := 0

# Knobs (make KNOB=value)
BUILD ?= build
CC ?= cc
DEBUG ?=
SANITIZE ?=
WERROR ?= -Werror
PREFIX ?= /usr/local
DESTDIR ?=
KEYCTL ?= keyctl
FUZZ_SECONDS ?= 10
CFLAGS ?= -O2 -g

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion $(WERROR)
KB_CFLAGS = -std=c17 -D_GNU_SOURCE -Iinclude -Iclient -I. -fPIC -fvisibility=hidden -pthread -MMD -MP $(WARNINGS) $(CFLAGS)
KB_LDFLAGS = -pthread $(LDFLAGS)
ifneq ($(SANITIZE),)
KB_CFLAGS += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all
KB_LDFLAGS += -fsanitize=$(SANITIZE)
# gcc warns that TSan does not see fences; the accesses around ours are atomic, so it needs none.
KB_CFLAGS += $(shell $(CC) -Wno-tsan -Werror -E -x c /dev/null >/dev/null 2>&1 && echo -Wno-tsan)
endif
ifneq ($(DEBUG),)
KB_CFLAGS += -O0
endif

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
without_main = $(filter-out %/main.o,$(1))

CORE := $(call objects,$(wildcard client/*.c client/segment/*.c))
TEXT := $(call objects,$(wildcard client/text/*.c))
HTTP := $(call objects,$(wildcard client/http/*.c client/http/rules/*.c))
BROKER := $(call objects,$(wildcard broker/*.c))
CTL := $(call objects,$(wildcard client/keyctl/*.c))
POOL := $(call objects,$(wildcard client/keypool/*.c))
CALL := $(call objects,$(wildcard client/keycall/*.c))

LIBS := $(BUILD)/libkeybroker.a $(BUILD)/libkeybroker.so $(BUILD)/libkeybroker-http.a $(BUILD)/libkeybroker-http.so
PROGRAMS := $(BUILD)/keybrokerd $(BUILD)/keyctl $(BUILD)/keypool
ifneq ($(CALL),)
PROGRAMS += $(BUILD)/keycall
endif

.PHONY: all
all: $(LIBS) $(PROGRAMS)  ## libraries and programs, in $(BUILD)/

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(KB_CFLAGS) -c $< -o $@

$(BUILD)/libkeybroker.a: $(CORE)
	rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/libkeybroker.so: $(CORE)
	$(CC) $(KB_LDFLAGS) -shared -Wl,-soname,libkeybroker.so.$(SOVERSION) -Wl,-z,defs -o $@.$(VERSION) $^
	ln -sf $(@F).$(VERSION) $@.$(SOVERSION) && ln -sf $(@F).$(VERSION) $@

# The second library brings its own JSON reader; of the first it uses the public functions only.
$(BUILD)/libkeybroker-http.a: $(HTTP) $(TEXT)
	rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/libkeybroker-http.so: $(HTTP) $(TEXT) $(BUILD)/libkeybroker.so
	$(CC) $(KB_LDFLAGS) -shared -Wl,-soname,libkeybroker-http.so.$(SOVERSION) -Wl,-z,defs -o $@.$(VERSION) \
		$(HTTP) $(TEXT) -L$(BUILD) -lkeybroker -lcurl
	ln -sf $(@F).$(VERSION) $@.$(SOVERSION) && ln -sf $(@F).$(VERSION) $@

# Everything but the mains: what the tests link with.
$(BUILD)/libparts.a: $(CORE) $(TEXT) $(HTTP) $(call without_main,$(BROKER) $(CTL) $(POOL) $(CALL))
	rm -f $@ && $(AR) rcs $@ $^

# Of the http library the broker takes what reads services, and no libcurl.
$(BUILD)/keybrokerd: $(BROKER) $(BUILD)/libkeybroker-http.a $(BUILD)/libkeybroker.a
	$(CC) $(KB_LDFLAGS) -o $@ $^ -lnettle
$(BUILD)/keyctl: $(CTL) $(BUILD)/libkeybroker-http.a $(BUILD)/libkeybroker.a
	$(CC) $(KB_LDFLAGS) -o $@ $^ -lcurl
$(BUILD)/keypool: $(POOL) $(BUILD)/libkeybroker-http.a $(BUILD)/libkeybroker.a
	$(CC) $(KB_LDFLAGS) -o $@ $^ -lcurl
$(BUILD)/keycall: $(CALL) $(BUILD)/libkeybroker-http.a $(BUILD)/libkeybroker.a
	$(CC) $(KB_LDFLAGS) -o $@ $^ -lcurl

# ---- tests ----

UNIT := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*_test.c))
PROCESS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/process/*_test.c))
PLAIN := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/plain/*.c))
CRASH := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/crash/*.c))
BENCH := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/bench/*.c))
UPSTREAM := $(BUILD)/tests/upstream/upstream
UPSTREAM_TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/upstream/*_test.c))
KIT := $(call objects,$(wildcard tests/kit/*.c))

$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(KIT) $(BUILD)/libparts.a
	@mkdir -p $(@D)
	$(CC) $(KB_LDFLAGS) -o $@ $^ -lcriterion -lcurl -lmicrohttpd -lnettle
$(BUILD)/tests/process/%: $(BUILD)/obj/tests/process/%.o $(KIT) $(BUILD)/libparts.a
	@mkdir -p $(@D)
	$(CC) $(KB_LDFLAGS) -o $@ $^ -lcriterion -lnettle -lcurl
$(BUILD)/tests/plain/%: $(BUILD)/obj/tests/plain/%.o $(KIT) $(BUILD)/libparts.a
	@mkdir -p $(@D)
	$(CC) $(KB_LDFLAGS) -o $@ $^ -lnettle
$(BUILD)/tests/bench/%: $(BUILD)/obj/tests/bench/%.o $(call objects,$(wildcard tests/bench/parts/*.c)) $(KIT) $(BUILD)/libparts.a
	@mkdir -p $(@D)
	$(CC) $(KB_LDFLAGS) -o $@ $^ -lnettle -lcurl -lmicrohttpd -lm
# Static, so that a victim's instructions are few and all its own.
$(BUILD)/tests/crash/%: $(BUILD)/obj/tests/crash/%.o $(KIT) $(BUILD)/libparts.a
	@mkdir -p $(@D)
	$(CC) $(KB_LDFLAGS) -static -o $@ $^ -lnettle
$(BUILD)/tests/upstream/%_test: $(BUILD)/obj/tests/upstream/%_test.o $(KIT) $(BUILD)/libparts.a
	@mkdir -p $(@D)
	$(CC) $(KB_LDFLAGS) -o $@ $^ -lcriterion -lcurl -lnettle
$(UPSTREAM): $(call objects,$(filter-out %_test.c,$(wildcard tests/upstream/*.c)))
	@mkdir -p $(@D)
	$(CC) $(KB_LDFLAGS) -o $@ $^ -lmicrohttpd

# Objects are kept, not taken for intermediate files.
.SECONDARY:

.PHONY: tests check-unit check-threads check-valgrind crash model fuzz bench lint format
tests: all $(UNIT) $(PROCESS) $(PLAIN) $(UPSTREAM) $(UPSTREAM_TESTS)  ## build the tests; scripts/test.sh runs them

check-unit: $(BUILD)/keybrokerd $(UNIT) $(PROCESS) $(UPSTREAM) $(UPSTREAM_TESTS)  ## run the criterion tests
	@failed=0; for t in $(UNIT) $(PROCESS) $(UPSTREAM_TESTS); do echo "# $$t"; \
		LSAN_OPTIONS=suppressions=tests/lsan.supp:print_suppressions=0 BUILD=$(BUILD) timeout 300 $$t || failed=1; done; exit $$failed

check-threads: $(BUILD)/tests/plain/threads  ## run the threads driver (SANITIZE=thread)
	timeout 300 $<

check-valgrind: $(BUILD)/tests/plain/threads  ## run the threads driver under valgrind
	VALGRIND=1 timeout 600 valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite $<

crash: $(CRASH)  ## kill a worker at every instruction of claim and report
	@failed=0; for t in $^; do timeout 900 $$t || failed=1; done; exit $$failed

model:  ## check the Spin models, the broken variants included
	tests/model/run.sh $(BUILD)/model

FUZZERS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz/*_fuzz.c))
# What they are linked with is compiled once, for all of them.
$(BUILD)/fuzz/libparts.a: FORCE
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang CFLAGS='-g -O1' SANITIZE=fuzzer-no-link,address,undefined $@
.PHONY: FORCE
FORCE:
$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(BUILD)/fuzz/libparts.a
	@mkdir -p $(@D)
	clang -std=c17 -D_GNU_SOURCE -Iinclude -Iclient -I. -g -O1 -pthread -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o $@ $^ -lnettle -lcurl
fuzz: $(FUZZERS)  ## run each fuzzer for FUZZ_SECONDS
	@for f in $^; do mkdir -p $(BUILD)/corpus/$$(basename $$f); \
		$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
		-artifact_prefix=$(BUILD)/ $(BUILD)/corpus/$$(basename $$f) \
		$$(ls -d tests/fuzz/seeds/$$(basename $$f) 2>/dev/null) || exit 1; done

bench: $(BENCH)  ## print the table of claim + report against its limits
	@for b in $^; do $$b || exit 1; done

SOURCES := $(shell find include client broker tests -name '*.c' -o -name '*.h')
CODE := $(shell find client broker -name '*.c')
lint:  ## clang-format, clang-tidy, cppcheck
	clang-format --dry-run -Werror $(SOURCES)
	clang-tidy --quiet --warnings-as-errors='*' $(CODE) -- -std=c17 -D_GNU_SOURCE -Iinclude -Iclient -I. 2>/dev/null
	cppcheck --quiet --std=c11 --error-exitcode=1 --enable=warning,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem -D_GNU_SOURCE -Iinclude -Iclient -I. $(CODE)
format:  ## lay the code out anew
	clang-format -i $(SOURCES)

# ---- installing ----

define PC
prefix=$(PREFIX)
libdir=$${prefix}/lib
includedir=$${prefix}/include

Name: keybroker
Description: One set of API keys for all processes of a host
Version: $(VERSION)
Libs: -L$${libdir} -lkeybroker
Libs.private: -pthread
Cflags: -I$${includedir}
endef
export PC

define HTTP_PC
prefix=$(PREFIX)
libdir=$${prefix}/lib
includedir=$${prefix}/include

Name: keybroker-http
Description: HTTP requests with a keybroker's keys
Version: $(VERSION)
Requires: keybroker
Requires.private: libcurl
Libs: -L$${libdir} -lkeybroker-http
Cflags: -I$${includedir}
endef
export HTTP_PC

.PHONY: install uninstall help clean
install: all  ## install below $(DESTDIR)$(PREFIX); KEYCTL=name renames keyctl
	@if [ -e "$(DESTDIR)$(PREFIX)/bin/$(KEYCTL)" ] && \
		! "$(DESTDIR)$(PREFIX)/bin/$(KEYCTL)" version 2>/dev/null | grep -q '(layout '; then \
		echo "$(DESTDIR)$(PREFIX)/bin/$(KEYCTL) is another program (keyutils'?): make install KEYCTL=kbctl"; exit 1; fi
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include
	install -m 755 $(BUILD)/keybrokerd $(DESTDIR)$(PREFIX)/sbin/keybrokerd
	install -m 755 $(BUILD)/keyctl $(DESTDIR)$(PREFIX)/bin/$(KEYCTL)
	install -m 755 $(BUILD)/keypool $(DESTDIR)$(PREFIX)/bin/keypool
	install -m 755 $(BUILD)/keycall $(DESTDIR)$(PREFIX)/bin/keycall
	install -d $(DESTDIR)$(PREFIX)/include/keybroker
	install -m 644 include/keybroker.h $(DESTDIR)$(PREFIX)/include/keybroker.h
	install -m 644 include/keybroker/*.h $(DESTDIR)$(PREFIX)/include/keybroker/
	@for lib in libkeybroker libkeybroker-http; do set -x; \
		install -m 644 $(BUILD)/$$lib.a $(DESTDIR)$(PREFIX)/lib/$$lib.a && \
		install -m 755 $(BUILD)/$$lib.so.$(VERSION) $(DESTDIR)$(PREFIX)/lib/$$lib.so.$(VERSION) && \
		ln -sf $$lib.so.$(VERSION) $(DESTDIR)$(PREFIX)/lib/$$lib.so.$(SOVERSION) && \
		ln -sf $$lib.so.$(VERSION) $(DESTDIR)$(PREFIX)/lib/$$lib.so || exit 1; done
	printf '%s\n' "$$PC" > $(DESTDIR)$(PREFIX)/lib/pkgconfig/keybroker.pc
	printf '%s\n' "$$HTTP_PC" > $(DESTDIR)$(PREFIX)/lib/pkgconfig/keybroker-http.pc
	@for d in /bin /usr/bin /usr/local/bin; do \
		if [ -z "$(DESTDIR)" ] && [ -e $$d/$(KEYCTL) ] && ! [ $$d/$(KEYCTL) -ef $(PREFIX)/bin/$(KEYCTL) ]; then \
		echo "note: $$d/$(KEYCTL) exists too and may come first in PATH: make install KEYCTL=kbctl renames ours"; fi; done
	@if [ -z "$(DESTDIR)" ]; then ldconfig 2>/dev/null || echo "note: run ldconfig so that libkeybroker.so is found"; fi

uninstall:  ## remove what install put there
	@if [ -e "$(DESTDIR)$(PREFIX)/bin/$(KEYCTL)" ] && \
		! "$(DESTDIR)$(PREFIX)/bin/$(KEYCTL)" version 2>/dev/null | grep -q '(layout '; then \
		echo "$(DESTDIR)$(PREFIX)/bin/$(KEYCTL) is another program"; exit 1; fi
	rm -f $(DESTDIR)$(PREFIX)/sbin/keybrokerd $(DESTDIR)$(PREFIX)/bin/$(KEYCTL) $(DESTDIR)$(PREFIX)/bin/keypool \
		$(DESTDIR)$(PREFIX)/bin/keycall $(DESTDIR)$(PREFIX)/include/keybroker.h \
		$(DESTDIR)$(PREFIX)/lib/libkeybroker.a $(DESTDIR)$(PREFIX)/lib/libkeybroker.so* \
		$(DESTDIR)$(PREFIX)/lib/libkeybroker-http.a $(DESTDIR)$(PREFIX)/lib/libkeybroker-http.so* \
		$(DESTDIR)$(PREFIX)/lib/pkgconfig/keybroker.pc $(DESTDIR)$(PREFIX)/lib/pkgconfig/keybroker-http.pc
	rm -rf $(DESTDIR)$(PREFIX)/include/keybroker

clean:  ## remove $(BUILD)/
	rm -rf $(BUILD)

help:  ## this list
	@echo "Targets:"; sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 18
	@echo "Knobs (make KNOB=value), with their defaults:"
	@echo "  BUILD=build        where everything is built"
	@echo "  CC=cc CFLAGS='-O2 -g' LDFLAGS="
	@echo "  DEBUG=1            no optimisation"
	@echo "  SANITIZE=          address,undefined or thread"
	@echo "  WERROR=            empty: warnings are not errors"
	@echo "  PREFIX=/usr/local DESTDIR= KEYCTL=keyctl      for install"
	@echo "  FUZZ_SECONDS=10    how long make fuzz runs each fuzzer"

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
