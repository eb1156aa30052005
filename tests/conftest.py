# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures and settings of all tests."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests.browser import Browser
from tests.support import ROOT, ProxyProcess, StartProxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.redisserver import RedisServer
    from tests.bus.redisserver import StartRedis

# No deadline: the tests run in parallel, so the time of one example means nothing.
settings.register_profile("astmanproxy", deadline=None, max_examples=100)
# For make check: fewer examples of each property.
settings.register_profile("quick", deadline=None, max_examples=10)
settings.load_profile("astmanproxy")


def pytest_configure(config: pytest.Config) -> None:
    """Make a directory for all workers of this run, readable for any user."""
    if not hasattr(config, "workerinput"):
        os.environ["ASTMANPROXY_TEST_RUN"] = tempfile.mkdtemp(prefix="astmanproxy-run-")
        Path(os.environ["ASTMANPROXY_TEST_RUN"]).chmod(0o755)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove that directory."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ["ASTMANPROXY_TEST_RUN"], ignore_errors=True)


def import_tests(worker: int, workers: int) -> None:
    """Import all modules of tests, beginning where no other worker does.

    To compile them, with all that assertions say, takes as long as to run a thousand of them; what
    one worker has compiled, the others find.
    """
    names = sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "tests").rglob("test_*.py")
    )
    first = len(names) * worker // workers
    for name in names[first:] + names[:first]:
        # What is wrong with one, or has it skipped, it says when it is collected.
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(name)


@pytest.hookimpl(hookwrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Collect tests, of which nothing is garbage: to look for any would take a fifth of the time."""
    gc.disable()
    given: dict[str, Any] = getattr(session.config, "workerinput", {})
    if given and session.config.args == session.config.getini("testpaths"):
        import_tests(int(given["workerid"][2:]), given["workercount"])
    yield
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the workers of ``-n auto``: two for a processor, as tests mostly wait."""
    processors = len(os.sched_getaffinity(0))
    return max(processors, min(2 * processors, 8))


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change its user")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real browser, one for all tests of a worker: to start it costs as much as ten pages."""
    with Browser() as started:
        yield started


@pytest.fixture(scope="module")
def browser(chromium: Browser) -> Browser:
    """That browser, which has forgotten what tests of other modules did."""
    chromium.renew()
    return chromium


@pytest.fixture
def proxy() -> Iterator[StartProxy]:
    """Start proxies with ``proxy(config, users, ...)``; they are stopped after the test."""
    started: list[ProxyProcess] = []

    def start(*args: Any, **options: Any) -> ProxyProcess:
        started.append(ProxyProcess(*args, **options))
        return started[-1]

    yield start
    for process in started:
        process.__exit__()


@pytest.fixture
def start_redis() -> Iterator[StartRedis]:
    """Start a Redis, with the options of RedisServer; skipped where there is none."""
    from tests.bus.redisserver import starter  # noqa: PLC0415 - few tests need it

    with starter() as start:
        yield start


@pytest.fixture
def redis(start_redis: StartRedis) -> RedisServer:
    """A Redis of the test's own, without users and in plain text."""
    return start_redis()
