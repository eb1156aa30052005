# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of .NET send a byte order mark before their first block; it does not count (12.30)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulator.server import SimulatedAsterisk
from tests.system.peers import PATIENT, host_line, wait_connected

if TYPE_CHECKING:
    from tests.support import StartProxy

MARK = b"\xef\xbb\xbf"
LOG_IN = {
    "standard": b"Action: Login\r\nUsername: joe\r\nSecret: s3cret\r\nActionID: 1\r\n\r\n",
    "xml": (
        b'<AsteriskManagerInput><Action Value="Login"/><Username Value="joe"/>'
        b'<Secret Value="s3cret"/><ActionID Value="1"/></AsteriskManagerInput>\r\n'
    ),
    "csv": b'"Action: Login", "Username: joe", "Secret: s3cret", "ActionID: 1"\r\n',
    "json": b'{"Action":"Login","Username":"joe","Secret":"s3cret","ActionID":"1"}\n',
}


@pytest.mark.parametrize("name", LOG_IN)
def test_a_log_in_behind_a_mark_is_one(proxy: StartProxy, name: str) -> None:
    """Nothing of it goes upstream, whatever the format, in one piece or byte by byte."""
    with SimulatedAsterisk() as asterisk:
        config = PATIENT + f"authrequired = yes\ninputformat = {name}\n" + host_line(asterisk)
        program = proxy(config, "joe=s3cret\n")
        wait_connected(program)
        whole = [MARK + LOG_IN[name]]
        for pieces in (whole, [bytes([byte]) for byte in whole[0]]):
            with program.client(banner=name == "standard") as client:
                for piece in pieces:
                    client.send_raw(piece)
                assert client.read_message() == [
                    "Response: Success",
                    "ActionID: 1",
                    "Message: Authentication accepted",
                ]
        assert len(asterisk.received) == 1  # the proxy's own log-in


def test_a_web_request_behind_a_mark_is_one(proxy: StartProxy) -> None:
    """HTTP is a format like the others."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(PATIENT + "inputformat = http\n" + host_line(asterisk))
        wait_connected(program)
        with program.client(banner=False) as client:
            client.send_raw(MARK[:1])
            client.send_raw(MARK[1:] + b"GET /?Action=Ping HTTP/1.0\r\n\r\n")
            answer = client.read_to_end()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Ping: Pong" in answer
