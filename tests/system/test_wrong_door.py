# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP on the port of another format: nothing of it is carried out, in whatever it is wrapped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support import wait_until
from tests.system.peers import PATIENT, host_line, wait_connected
from tests.system.test_handlers_live import example

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.server import SimulatedAsterisk
    from tests.support import ProxyProcess, StartProxy

#: An action as each input format writes it, with blank lines before it that end a head.
ACTIONS = {
    "standard": "\r\n\r\nAction: Originate\r\nChannel: SIP/100\r\n\r\n",
    "json": '\r\n{"Action": "Originate", "Channel": "SIP/100"}\n',
    "csv": '\r\n"Action: Originate", "Channel: SIP/100"\r\n',
    "xml": '<AsteriskManagerInput><Action Value="Originate"/></AsteriskManagerInput>\n',
    "tsv": "Action: Originate\tChannel: SIP/100\n",
}

HEAD = "Host: 127.0.0.1\r\nOrigin: http://evil.example\r\nContent-Type: text/plain\r\n\r\n"

REQUESTS = {
    "POST": "POST / HTTP/1.1\r\n" + HEAD,
    "unknown method": "brew /pot http/1.0\r\n" + HEAD,
    "HTTP 2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "blank lines": "\r\n\n\r\nPUT http://x/y HTTP/1.1\r\n\r\n",
    "long": f"POST /{'a' * 9000} HTTP/1.1\r\n{HEAD}",
    "no request line": "Connection: keep-alive\r\nHOST : x\r\n\r\n",
    "web socket": "GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n" + HEAD,
    "multipart": "POST / HTTP/1.1\r\n" + HEAD + "--x\r\nContent-Disposition: form-data\r\n\r\n",
}

ERROR = b"This port does not speak HTTP"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a third party's handler, which the proxy can read."""
    path = tmp_path_factory.mktemp("handlers")
    for one in (path, path.parent):
        one.chmod(0o755)
    (path / "tsv.py").write_text(example())
    return path


def ask(program: ProxyProcess, data: str, *, pieces: bool = False, tls: bool = False) -> bytes:
    """Return all that *data* is answered, sent whole or byte by byte, until the proxy closes."""
    with program.client(banner=False, tls=tls) as client:
        for piece in [data[at : at + 1] for at in range(len(data))] if pieces else [data]:
            client.send_raw(piece)
        return client.read_to_end()


@pytest.mark.parametrize("form", sorted(ACTIONS))
def test_http_is_answered_with_an_error_in_every_format(
    proxy: StartProxy, asterisk: SimulatedAsterisk, directory: Path, form: str
) -> None:
    """Whatever the request is; the connection is closed, and the log has one line of it."""
    program = proxy(
        PATIENT + f"inputformat = {form}\nhandlerdir = {directory}\n" + host_line(asterisk)
    )
    wait_connected(program)

    for request in REQUESTS.values():
        answered = ask(program, request + ACTIONS[form])

        assert answered.count(ERROR) == 1
        assert len(re.findall(rb"Response", answered)) == 1
    wait_until(lambda: program.log().count(" left\n") == len(REQUESTS), what="all have left")
    assert program.log().count(ERROR.decode()) == len(REQUESTS)
    assert asterisk.actions("Originate") == []


def test_http_is_recognized_byte_by_byte_and_behind_tls(
    proxy: StartProxy, asterisk: SimulatedAsterisk, certificate: Path
) -> None:
    """However it comes; a client of the format itself is served on the same port."""
    more = f"acceptencryptedconnection = yes\ncertfile = {certificate}\n"
    program = proxy(PATIENT + more + host_line(asterisk))
    wait_connected(program)
    action = ACTIONS["standard"]

    for pieces, tls in ((True, False), (False, True)):
        answered = ask(program, REQUESTS["POST"] + action, pieces=pieces, tls=tls)

        assert answered.count(ERROR) == 1
    assert asterisk.actions("Originate") == []
    ask(program, action.lstrip() + "Action: Logoff\r\n\r\n")
    assert len(asterisk.actions("Originate")) == 1
