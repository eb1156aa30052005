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
from tests.certificates import self_signed
from tests.support import ProxyProcess
from tests.system.daemons import Daemon
from tests.system.files import Files
from tests.system.installations import Place, copying_python, make, once
from tests.system.peers import PATIENT, Stage, host_line, is_response, wait_connected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support import ManagerClient


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


@pytest.fixture
def client(stage: Stage) -> Iterator[ManagerClient]:
    """A client of *stage* that the proxy lists; what Asterisk had received is forgotten."""
    with stage.program.client() as one:
        one.send("ProxyAction: ListServers")
        one.read_until(is_response)
        stage.asterisk.received.clear()
        yield one


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """A daemon that is not started yet."""
    with Daemon() as prepared:
        yield prepared


@pytest.fixture
def files() -> Iterator[Files]:
    """Return files to write and to name in options."""
    with Files() as found:
        yield found


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a certificate and key as `make cert` makes them."""
    return self_signed("pbx.example").write(tmp_path_factory.mktemp("cert") / "proxy.pem")


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """An installation with one handler of the administrator's own; tests do not change it.

    There is one for all workers.  tests/packages/test_index.py has one that pip made.
    """

    def install(top: Path) -> None:
        found = Place(top)
        found.add_handler()
        make("install", *found.settings, python=copying_python(tmp_path_factory.mktemp("python")))

    return Place(once("install", install))
