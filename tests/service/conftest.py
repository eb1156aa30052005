# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines with the program installed, for each Debian that is wanted and was built."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.service.installed import install
from tests.service.machine import Machine
from tests.service.service import Service
from tests.service.trees import wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service.trees import Tree


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave these tests out of "make test": they take minutes, and need root."""
    for item in items:
        if "tests/service/" in str(item.path) and item.get_closest_marker("service"):
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture(scope="session", params=wanted(), ids=lambda tree: tree.suite)
def tree(request: pytest.FixtureRequest) -> Tree:
    """A Debian that make service-test has built."""
    one: Tree = request.param
    if "SERVICE_TREES" not in os.environ or os.geteuid() != 0 or not one.ready:
        pytest.skip("needs what make service-test builds, as root")
    return one


@pytest.fixture(scope="session")
def layer(tree: Tree) -> Iterator[Path]:
    """A layer above it in which the program is installed."""
    kept = os.environ.get("SERVICE_LAYERS")  # those of an earlier run, for who works on the tests
    if kept and (Path(kept) / tree.suite / "layer").is_dir():
        yield Path(kept) / tree.suite / "layer"
        return
    top = Path(kept) / tree.suite if kept else Path(tempfile.mkdtemp(prefix="astmanproxy-layer-"))
    try:
        install(tree, top / "layer")
        yield top / "layer"
    finally:
        if not kept:
            shutil.rmtree(top, ignore_errors=True)


@pytest.fixture(scope="module")
def machine(tree: Tree, layer: Path) -> Iterator[Machine]:
    """Such a machine, booted, for all tests of a module."""
    with Machine(tree, layer) as one:
        yield one


@pytest.fixture
def service(machine: Machine) -> Iterator[Service]:
    """The service on *machine*, as freshly installed; it is stopped in the end."""
    one = Service(machine)
    one.reset()
    yield one
    subprocess.run(
        machine.command("systemctl", "stop", "astmanproxy.socket", "astmanproxy.service"),
        check=False,
    )
