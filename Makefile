# SPDX-License-Identifier: GPL-2.0-or-later
#
# make demo            a simulated Asterisk with calls going on, and the proxy before it
# make demo-cluster    three proxies that share four of them through Redis, behind a load balancer
# make test            all tests;  make check: style, types, licences, the quick tests: a minute
# make asterisk-test   what a real Asterisk says: built in a chroot, as root, once; then 10 minutes
# make service-test    the service in Debian 12, 13 and sid, which it builds as root, once, and boots
# make libraries       libraries of others: for manager, WebSocket, events, REST: 15 minutes
# make style types     ruff and mypy;  make coverage: all tests, and what they do not reach
# make docs            write what in docs/, man/ and completion/ follows from the code
# make bench           measure, ARGS=--quick in short; make bench-compare OLD=FILE: and compare;
#                      make soak: 10 minutes
# make bench-growth    how the cost grows, as pictures in docs/plots, ARGS='--before DIR': 10 minutes
# make plots           the same pictures again, from the figures of the last time
# make bench-restarts  what clients notice of 100 restarts under load, in two ways: 5 minutes
# make bench-resumes   what clients that come back are sent and told, cut off 1 000 times: 5 minutes
# make bench-cluster   what proxies cost that share an Asterisk through Redis, ARGS='--before DIR': 8 minutes
# make torture         what an innocent client notices while others attack: 8 minutes
# make torture-cluster  proxies on one Redis, while 200 things fail: 8 minutes; ARGS='--seed 2'
# make cert            a self-signed certificate, CERT=FILE, NAME=host name
# make install         DESTDIR=, PREFIX=/usr/local, BUS=yes: for a cluster;  make uninstall
# make deb             the Debian package, OUT=dist, VERSION=;  make deb-test: in Debian 12, 13 and sid
# make rpm             the package for Fedora, OUT=dist, VERSION=;  make rpm-test: in Debian 13, as far as it goes
# make image           a container image, OUT=dist, VERSION=, BASE=;  make image-test: built and run
# make dist            source distribution and wheel, looked at by twine, OUT=dist
# make constraints     write what install may install, with hashes; ARGS=--upgrade, --check
# make clean           remove what was built here

PYTHON  ?= python3
PREFIX  ?= /usr/local
DESTDIR ?=
# For machines without a way to the package index: --no-index --find-links DIR
PIPFLAGS ?=
# What pip may install: releases that are named with their hashes, built already; a build would
# fetch tools that have none.  Not from a directory of your own (--no-index).
BINARY   ?= --only-binary :all:
PINNED    = $(if $(findstring --no-index,$(PIPFLAGS)),,yes)
# google-re2 only where it comes ready built; RE2FLAGS= compiles it (docs/install.md, Platforms).
RE2FLAGS ?= --only-binary=google-re2
# BUS=yes: with what a cluster needs, the client of Redis (docs/cluster.md).
BUS      ?=
RE2       = $(RE2FLAGS) $(if $(and $(PINNED),$(findstring only-binary,$(RE2FLAGS))),--require-hashes -r requirements/re2.txt,'astmanproxy[re2]')
NORE2    = echo "google-re2 could not be installed and is left out: clients' event filters with special characters will be refused (Platforms in docs/install.md)"
SYSCONFDIR ?= /etc
ETC      = $(SYSCONFDIR)/asterisk
LOGS     = /var/log/astmanproxy
LIBDIR   = $(PREFIX)/lib/astmanproxy
NEW      = $(DESTDIR)$(LIBDIR)/venv.new
TELL     = echo "What astmanproxy needs could not be installed; above, pip says why. Where a package has to be compiled: see Platforms in docs/install.md" >&2
GIVEUP   = { rm -rf "$(NEW)"; $(TELL); exit 1; }
SBIN     = $(PREFIX)/sbin
SETUP    = DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" SYSCONFDIR="$(SYSCONFDIR)" LOGS="$(LOGS)" init/setup
MANUAL   = $(PREFIX)/share/man
BASHCOMP = $(PREFIX)/share/bash-completion/completions
ZSHCOMP  = $(PREFIX)/share/zsh/site-functions
PY       = .venv/bin/python
PIP      = -m pip --disable-pip-version-check --no-input
HANDLERS = $(wildcard handlers/*.py)
CERT    ?= astmanproxy.pem
NAME    ?= $(shell hostname -f 2>/dev/null || hostname)
DAYS    ?= 825
OLD     ?= bench-old.json
# Where packages are put.
OUT     ?= dist
VERSION ?=
BASE    ?=
# Tests that start programs.
SLOW     = system golden simulator test_benchmarks.py test_torture.py
COVERAGE = COVERAGE_FILE="$(CURDIR)/.coverage.d/data" $(PY) -m coverage
ARGS    ?=

.PHONY: help .venv python demo demo-cluster test asterisk-test service-test deb-test rpm-test image-test check style types docs licences dead coverage bench bench-compare bench-growth plots bench-restarts bench-resumes bench-cluster constraints soak torture torture-cluster libraries pictures cert \
        install install-alone uninstall deb rpm image dist clean
.DEFAULT_GOAL := help

help:
	@sed -n '3,/^$$/s/^# //p' Makefile

# -- the environment ----------------------------------------------------------------------

.venv: .venv/.ready

# Says in clear words what a bare machine lacks.
python:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "$(PYTHON) is missing: install Python 3.9 or later (Debian: apt install python3 python3-venv)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 9))' || \
	  { echo "$(PYTHON) is too old: Python 3.9 or later is needed (make PYTHON=python3.11 ...)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make virtual environments (Debian: apt install python3-venv)" >&2; exit 1; }

.venv/.ready: setup.py pyproject.toml | python
	test -x $(PY) || $(PYTHON) -m venv .venv
	@# Not shown, or what they say only if they fail would be read as if they had.
	@echo "Installing what is needed into .venv"
	@$(PY) $(PIP) install $(PIPFLAGS) --quiet --upgrade pip || { $(TELL); exit 1; }
	@$(PY) $(PIP) install $(PIPFLAGS) --quiet --editable '.[test]' || { $(TELL); exit 1; }
	@$(PY) $(PIP) install $(PIPFLAGS) $(RE2FLAGS) --quiet 'astmanproxy[re2]' 2>/dev/null || $(NORE2)
	@touch $@

# -- looking at it ------------------------------------------------------------------------

demo: python
	@$(PYTHON) demo/environment.py $(PIPFLAGS)

# Wants redis-server or valkey-server.
demo-cluster: python
	@$(PYTHON) demo/environment.py cluster $(PIPFLAGS)

# With byte code, which some machines are told to do without: the tests start the program
# hundreds of times.
test: .venv/.ready
	PYTHONDONTWRITEBYTECODE= $(PY) -m pytest -n auto

# As root this builds Debian sid with Asterisk and phones, once, in ASTERISK_CHROOT, and keeps it.
# Without: ASTERISK= is a command that starts one, ASTERISK_AMI=PORT:USER:SECRET one that runs;
# tests that need phones are skipped then.  What was compared is in asterisk-last.txt at the end.
asterisk-test: export ASTERISK_CHROOT ?= $(HOME)/.cache/astmanproxy/asterisk
asterisk-test: export ASTERISK_FIGURES ?= asterisk-last.txt
asterisk-test: .venv/.ready
	@$(PY) -m tests.asterisk.chroot || test $$? = 75
	@if $(PY) -m tests.asterisk.chroot --quiet || test -n "$$ASTERISK$$ASTERISK_AMI"; \
	then rm -f "$$ASTERISK_FIGURES"; $(PY) -m pytest -m real_asterisk tests/asterisk $(ARGS) && { test ! -f "$$ASTERISK_FIGURES" || cat "$$ASTERISK_FIGURES"; }; \
	else echo "asterisk-test is skipped"; fi

# As root this builds Debian 12, 13 and sid with systemd, once, in SERVICE_TREES, and keeps them.
# SERVICE_RESTARTS=100 restarts as often under load.  What was measured is in service-last.txt.
service-test: export SERVICE_TREES ?= $(HOME)/.cache/astmanproxy/service
service-test: export SERVICE_FIGURES ?= service-last.txt
service-test: .venv/.ready
	@$(PY) -m tests.service.trees || test $$? = 75
	@rm -f "$$SERVICE_FIGURES"
	@$(PY) -m pytest -m service tests/service $(ARGS)

# The package in bare Debians, which it builds as root, once, in PACKAGE_TREES, and keeps; and what
# a newcomer and an upgrader do there, and what pip fetches here.  How long that took is in
# packages-last.txt.
deb-test: export PACKAGE_TREES ?= $(HOME)/.cache/astmanproxy/packages
deb-test: export PACKAGE_FIGURES ?= packages-last.txt
deb-test: .venv/.ready
	@$(PY) -m tests.packages.trees deb || test $$? = 75
	@rm -f "$$PACKAGE_FIGURES"
	@$(PY) -m pytest -m packages tests/packages $(ARGS)

# The package for Fedora in Debian 13; the container image, built from Debian 13 and run.
rpm-test: export PACKAGE_TREES ?= $(HOME)/.cache/astmanproxy/packages
image-test: export PACKAGE_TREES ?= $(HOME)/.cache/astmanproxy/packages
rpm-test image-test: %-test: .venv/.ready
	@$(PY) -m tests.packages.trees $* || test $$? = 75
	@$(PY) -m pytest -m packages tests/packages/test_$*.py $(ARGS)

style: .venv/.ready
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: .venv/.ready
	@$(PY) -c 'import mypy' 2>/dev/null || { echo "mypy is not for this Python; use 3.10 or later" >&2; exit 1; }
	$(PY) -m mypy

# Every file names its licence (REUSE specification 3.3).
licences: .venv/.ready
	$(PY) -m reuse lint --quiet || { $(PY) -m reuse lint; exit 1; }

# Code that nothing calls.
dead: .venv/.ready
	$(PY) -m vulture

# What to run before each commit.
check: style types licences dead
	$(PY) -m pytest -n auto --hypothesis-profile=quick $(addprefix --ignore=tests/,$(SLOW))

# What in docs/, man/ and completion/ follows from the code, and the picture.
docs: .venv/.ready
	$(PY) docs/tables.py
	$(PY) docs/picture.py

# Programs that the tests start are measured too; some write as another user.
coverage: .venv/.ready
	rm -rf .coverage.d
	mkdir -m 0777 .coverage.d
	PYTHONDONTWRITEBYTECODE= $(COVERAGE) run -m pytest -n auto
	$(COVERAGE) combine --quiet
	$(COVERAGE) report
	$(COVERAGE) json --quiet -o .coverage.d/report.json
	$(PY) -m tests.floors .coverage.d/report.json

# The packages that "make install" installs, for every Python and platform.
constraints: .venv/.ready
	@$(PY) $(PIP) install --quiet uv
	@PATH="$(CURDIR)/.venv/bin:$$PATH" $(PY) requirements/pins.py $(ARGS)

bench: .venv/.ready
	$(PY) -m benchmarks $(ARGS)

bench-compare: .venv/.ready
	@test -f $(OLD) || { echo "no $(OLD): keep the bench-last.json of an earlier run, and name it with OLD=" >&2; exit 1; }
	$(PY) -m benchmarks --compare $(OLD) $(ARGS)

bench-growth: .venv/.ready
	$(PY) -m benchmarks --growth --rounds 1 --json docs/plots/growth.json $(ARGS)
	$(PY) -m benchmarks --plots docs/plots/growth.json

plots: .venv/.ready
	$(PY) -m benchmarks --plots docs/plots/growth.json

soak: .venv/.ready
	$(PY) -m benchmarks.soak $(ARGS)

# With byte code: a proxy that has to compile itself starts later.
bench-restarts: .venv/.ready
	PYTHONDONTWRITEBYTECODE= $(PY) -m benchmarks.restarts $(ARGS)

bench-resumes: .venv/.ready
	$(PY) -m benchmarks.resumes $(ARGS)

# The figures of docs/cluster.md, and its pictures.  Rows that could not be measured keep what they had.
bench-cluster: .venv/.ready
	$(PY) -m benchmarks.bus --keep --json docs/plots/cluster.json $(ARGS)
	$(PY) -m benchmarks.bus --plots docs/plots/cluster.json
	$(PY) -m benchmarks.bus --markdown docs/plots/cluster.json --write

torture: .venv/.ready
	$(PY) -m benchmarks.torture $(ARGS)

torture-cluster: .venv/.ready
	$(PY) -m benchmarks.cluster $(ARGS)

# The pictures of README.md, from the demo in a browser.
pictures: .venv/.ready
	DEMO_PICTURES=docs/images $(PY) -m pytest tests/system/test_demo_pictures.py $(ARGS)

# Installs them from PyPI and npm into .venv/libraries, and as root Debian's (Perl, Ruby, Go).
libraries: .venv/.ready
	$(PY) -m tests.libraries $(ARGS)

# -- a certificate ------------------------------------------------------------------------

# Key and certificate in one file, as certfile wants them.  EC P-256: every client of
# the last ten years takes it.
cert:
	@command -v openssl >/dev/null || { echo "openssl is missing (Debian: apt install openssl)" >&2; exit 1; }
	@test ! -e $(CERT) || { echo "$(CERT) is there already; remove it, or name another with CERT=" >&2; exit 1; }
	@mkdir -p "$(dir $(CERT))"
	@umask 077; \
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -sha256 \
	  -days $(DAYS) -subj "/CN=$(NAME)" \
	  -addext "subjectAltName=DNS:$(NAME),DNS:localhost,IP:127.0.0.1,IP:::1" \
	  -addext "basicConstraints=critical,CA:FALSE" -addext "extendedKeyUsage=serverAuth" \
	  -keyout $(CERT).key -out $(CERT).crt 2>$(CERT).log || { cat $(CERT).log >&2; exit 1; }; \
	cat $(CERT).key $(CERT).crt > $(CERT); rm -f $(CERT).key $(CERT).crt $(CERT).log
	@echo "$(CERT): certificate and key for $(NAME), good for $(DAYS) days"

# -- install ------------------------------------------------------------------------------

# System Python is not touched: the library directory holds an environment of its own.
# It is made anew each time, beside the old one, so that an upgrade that fails (no way to
# the package index) leaves what was there.  What you added to $(LIBDIR)/handlers stays.
install: python
	@init/setup paths
	@# Two at once would share venv.new.
	@install -d "$(DESTDIR)$(LIBDIR)"
	@if command -v flock >/dev/null; then \
	  flock -n "$(DESTDIR)$(LIBDIR)" true || echo "Waiting for another make install"; \
	  flock "$(DESTDIR)$(LIBDIR)" $(MAKE) --no-print-directory install-alone; \
	else $(MAKE) --no-print-directory install-alone; fi

install-alone:
	install -d "$(DESTDIR)$(LIBDIR)/handlers" "$(DESTDIR)$(SBIN)" "$(DESTDIR)$(MANUAL)/man5" "$(DESTDIR)$(MANUAL)/man8" \
	  "$(DESTDIR)$(BASHCOMP)" "$(DESTDIR)$(ZSHCOMP)"
	rm -rf "$(NEW)"
	umask 022; $(PYTHON) -m venv "$(NEW)"
	@# Not shown, or what they say only if they fail would be read as if they had.
	@echo "Installing the program and what it needs into $(NEW)"
	@umask 022; "$(NEW)/bin/python" $(PIP) install $(PIPFLAGS) --quiet --upgrade \
	  $(if $(PINNED),$(BINARY) --require-hashes -r requirements/install.txt,pip) || $(GIVEUP)
	@# From a copy: building leaves files behind, and with sudo they would be root's.
	@umask 022; copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && \
	  cp -R setup.py pyproject.toml README.md LICENSE astmanproxy.py amiproxy handlers "$$copy" && \
	  { "$(NEW)/bin/python" $(PIP) install $(PIPFLAGS) --quiet \
	      $(if $(PINNED),--no-index --no-deps --no-build-isolation) "$$copy" || $(GIVEUP); } && \
	  { "$(NEW)/bin/python" $(PIP) install $(PIPFLAGS) --quiet $(RE2) 2>/dev/null || $(NORE2); } && \
	  { test -z "$(BUS)" || "$(NEW)/bin/python" $(PIP) install $(PIPFLAGS) --quiet \
	      $(if $(PINNED),$(BINARY) --require-hashes -r requirements/bus.txt,'redis>=4.3') || $(GIVEUP); }
	rm -rf "$(NEW)/lib/astmanproxy/handlers" "$(NEW)/bin/astmanproxy"
	ln -s ../../../handlers "$(NEW)/lib/astmanproxy/handlers"
	@# What can fail is over: only now the old one goes.
	rm -rf "$(DESTDIR)$(LIBDIR)/venv"
	mv "$(NEW)" "$(DESTDIR)$(LIBDIR)/venv"
	install -m 0644 $(HANDLERS) "$(DESTDIR)$(LIBDIR)/handlers"
	@$(SETUP) before
	printf '#!/bin/sh\n# Start astmanproxy with the Python environment it was installed with.\nexec "%s/venv/bin/python" -I -m astmanproxy "$$@"\n' "$(LIBDIR)" > "$(DESTDIR)$(SBIN)/astmanproxy"
	chmod 0755 "$(DESTDIR)$(SBIN)/astmanproxy"
	install -m 0644 man/*.5 "$(DESTDIR)$(MANUAL)/man5"
	install -m 0644 man/*.8 "$(DESTDIR)$(MANUAL)/man8"
	install -m 0644 completion/astmanproxy.bash "$(DESTDIR)$(BASHCOMP)/astmanproxy"
	install -m 0644 completion/_astmanproxy "$(DESTDIR)$(ZSHCOMP)/_astmanproxy"
	@$(SETUP) after
	@echo "Installed $(SBIN)/astmanproxy.  Next: edit $(ETC)/astmanproxy.conf, then astmanproxy -t"

# The configuration, the log, and handlers you added stay.
uninstall:
	@$(SETUP) uninstall
	rm -rf "$(DESTDIR)$(LIBDIR)/venv" "$(NEW)" "$(DESTDIR)$(LIBDIR)/handlers/__pycache__"
	cd "$(DESTDIR)$(LIBDIR)/handlers" 2>/dev/null && rm -f $(notdir $(HANDLERS)) || true
	-rmdir "$(DESTDIR)$(LIBDIR)/handlers" "$(DESTDIR)$(LIBDIR)" 2>/dev/null
	rm -f "$(DESTDIR)$(MANUAL)"/man[58]/astmanproxy.* "$(DESTDIR)$(BASHCOMP)/astmanproxy" "$(DESTDIR)$(ZSHCOMP)/_astmanproxy"

# -- packages ----------------------------------------------------------------------------

# Wants dpkg-dev, debhelper and dh-python, and nothing of Python's.
deb:
	@packaging/debian/build "$(OUT)" $(VERSION)

# Wants rpmbuild, and nothing of Python's.
rpm:
	@packaging/rpm/build "$(OUT)" $(VERSION)

# Wants buildah; BASE= is what it starts from (packaging/container/build).
image:
	@BASE="$(BASE)" packaging/container/build "$(OUT)" $(VERSION)

dist: python
	@PYTHON="$(PYTHON)" packaging/dist "$(OUT)"

clean:
	rm -rf .venv .venv-demo .venv-demo-cluster build dist ./*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.d
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
