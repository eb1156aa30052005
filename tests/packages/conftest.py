# SPDX-License-Identifier: GPL-2.0-or-later
"""Packages of two versions, and machines to install them on."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.packages.newcomer import Newcomer
from tests.packages.trees import Bare, Builder, bare, builders
from tests.service.machine import Machine
from tests.service.network import Internet
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service.trees import Tree

OLD = "1.9"
NEW = "2.0"
#: What the old version's sample files have, and the new one's have not.
OLD_LINE = "; A line of an old version."


class Debs(NamedTuple):
    """Packages, built in the oldest Debian that is wanted."""

    old: Path
    new: Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give these tests time: they install and boot."""
    for item in items:
        if "tests/packages/" in str(item.path):
            item.add_marker(pytest.mark.timeout(600))


def ready(tree: Tree) -> None:
    """Skip the test where *tree* was not built."""
    if "PACKAGE_TREES" not in os.environ or os.geteuid() != 0 or not tree.ready:
        pytest.skip(f"needs what make {tree.TARGET} builds, as root")


def old_source(top: Path) -> Path:
    """Make a tree of an old version below *top*; return where."""
    source = top / "source"
    leave = shutil.ignore_patterns(".*", "__pycache__", "tests", "dist", "*.egg-info")
    shutil.copytree(ROOT, source, ignore=leave)
    for each in ("astmanproxy.conf", "astmanproxy.users"):
        with (source / each).open("a") as file:
            file.write(f"\n{OLD_LINE}\n")
    return source


@pytest.fixture(scope="session")
def debs() -> Iterator[Debs]:
    """Both packages."""
    builder = builders()[0]
    ready(builder)
    with tempfile.TemporaryDirectory(prefix="astmanproxy-debs-") as name:
        top = Path(name)
        source = old_source(top)
        (top / "out").mkdir()
        old = builder.build_deb(top / "out", OLD, source)
        yield Debs(old, builder.build_deb(top / "out", NEW))


@pytest.fixture(scope="session", params=builders(), ids=lambda tree: tree.suite)
def builder(request: pytest.FixtureRequest) -> Builder:
    """A Debian to build in."""
    one: Builder = request.param
    ready(one)
    return one


@pytest.fixture(scope="session", params=bare(), ids=lambda tree: tree.suite)
def tree(request: pytest.FixtureRequest) -> Bare:
    """A Debian with nothing but systemd."""
    one: Bare = request.param
    ready(one)
    return one


@pytest.fixture
def machine(tree: Bare, debs: Debs) -> Iterator[Machine]:
    """Such a machine, freshly booted, with both packages in /root."""
    with Machine(tree) as one:
        one.put(debs.old, "/root/old.deb")
        one.put(debs.new, "/root/new.deb")
        yield one


@pytest.fixture
def newcomer(tree: Bare) -> Iterator[Newcomer]:
    """At a machine with systemd and nothing else, and with a way to Debian and PyPI."""
    if not Internet.is_there():
        pytest.skip("needs a way to the package index")
    with Machine(tree) as machine:
        internet = Internet(machine)
        yield Newcomer(machine, internet)
        internet.close()
