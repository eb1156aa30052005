# SPDX-License-Identifier: GPL-2.0-or-later
"""The unit under a real systemd: start, reload, failures, stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import wait_until

if TYPE_CHECKING:
    from tests.service.service import Service

pytestmark = pytest.mark.service


def test_a_start_returns_when_clients_are_served(service: Service) -> None:
    """As a user of its own, without any privilege."""
    service("start")

    assert "Asterisk Call Manager" in service.ask()
    status = service.machine.path(f"/proc/{service.pid}/status").read_text()
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert service.machine.sh(f"ps -o user= -p {service.pid}").strip() == "astmanproxy"


def test_a_stop_ends_it_in_order(service: Service) -> None:
    service("start")

    service("stop")

    assert service.state == "inactive"
    assert service.machine.show("astmanproxy.service", "Result") == "success"
    assert "Proxy stopped" in service.log()


def test_a_reload_takes_over_what_the_file_says(service: Service) -> None:
    service("start")
    pid = service.pid
    service.configure("host = 127.0.0.1, 5999, u, s, on, off")

    service("reload")

    assert service.pid == pid
    wait_until(lambda: "0 of 1 servers" in service.status_text)


def test_a_reload_that_cannot_be_done_fails(service: Service) -> None:
    """Says where the mistake is, and leaves the service running."""
    service("start")
    service.configure("maxclients = many")

    done = service("reload", check=False)

    assert done.returncode != 0
    assert "maxclients" in service.machine.journal()
    assert service.state == "active"


def test_a_broken_configuration_is_told_once(service: Service) -> None:
    """The start fails, and is not tried again: it would not help."""
    service.configure("listenport = x")

    done = service("start", check=False)

    assert done.returncode != 0
    assert service.state == "failed"
    assert service.machine.show("astmanproxy.service", "ExecMainStatus") == "78"
    assert "listenport" in service.status_text
    assert service.machine.show("astmanproxy.service", "NRestarts") == "0"


def test_a_port_in_use_is_tried_again_until_it_is_free(service: Service) -> None:
    with service.machine.running("python3", "-c", _LISTENER):
        assert service("start", check=False).returncode != 0
    wait_until(lambda: service.state == "active", 20)


_LISTENER = """
import socket, sys
sock = socket.create_server(("127.0.0.1", 1234))
print("listening", flush=True)
sys.stdin.read()
"""


def test_it_is_started_again_when_it_is_killed(service: Service) -> None:
    service("start")
    first = service.pid

    service.machine("kill", "-KILL", str(first))

    wait_until(lambda: service.state == "active" and service.pid not in (0, first), 30)
    assert "Asterisk Call Manager" in service.ask()


def test_the_exposure_is_low(service: Service) -> None:
    service("start")

    assert service.exposure() <= 1.9
