# SPDX-License-Identifier: GPL-2.0-or-later
"""Which requests a browser may send for which page."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.httpmessages import Request
from amiproxy.message import Message
from amiproxy.web import origin
from tests.support import ROOT

HOST = ("host", "pbx:1234")
BROWSER = (("user-agent", "Mozilla/5.0 (X11)"), ("accept-language", "de"))

Header = tuple[str, str]


def request(*headers: Header, method: str = "GET") -> Request:
    return Request(method, "/", "1.1", (HOST, *headers))


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ([], False),
        ([("user-agent", "curl/8")], False),
        ([("user-agent", "Mozilla/5.0 WindowsPowerShell/5.1")], False),
        ([("origin", "http://pbx:1234")], False),
        ([("origin", "https://pbx:1234")], False),
        ([("origin", "HTTP://PBX:1234")], False),
        ([("origin", "http://pbx")], True),
        ([("origin", "http://evil.example")], True),
        ([("origin", "http://pbx:1234.evil.example")], True),
        ([("origin", "null")], True),
        ([("origin", "")], True),
        ([("origin", "http://[::1")], True),
        ([("origin", "http://pbx:" + "0" * 2000 + "1234")], True),
        ([("referer", "http://pbx:1234/" + "x" * 20_000)], False),
        ([("origin", "http://pbx:1234"), ("origin", "http://evil.example")], True),
        ([("origin", "http://evil.example"), ("sec-fetch-site", "same-origin")], True),
        ([("origin", "https://intranet.example")], False),
        ([("sec-fetch-site", "none")], False),
        ([("sec-fetch-site", "same-origin")], False),
        ([("sec-fetch-site", "same-site")], True),
        ([("sec-fetch-site", "cross-site")], True),
        ([("referer", "http://pbx:1234/x")], False),
        ([("referer", "http://evil.example/http://pbx:1234/")], True),
        ([("referer", "https://intranet.example/a/b")], False),
        (BROWSER, True),
        ([*BROWSER, ("referer", "http://pbx:1234/")], False),
        ([*BROWSER, ("sec-fetch-site", "none")], False),
    ],
)
def test_whose_page_sent_it(headers: list[Header], foreign: bool) -> None:
    """Programs and our own pages are not foreign, nor is what httpcors names; the rest is."""
    allowed = ("https://intranet.example",)

    assert origin.is_foreign(request(*headers), allowed, tls=False) is foreign


def test_a_plain_page_is_foreign_to_a_tls_one() -> None:
    """Over TLS only https pages are our own."""
    assert origin.is_foreign(request(("origin", "http://pbx:1234")), (), tls=True)
    assert not origin.is_foreign(request(("origin", "https://pbx:1234")), (), tls=True)


@pytest.mark.parametrize(
    ("method", "lines", "changes"),
    [
        ("GET", ["Action: Status", "Variables: CURL(http://10.0.0.1/)"], True),
        ("GET", ["Action: Ping"], False),
        ("GET", ["action: CoreShowChannels"], False),
        ("GET", ["ProxyAction: ListServers"], False),
        ("GET", ["Action: Originate"], True),
        ("GET", ["Action: Getvar"], True),
        ("GET", ["Action: Ping", "Action: Originate"], True),
        ("GET", ["Action: Ping", "ProxyAction: DropServer"], True),
        ("GET", ["ProxyAction: DropServer"], True),
        ("HEAD", ["Action: Originate"], True),
        ("POST", ["Action: Ping"], True),
    ],
)
def test_what_changes_state(method: str, lines: list[str], changes: bool) -> None:
    """Only actions known to read, by GET or HEAD, are harmless."""
    found = origin.changes_state(
        request(method=method), Message.of(*lines), read_only_proxyactions={"listservers"}
    )
    assert found is changes


def test_the_proxyactions_that_change_nothing_are_given() -> None:
    """A ProxyAction is harmless if the caller says so."""
    uptime = Message.of("ProxyAction: Uptime")

    assert origin.changes_state(request(), uptime, read_only_proxyactions=())
    assert not origin.changes_state(request(), uptime, read_only_proxyactions={"uptime"})


@pytest.mark.parametrize(
    ("host", "headers", "rebound"),
    [
        ("192.0.2.1:1234", BROWSER, False),
        ("[2001:db8::1]:1234", BROWSER, False),
        ("localhost:1234", BROWSER, False),
        ("pbx", BROWSER, False),
        ("pbx.lan:1234", BROWSER, False),
        ("pbx.example.com:1234", BROWSER, False),
        ("intranet.example", BROWSER, False),
        ("evil.example:1234", BROWSER, True),
        ("evil.example.:1234", [("sec-fetch-site", "same-origin")], True),
        ("evil.example", [("origin", "http://evil.example")], True),
        ("evil.example:1234", [], False),
        ("evil.example:1234", [("user-agent", "curl/8"), ("accept-language", "de")], True),
        ("evil.example:1234", [("user-agent", "x"), ("accept-language", "")], True),
        ("pbx:1234", [("user-agent", "x"), ("accept-language", "de")], False),
        ("evil.example:1234", [("accept-language", "*"), ("sec-fetch-mode", "cors")], False),
    ],
)
def test_a_browser_must_call_us_by_a_name_of_ours(
    host: str, headers: list[Header], rebound: bool
) -> None:
    """A public name that is not known to be ours may have been rebound to our address."""
    asked = Request("GET", "/", "1.1", (("host", host), *headers))

    found = origin.is_rebound(asked, ["PBX.example.com"], ("https://intranet.example:8443",))

    assert found is rebound


def test_no_page_may_read_answers_unless_named() -> None:
    """Without httpcors no CORS header is sent; with it, to the named origin only."""
    ours = request(("origin", "https://a.example"))

    assert origin.cors_headers(ours, ()) == ()
    assert dict(origin.cors_headers(ours, ("https://b.example",))) == {"Vary": "Origin"}
    headers = dict(origin.cors_headers(ours, ("https://a.example",)))
    assert headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert headers["Access-Control-Allow-Credentials"] == "true"


def test_any_page_may_read_without_credentials() -> None:
    """``*`` lets any page read, but never with the browser's own credentials."""
    headers = dict(origin.cors_headers(request(("origin", "https://a.example")), ("*",)))

    assert headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert "Access-Control-Allow-Credentials" not in headers


def test_a_preflight_names_methods_and_headers() -> None:
    """OPTIONS of a named origin is told what it may send."""
    asked = request(("origin", "https://a.example"), method="OPTIONS")

    headers = dict(origin.cors_headers(asked, ("https://a.example",)))

    assert "POST" in headers["Access-Control-Allow-Methods"]
    assert "ProxyKey" in headers["Access-Control-Allow-Headers"]


NOISE = st.text(st.characters(max_codepoint=255), max_size=30)


@given(
    host=NOISE,
    headers=st.lists(st.tuples(st.sampled_from(["origin", "referer", "sec-fetch-site"]), NOISE)),
)
def test_any_headers_are_judged(host: str, headers: list[Header]) -> None:
    """Noise is foreign or not, rebound or not, and never an exception."""
    noisy = Request("GET", "/", "1.1", (("host", host), *headers))

    origin.is_foreign(noisy, ("http://a",), tls=False)
    origin.is_rebound(noisy, ["pbx"], ("http://a",))
    origin.cors_headers(noisy, ("http://a",))


TYPED = ("sec-fetch-site", "none")
BASIC = ("authorization", "Basic am9lOnM=")


@pytest.mark.parametrize(
    ("method", "headers", "link"),
    [
        ("GET", [TYPED], True),
        ("HEAD", [TYPED], True),
        ("GET", [TYPED, ("cookie", "mansession_id=1")], True),
        ("GET", [("sec-fetch-site", "same-origin")], True),
        ("GET", [("sec-fetch-mode", "navigate")], True),
        ("GET", [("sec-fetch-mode", "cors"), ("user-agent", "node")], False),
        ("GET", [("sec-fetch-mode", "cors"), ("sec-fetch-site", "cross-site")], True),
        ("GET", [("sec-ch-ua", "x")], True),
        ("GET", [("upgrade-insecure-requests", "1")], True),
        ("GET", [("origin", "https://intranet.example")], True),
        ("GET", [("referer", "http://pbx:1234/")], True),
        ("GET", [("user-agent", "Mozilla/4.0 (compatible; ms-office; MSOffice 16)")], True),
        ("GET", list(BROWSER), True),
        ("GET", [TYPED, BASIC], False),
        ("GET", [("sec-fetch-mode", "navigate"), ("sec-fetch-site", "same-origin"), BASIC], False),
        ("GET", [("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-origin"), BASIC], False),
        ("GET", [("origin", "https://intranet.example"), BASIC], False),
        ("POST", [TYPED], False),
        ("GET", [], False),
        ("GET", [("user-agent", "curl/8"), ("accept-language", "de")], False),
        ("GET", [("user-agent", "Mozilla/5.0 WindowsPowerShell/5.1")], False),
        ("GET", [("user-agent", "Mozilla/4.0 (WinHttp)"), ("accept-language", "de")], False),
    ],
)
def test_which_requests_may_be_links(method: str, headers: list[Header], link: bool) -> None:
    """Whatever of a browser asks by GET or HEAD without credentials; no program does."""
    assert origin.is_link(request(*headers, method=method)) is link


@pytest.mark.parametrize("header", ["Variable: CHANNEL(x)", "variables: SHELL(reboot)"])
def test_an_action_that_evaluates_variables_is_not_harmless(header: str) -> None:
    """Functions may do anything, in a Status as in a Getvar."""
    message = Message.of("Action: Status", header)

    assert origin.changes_state(request(), message, read_only_proxyactions=())


def test_actions_that_a_link_may_ask_for_are_known_and_write_nothing() -> None:
    """Asterisk registers each; none has a name of what adds, sets, removes or does anything."""
    table = (ROOT / "tests/data/ami-actions.tsv").read_text().splitlines()
    known = {line.partition("\t")[0].lower() for line in table}
    doing = re.compile(
        "add|set|put|del|remove|reload|load|kick|mute|lock|start|stop|send|notify|play|hangup"
        "|park$|originate|redirect|xfer|transfer|pause|move|forward|update|create|refresh"
        "|register$|qualify|command|getvar|config|expire|stale|rotate|monitor|log$|event$"
    )

    assert known >= origin.READ_ONLY
    assert {name for name in origin.READ_ONLY if doing.search(name)} == {
        "coresettings",
        "listcommands",
        "waitevent",
    }


@pytest.mark.parametrize(
    ("headers", "line"),
    [
        (
            [("origin", "HTTP://A.example:80")],
            "httpcors = http://a.example:80 (in astmanproxy.conf",
        ),
        (
            [("referer", "https://a.example/x?y=http://b")],
            "httpcors = https://a.example (in astmanproxy.conf",
        ),
        ([("origin", "http://[::1]:8080")], "httpcors = http://[::1]:8080 (in astmanproxy.conf"),
        ([("origin", "null")], ""),
        ([("origin", "file://")], ""),
        ([("origin", "http://x<script>")], ""),
        ([("origin", "http://a, http://b")], ""),
        ([("origin", "http://a;b")], ""),
        ([("origin", "http://" + "a" * 300)], ""),
        ([], ""),
    ],
)
def test_the_line_that_allows_a_page(headers: list[Header], line: str) -> None:
    """It holds the origin and nothing else of what a stranger has sent."""
    told = origin.line_for(origin.sender(request(*headers)))

    assert told.startswith(line) if line else told == ""
