# SPDX-License-Identifier: GPL-2.0-or-later
"""Who must log in proves by the head of a large request who sends it; small ones are read."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from tests.support import ManagerClient, wait_until
from tests.system.peers import wait_connected
from tests.system.web.support import config, parse, raw

if TYPE_CHECKING:
    from simulator.server import SimulatedAsterisk
    from tests.support import ProxyProcess, StartProxy

BODY = "Action=UserEvent&" + "&".join(f"Header{number}={'x' * 500}" for number in range(40))
CHUNKS = "".join(f"{len(BODY):x}\r\n{BODY}\r\n0\r\n\r\n")


def basic(login: str) -> str:
    """Return the header that gives *login*, ``user:secret``."""
    return "Authorization: Basic " + base64.b64encode(login.encode()).decode()


def head(*headers: str, path: str = "/", length: int = len(BODY)) -> str:
    """Return the head of a POST of *length* bytes."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {length}", *headers]
    return "\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (basic("joe:wrong"),),
        ("Authorization: Basic !",),
        ("Authorization: Bearer x",),
        ("Cookie: mansession_id=1",),
        ("ProxyKey: x",),
        ("Expect: 100-continue",),
    ],
    ids=["nothing", "wrong secret", "no Basic", "Bearer", "no session", "no key", "Expect"],
)
def test_a_large_request_is_answered_before_its_body_has_come(
    guarded: ProxyProcess, headers: tuple[str, ...]
) -> None:
    """401, where the head has no credentials, or wrong ones."""
    with ManagerClient(guarded.port) as client:
        client.send_raw(head(*headers))
        status, fields, body = parse(client.read_to_end())

    assert status == 401
    assert fields["www-authenticate"].startswith("Basic ")
    assert "Response: Error" in body


def test_a_large_address_is_no_strangers_either(guarded: ProxyProcess) -> None:
    """Nor a body without a length."""
    many = "x" * 9000
    for request in (
        f"GET /?Action=Ping&A={many} HTTP/1.1\r\nHost: x\r\n\r\n",
        f"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKS}",
    ):
        assert parse(raw(guarded, request))[0] == 401


def test_credentials_let_a_large_request_through(
    guarded: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """User and secret, or the cookie of a session."""
    form = "action=login&username=joe&secret=secret1"
    answer = parse(raw(guarded, head(path="/rawman", length=len(form)) + form))
    cookie = "Cookie: " + answer[1]["set-cookie"].partition(";")[0]
    before = len(asterisk.actions("UserEvent"))
    for path, header in (("/", basic("joe:secret1")), ("/rawman", cookie)):
        status, _, body = parse(raw(guarded, head(header, path=path) + BODY))

        assert status == 200
        assert "Response: Success" in body
    assert len(asterisk.actions("UserEvent")) == before + 2


def test_the_proxy_key_lets_a_large_request_through(
    proxy: StartProxy, asterisk: SimulatedAsterisk
) -> None:
    """In the head, not in the body; a wrong one counts as a failed log-in."""
    program = proxy(config(asterisk, more="proxykey = k3y\n"))
    wait_connected(program)

    assert parse(raw(program, head("ProxyKey: k3y") + BODY))[0] == 200
    assert parse(raw(program, head() + BODY + "&ProxyKey=k3y"))[0] == 401
    assert parse(raw(program, head("ProxyKey: wrong")))[0] == 401
    wait_until(lambda: "wrong ProxyKey" in program.log(), what="the failure in the log")
    assert "k3y" not in program.log()
