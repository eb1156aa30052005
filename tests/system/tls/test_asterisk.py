# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS towards Asterisk: certificates that are accepted or not, servers that speak none."""

from __future__ import annotations

import socket
import ssl

import pytest

from simulator.server import SimulatedAsterisk
from tests.support import StartProxy, wait_until
from tests.system.peers import QUICK, host_line, wait_connected
from tests.system.tls.support import (
    Certificates,
    ping,
    verifying,
)


@pytest.mark.parametrize("verify", [False, True], ids=["unverified", "verified"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_asterisk_over_tls(proxy: StartProxy, pki: Certificates, verify: bool, host: str) -> None:
    """Actions go, answers come, a lost connection is re-established."""
    with SimulatedAsterisk(tls=pki.chained) as server:
        config = (verifying(pki) if verify else QUICK) + host_line(server, host=host, tls="on")
        program = proxy(config)
        wait_connected(program)
        with program.client() as client:
            ping(client, "before")
            server.restart()
            wait_connected(program, 2)
            ping(client, "after")
            server.restart(reset=True)
            wait_connected(program, 3)
            ping(client, "again")


@pytest.mark.parametrize(
    ("certfile", "ca", "why"),
    [
        ("expired", "ca", "certificate has expired"),
        ("elsewhere", "ca", "not valid for 'localhost'"),
        ("unknown", "ca", "unable to get local issuer certificate"),
        ("good", "other_ca", "unable to get local issuer certificate"),
    ],
)
def test_a_bad_certificate_of_asterisk_is_named_and_tried_again(
    proxy: StartProxy, pki: Certificates, certfile: str, ca: str, why: str
) -> None:
    """No secret is sent there; once it is renewed the proxy connects by itself."""
    with SimulatedAsterisk(tls=getattr(pki, certfile)) as server:
        program = proxy(verifying(pki, ca=ca) + host_line(server, host="localhost", tls="on"))
        log = program.wait_log("trying again")
        wait_until(lambda: program.log().count("TLS handshake: certificate not accepted: ") > 1)
        assert why in log
        assert not server.received
        assert "Traceback" not in log
        good = pki.good if ca == "ca" else pki.unknown
        server.stop()
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(good)
        server.start()
        wait_connected(program)


@pytest.mark.parametrize("certfile", ["expired", "elsewhere", "unknown"])
def test_without_sslverify_any_certificate_of_asterisk_will_do(
    proxy: StartProxy, pki: Certificates, certfile: str
) -> None:
    """As in the C program."""
    with SimulatedAsterisk(tls=getattr(pki, certfile)) as server:
        program = proxy(QUICK + host_line(server, tls="on"))
        wait_connected(program)


def test_an_asterisk_that_speaks_no_tls(proxy: StartProxy, pki: Certificates) -> None:
    """The log says so, it is tried again, and works once it does."""
    with SimulatedAsterisk() as server:
        program = proxy(QUICK + host_line(server, tls="on"))
        program.wait_log("TLS handshake: the other side speaks no TLS; trying again")
        wait_until(lambda: program.log().count("speaks no TLS") > 1, what="another try")
        with program.client() as client:
            client.send("Action: Ping", "ActionID: 1")
            assert client.read_message()[2] == "Message: No Asterisk server connected"
        server.stop()
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(pki.good)
        server.start()
        wait_connected(program)


def test_an_asterisk_that_dawdles_in_its_handshake(proxy: StartProxy) -> None:
    """Nobody waits for it: clients are served, and it is given up after connecttimeout."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(10)
        port = silent.getsockname()[1]
        program = proxy(
            QUICK + f"connecttimeout = 1\nhost = 127.0.0.1, {port}, user, secret, on, on\n"
        )
        sock, _ = silent.accept()
        with sock, program.client() as client:
            client.send("ProxyAction: ListServers")
            assert client.read_message()[0] == "ProxyResponse: Success"
            program.wait_log("no TLS handshake within")


def test_everything_goes_through_tls_and_it_is_made_again_after_each_loss(
    proxy: StartProxy, pki: Certificates
) -> None:
    """Long output and events, after an end and after a reset; the C program did not reconnect."""
    with SimulatedAsterisk(tls=pki.good) as server:
        program = proxy(QUICK + host_line(server, tls="on"))
        wait_connected(program)
        with program.client() as client:
            for number in (2, 3):
                client.send("Action: Command", "Command: large output", "ActionID: c")
                reply = client.read_until(lambda message: "ActionID: c" in message)
                assert len(reply) > 2000
                server.event("UserEvent", UserEvent=f"Round{number}")
                client.read_until(f"UserEvent: Round{number}")
                server.restart(reset=number == 2)
                wait_connected(program, number)


def test_plain_text_to_an_asterisk_that_speaks_tls_only(
    proxy: StartProxy, pki: Certificates
) -> None:
    """No hang, no spin: tried again like any other failure."""
    with SimulatedAsterisk(tls=pki.good) as server:
        program = proxy(QUICK + "logintimeout = 0.5\n" + host_line(server))
        wait_until(lambda: server.accepted >= 2, what="tries")
        program.wait_log("trying again")
