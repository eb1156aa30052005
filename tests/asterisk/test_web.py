# SPDX-License-Identifier: GPL-2.0-or-later
"""Asterisk's own HTTP interface, and the proxy's that stands in for it, are asked the same."""

from __future__ import annotations

import html
import http.client
import itertools
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Callable, NamedTuple
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest

from tests.asterisk.actions import reads
from tests.asterisk.actions.answers import MOVING, explained
from tests.asterisk.decoding import DECODERS
from tests.asterisk.proxies import start_proxy
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.asterisk.actions.answers import Block
    from tests.asterisk.figures import Figures
    from tests.asterisk.world import World
    from tests.support import ProxyProcess

pytestmark = pytest.mark.real_asterisk

_LOGIN = "rawman?action=login&username=direct&secret=secret"
_NAMES = {"talk": "none", "bridge": "none"}


class Page(NamedTuple):
    """What came for a request."""

    status: int
    content_type: str
    body: bytes


class Web:
    """A program that asks the HTTP interface on *port*, and keeps its cookie."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._cookie = ""

    def get(self, path: str, method: str = "GET", body: str = "") -> Page:
        """Return what is at *path*."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Cookie": self._cookie} if self._cookie else {}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, f"/asterisk/{path}", body or None, headers)
        answer = connection.getresponse()
        given = answer.headers.get("Set-Cookie")
        if given:
            self._cookie = given.partition(";")[0]
        page = Page(answer.status, answer.headers["Content-Type"].partition(";")[0], answer.read())
        connection.close()
        return page

    def act(self, interface: str, block: Block) -> Page:
        """Ask for an action."""
        fields = (line.partition(": ") for line in block)
        query = "&".join(f"{name}={quote(value, encoding='latin-1')}" for name, _, value in fields)
        return self.get(f"{interface}?{query}")


class Both(NamedTuple):
    """A program at Asterisk, and one at the proxy."""

    asterisk: Web
    proxy: Web


@pytest.fixture(scope="module")
def web(world: World) -> Iterator[ProxyProcess]:
    """A proxy that speaks HTTP, with Asterisk's user."""
    config = "inputformat = http\nauthrequired = yes\nserverheader = no\n"
    users = "[direct]\nsecret = secret\nread = all\nwrite = all\n"
    with start_proxy(world.asterisk, config, users) as one:
        yield one


@pytest.fixture
def strangers(world: World, web: ProxyProcess) -> Both:
    """Who has not logged in."""
    return Both(Web(world.asterisk.ports.http), Web(web.port))


@pytest.fixture
def both(strangers: Both) -> Both:
    """Who has logged in."""
    for one in strangers:
        assert b"Authentication accepted" in one.get(_LOGIN).body
    return strangers


def still(page: Page) -> Page:
    """Return *page* without the values that move."""
    names = b"|".join(MOVING)
    body = re.sub(rb"(?i)\b((?:%s)(?:: |='|</td><td>))[\d.:]+" % names, rb"\1#", page.body)
    return page._replace(body=body)


def _text(body: bytes) -> object:
    return explained(DECODERS["asterisk"](body)).answer


def _xml(body: bytes) -> object:
    # Of two responses to one action (ModuleLoad makes mistakes so) the proxy passes the first.
    generic = [[*one.attrib.items()] for one in ET.fromstring(body).iter("generic")]
    return [one for at, one in enumerate(generic) if not at or one[0][0] != "response"]


def _html(body: bytes) -> object:
    rows = re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td></tr>", body.decode("latin-1"), re.DOTALL)
    cells = [(html.unescape(name), html.unescape(value).strip()) for name, value in rows]
    responses = [at for at, (name, _) in enumerate(cells) if name == "Response"]
    return cells[: responses[1]] if len(responses) > 1 else cells


#: What of a page counts, by its interface.
READERS: dict[str, Callable[[bytes], object]] = {"rawman": _text, "mxml": _xml, "manager": _html}
#: Of bytes that are no UTF-8, or control characters, Asterisk makes XML that nobody can read, and HTML of
#: no charset; the proxy makes characters of them.
UNREADABLE = "Variable: URIDECODE(%FC%C3%BC%07)"


@pytest.mark.parametrize("interface", READERS)
def test_actions_have_the_same_answers(both: Both, figures: Figures, interface: str) -> None:
    """All that changes nothing, as text, as XML and as HTML."""
    read = READERS[interface]
    different = []
    for block in reads.blocks(_NAMES):
        direct, seen = (still(one.act(interface, block)) for one in both)
        figures.counts["answers over HTTP"] += 1
        if interface != "rawman" and UNREADABLE in block:
            assert seen.status == direct.status
        elif (direct[:2], read(direct.body)) != (seen[:2], read(seen.body)):
            different.append((block, direct, seen))
    assert different == []


PATHS = [
    "rawman",
    "rawman?",
    "rawman/",
    "rawman/?action=ping",
    "RAWMAN?action=ping",
    "mxml",
    "mxml/?action=ping",
    "rawman?Action=",
    "rawman?action=nosuch",
    "nowhere?action=ping",
    "rawman?ACTION=PING&ActionID=1",
    "rawman?action=ping&action=status",
    "rawman?action=ping&actionid=a%20b",
    "rawman?action=command",
    _LOGIN,
    "rawman?action=challenge&authtype=md5",
    "rawman?action=challenge",
    "rawman?action=logoff",
    "rawman?action=events&eventmask=off",
]
#: In a session Asterisk says "Already authenticated" to whoever it is; the proxy looks at it.
LOGINS = ["rawman?action=login", "rawman?action=login&username=direct&secret=wrong"]  # fmt: skip


@pytest.mark.parametrize(
    ("who", "path"),
    [*itertools.product(["strangers", "both"], PATHS), *(("strangers", one) for one in LOGINS)],
)
def test_paths_and_words_are_the_same(
    request: pytest.FixtureRequest, figures: Figures, who: str, path: str
) -> None:
    """Without a session, and in one."""
    there: Both = request.getfixturevalue(who)
    direct, seen = (still(one.get(path)) for one in there)
    direct, seen = (
        one._replace(body=re.sub(rb"(Challenge: )\d+", rb"\1#", one.body)) for one in (direct, seen)
    )

    assert seen.status == direct.status
    if direct.status == 200:
        assert seen == direct
    figures.counts["answers over HTTP"] += 1


def test_a_form_is_posted(both: Both) -> None:
    """As a browser does."""
    direct, seen = (still(one.get("rawman", "POST", "action=ping&actionid=1")) for one in both)

    assert seen == direct


def test_a_call_is_waited_for(both: Both) -> None:
    """One document: its outcome."""
    for channel in ("Local/w0@legs", "Local/busy@legs"):
        block = ("Action: Originate", f"Channel: {channel}", "Application: Wait", "Data: 0")
        for more in ((), ("Async: true",), ("ActionID: 7",)):
            direct, seen = (one.act("rawman", (*block, *more)) for one in both)
            assert seen == direct


def test_events_are_kept_until_they_are_fetched(world: World, both: Both) -> None:
    """By waitevent, in a session."""
    for one in both:
        one.get("rawman?action=waitevent&timeout=0")
    with world.window("web"):
        world.admin.ask("Originate", Channel="Local/w0@legs", Application="Wait", Data="0")
    fetched = [b"", b""]

    def whole() -> bool:
        for at, one in enumerate(both):
            fetched[at] += one.get("rawman?action=waitevent&timeout=1").body
        return all(b"-ends\r\n" in some for some in fetched)

    wait_until(whole, 20)
    direct, seen = (
        [one for one in DECODERS["asterisk"](some) if one[0].startswith(b"Event: ")]
        for some in fetched
    )
    mark = next(at for at, one in enumerate(direct) if b"-begins" in one[-1])
    assert direct[mark:-1]
    assert seen[seen.index(direct[mark]) :] == direct[mark:]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing")
@pytest.mark.parametrize("interface", ["arawman", "amxml"])
def test_digest(strangers: Both, interface: str) -> None:
    """With the right secret, and a wrong one."""

    def curl(port: int, secret: str) -> tuple[str, str]:
        done = subprocess.run(
            ["curl", "-sS", "--digest", "-u", f"direct:{secret}", "-w", "%{http_code}",
             f"http://127.0.0.1:{port}/asterisk/{interface}?action=mailboxcount&mailbox=none"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout[-3:], done.stdout[:-3]

    direct, seen = (curl(one.port, "secret") for one in strangers)
    assert direct == seen
    assert [curl(one.port, "wrong")[0] for one in strangers] == ["401", "401"]
