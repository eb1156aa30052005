# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the tests of TLS."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support import ProxyProcess
from tests.system.peers import host_line, wait_connected
from tests.system.tls.support import (
    MIXED,
    Certificates,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.server import SimulatedAsterisk


@pytest.fixture(scope="module")
def pki() -> Iterator[Certificates]:
    """Certificates of every kind."""
    made = Certificates()
    yield made
    shutil.rmtree(made.dir)


@pytest.fixture(scope="module")
def mixed(pki: Certificates, asterisk: SimulatedAsterisk) -> Iterator[ProxyProcess]:
    """A proxy that takes both kinds of clients on one port; its certificate has a chain."""
    with ProxyProcess(MIXED + f"certfile = {pki.chained}\n" + host_line(asterisk)) as program:
        wait_connected(program)
        yield program
