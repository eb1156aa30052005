# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the tests of the simulated Asterisk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulator.server import SimulatedAsterisk

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def asterisk(request: pytest.FixtureRequest) -> Iterator[SimulatedAsterisk]:
    """A simulated Asterisk for one test; mark "asterisk": its keyword arguments."""
    marker = request.node.get_closest_marker("asterisk")
    with SimulatedAsterisk(**(marker.kwargs if marker else {})) as server:
        yield server
