# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the tests of the running program.

Marks give them what a module wants otherwise, set for all of it::

    pytestmark = [
        pytest.mark.asterisk(queue_members=5000),
        pytest.mark.stage(UNIQUE, users="joe=secret"),
    ]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.support import ProxyProcess
from tests.system.peers import PATIENT, Stage, host_line, wait_connected

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def asterisk(request: pytest.FixtureRequest) -> Iterator[SimulatedAsterisk]:
    """A simulated Asterisk for all tests of a module; mark "asterisk": its Behaviour."""
    marker = request.node.get_closest_marker("asterisk")
    options: dict[str, Any] = {"write_timeout": 30.0, **(marker.kwargs if marker else {})}
    with SimulatedAsterisk(behaviour=Behaviour(**options)) as server:
        yield server


@pytest.fixture(scope="module")
def stage(request: pytest.FixtureRequest, asterisk: SimulatedAsterisk) -> Iterator[Stage]:
    """A proxy connected to *asterisk*, for all tests of a module.

    Mark "stage": its configuration (without one: PATIENT), and its *users*.
    """
    marker = request.node.get_closest_marker("stage")
    config = marker.args[0] if marker and marker.args else PATIENT
    users = marker.kwargs.get("users", "") if marker else ""
    with ProxyProcess(config + host_line(asterisk), users) as program:
        wait_connected(program)
        yield Stage(program, asterisk)
