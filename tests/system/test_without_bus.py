# SPDX-License-Identifier: GPL-2.0-or-later
"""A proxy without ``bus`` has no part of it: no module is loaded, no thread started."""

from __future__ import annotations

import http.client
import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.threads.control.client import ask
from simulator.server import SimulatedAsterisk
from tests.support import ProxyProcess, free_port
from tests.system.peers import PATIENT, host_line

if TYPE_CHECKING:
    from pathlib import Path

USERS = "joe=secret\n"
CONFIG = PATIENT + "controlsocket = {dir}/control.sock\nreplay = 1M\nstate = yes\n"

#: Begins with the interpreter, and has each import of what belongs to a bus fail.
REFUSING = """
import sys

class Refusing:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith(("redis", "amiproxy.bus", "amiproxy.threads.bus")):
            raise ImportError(f"{name} is refused")

sys.meta_path.insert(0, Refusing)
"""


@pytest.fixture
def refusing(tmp_path: Path) -> dict[str, str]:
    """An environment in which no part of the bus can be imported."""
    (tmp_path / "sitecustomize.py").write_text(REFUSING)
    tmp_path.chmod(0o755)
    return {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}


def shown(program: ProxyProcess, command: str) -> Any:
    """Return what *program* says to *command*, as JSON."""
    return json.loads(ask(f"{program.dir}/control.sock", command, as_json=True, timeout=20).text)


def get(port: int, path: str) -> int:
    """Return the status of the answer to a request for *path*."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def test_it_serves_though_no_part_of_the_bus_can_be_imported(refusing: dict[str, str]) -> None:
    """Clients, the operator and the web, and after a SIGHUP."""
    web = free_port()
    listens = f"listen = 127.0.0.1, {web}, input=http\n"
    with SimulatedAsterisk() as asterisk:
        config = CONFIG + listens + host_line(asterisk)
        with ProxyProcess(config, USERS, env=refusing) as program:
            program.send_signal(signal.SIGHUP)
            program.wait_log("reopened log")
            with program.client() as client:
                client.ask("Action: Login", "Username: joe", "Secret: secret", "Events: off")
                assert "Ping: Pong" in client.ask("Action: Ping")
                resumed = client.ask("ProxyAction: Resume", "Since: zzzzzzzz.1-1")
                assert "ProxyResponse: Success" in resumed
            assert [get(web, path) for path in ("/readyz", "/metrics", "/openapi.json")] == [
                200
            ] * 3
            for command in ("status", "show servers", "pause", "resume", "reconnect"):
                assert shown(program, command)
            names = [each["name"] for each in shown(program, "show threads")]
            assert "flusher" in names
            assert [name for name in names if name.startswith("bus")] == []
            assert "is refused" not in program.log() + program.stderr()


def test_with_a_bus_that_would_be_told(refusing: dict[str, str]) -> None:
    """So the test above can fail."""
    with pytest.raises(AssertionError, match="is refused"):
        ProxyProcess(f"{CONFIG}bus = redis://127.0.0.1:{free_port()}\n", USERS, env=refusing)
