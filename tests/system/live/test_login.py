# SPDX-License-Identifier: GPL-2.0-or-later
"""Log-in for the web at the running program: by real sockets, under TLS, and what ends at SIGHUP."""

from __future__ import annotations

import http.client
import json
import signal
import ssl
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from amiproxy.access import tokens
from tests.support import ProxyProcess, wait_until
from tests.system.live.sse import EventSource
from tests.system.live.support import PATIENCE, Socket, exceptions
from tests.system.peers import certificate, wait_connected
from tests.system.web.support import config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.server import SimulatedAsterisk

TOKEN = "amp_" + "l" * 32
SECTION = "[anna]\nsecret = caf\xc3\xa9\nread = all\nwrite = none\n"
LINE = f"token = {tokens.hash_of(TOKEN)}\n"
USERS = SECTION + LINE
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Answer(NamedTuple):
    """An answer of HTTP."""

    status: int
    headers: dict[str, str]
    document: Any


class Page:
    """What a page of the proxy's own sends: its origin, and the cookie that it was given."""

    def __init__(self, program: ProxyProcess, *, tls: bool = False) -> None:
        self._program, self._tls = program, tls
        scheme = "https" if tls else "http"
        self.origin = f"{scheme}://127.0.0.1:{program.port}"
        self.cookie = ""

    def ask(self, method: str, path: str, body: Any = None, **more: str) -> Answer:
        """Return the answer to a request."""
        connection = self._connection()
        headers = {"Origin": self.origin, "Content-Type": "application/json", **more}
        if self.cookie:
            headers["Cookie"] = self.cookie
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        told = response.read()
        connection.close()
        found = dict(response.getheaders())
        if "Set-Cookie" in found:
            self.cookie = found["Set-Cookie"].partition(";")[0]
        return Answer(response.status, found, json.loads(told) if told else None)

    def _connection(self) -> http.client.HTTPConnection:
        port = self._program.port
        if not self._tls:
            return http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", port, timeout=PATIENCE, context=context)

    def log_in(self) -> Answer:
        """Log in by the form."""
        return self.ask("POST", "/v1/session", {"username": "anna", "secret": "café"})

    def socket(self, query: str = "", **more: str) -> Socket:
        """Return a WebSocket, as a browser opens it."""
        headers = {"Cookie": self.cookie, **more}
        return Socket(self._program, query, additional_headers=headers, origin=self.origin)


@pytest.fixture(scope="module")
def web(
    asterisk: SimulatedAsterisk, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProxyProcess]:
    """A proxy that speaks HTTP and HTTPS; it logs all that it can."""
    certfile = certificate(tmp_path_factory.mktemp("keys"))
    more = f"authrequired = yes\nacceptencryptedconnection = yes\ncertfile = {certfile}\n"
    with ProxyProcess(config(asterisk, more=more), USERS, args=("-dd",)) as process:
        wait_connected(process)
        yield process


@pytest.mark.parametrize("tls", [False, True])
def test_the_cookie_logs_in_until_it_is_taken_back(web: ProxyProcess, *, tls: bool) -> None:
    """Under TLS no page of another host, and none without TLS, can set one of its name."""
    page = Page(web, tls=tls)
    told = page.log_in()

    assert (told.status, told.document["user"], told.document["encrypted"]) == (200, "anna", tls)
    text = told.headers["Set-Cookie"]
    assert text.startswith("__Host-astmanproxy_session=" if tls else "astmanproxy_session=")
    assert text.endswith("; HttpOnly; SameSite=Strict" + "; Secure" * tls)
    assert "; Path=/;" in text
    assert page.ask("GET", "/v1/me").document["user"] == "anna"
    page.ask("DELETE", "/v1/session")
    assert page.ask("GET", "/v1/me").status == 401


def test_log_out_closes_the_socket(web: ProxyProcess) -> None:
    """And says why."""
    page = Page(web)
    page.log_in()
    with page.socket() as socket:
        assert socket.hear()["user"] == "anna"
        page.ask("DELETE", "/v1/session")

        assert socket.closed() == (1008, "logged out")


def test_another_page_opens_no_socket(web: ProxyProcess) -> None:
    """Neither by the cookie, which a browser would send, nor by saying nothing of its origin."""
    page = Page(web)
    page.log_in()
    for origin in ("http://evil.example", None):
        with pytest.raises(exceptions.InvalidStatus) as caught:
            Socket(web, additional_headers={"Cookie": page.cookie}, origin=origin)
        assert caught.value.response.status_code == 403


def test_a_ticket_opens_one_socket(web: ProxyProcess) -> None:
    """Whoever has read it in a log or a history comes too late."""
    page = Page(web)
    page.log_in()
    ticket = page.ask("POST", "/v1/tickets", {}).document["ticket"]
    with Socket(web, f"?ticket={ticket}") as socket:
        assert socket.hear()["user"] == "anna"
    with pytest.raises(exceptions.InvalidStatus) as caught:
        Socket(web, f"?ticket={ticket}")

    assert caught.value.response.status_code == 401


def test_sighup_ends_what_the_token_has_let_in(web: ProxyProcess) -> None:
    """Sockets, streams and cookies that were got by it; not those of the same user's secret."""
    by_secret, by_token = Page(web), Page(web)
    by_secret.log_in()
    by_token.ask("POST", "/v1/session", {"token": TOKEN})
    try:
        with (
            by_secret.socket() as kept,
            by_token.socket() as lost,
            EventSource(web, BEARER) as source,
        ):
            kept.hear()
            lost.hear()
            source.until("hello")
            web.write_users(SECTION)
            web.process.send_signal(signal.SIGHUP)

            assert lost.closed() == (1008, "the log-in is not valid any more")
            assert source.until("bye").document["reason"] == "rights"
            kept.say(type="ping", id="1")
            assert kept.until("pong")["id"] == "1"
        assert by_token.ask("GET", "/v1/me").status == 401
        assert by_secret.ask("GET", "/v1/me").status == 200
    finally:
        web.write_users(USERS)
        web.process.send_signal(signal.SIGHUP)
        wait_until(lambda: Page(web).ask("GET", "/v1/me", **BEARER).status == 200, 20, "anna")


def test_no_secret_is_in_the_log(web: ProxyProcess) -> None:
    """Though it tells all that it can: no cookie, ticket, token, secret, nor their hashes."""
    page = Page(web)
    page.log_in()
    ticket = page.ask("POST", "/v1/tickets", {}).document["ticket"]
    with Socket(web, f"?ticket={ticket}"):
        pass
    page.ask("POST", "/v1/session", {"username": "anna", "secret": "wrong-secret"})
    page.ask("POST", "/v1/session", {"token": "amp_wrong-token"})
    web.wait_log("unknown token")
    log = web.log() + web.stdout() + web.stderr()

    assert "login failed from 127.0.0.1" in log
    secret = page.cookie.partition("=")[2]
    for each in (ticket, secret, TOKEN, tokens.hash_of(TOKEN)[7:], "wrong-secret", "wrong-token"):
        assert each not in log
