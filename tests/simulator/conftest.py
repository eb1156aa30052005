# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the tests of the simulated Asterisk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def asterisk(request: pytest.FixtureRequest) -> Iterator[SimulatedAsterisk]:
    """A simulated Asterisk for one test; mark "asterisk": its Behaviour."""
    marker = request.node.get_closest_marker("asterisk")
    behaviour = Behaviour(**(marker.kwargs if marker else {}))
    with SimulatedAsterisk(behaviour=behaviour) as server:
        yield server
