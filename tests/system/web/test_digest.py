# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that speak Digest, at the running program."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.system.peers import wait_connected
from tests.system.web.browser_support import at
from tests.system.web.support import config, curl, needs_curl

if TYPE_CHECKING:
    from simulator.server import SimulatedAsterisk
    from tests.support import ProxyProcess, StartProxy

JOE = ["--digest", "-u", "joe:secret1"]


@needs_curl
@pytest.mark.parametrize("algorithms", ["MD5, SHA-256", "SHA-256, MD5"])
def test_curl(proxy: StartProxy, asterisk: SimulatedAsterisk, algorithms: str) -> None:
    """With MD5 and with SHA-256, GET and POST, a large body too; a wrong secret is 401."""
    more = f"authrequired = yes\nhttpdigest = {algorithms}\n"
    process = proxy(config(asterisk, more=more), "joe=secret1\n")
    wait_connected(process)
    body = "action=userevent&userevent=x&" + "&".join(f"A{n}={'b' * 900}" for n in range(20))

    asked = curl(process, "/arawman?action=ping")
    got = curl(process, "/asterisk/arawman?action=ping", *JOE)
    posted = curl(process, "/amxml", *JOE, "-d", body)
    refused = curl(process, "/arawman?action=ping", "--digest", "-u", "joe:wrong")

    assert asked[0] == refused[0] == 401
    assert "Ping: Pong" in got[2]
    assert "message='Event Sent'" in posted[2]


def test_urllib(guarded: ProxyProcess) -> None:
    """Python's own client, which sends several requests with one nonce."""
    secrets = urllib.request.HTTPPasswordMgr()
    secrets.add_password("asterisk", at(guarded), "joe", "secret1")
    handler = urllib.request.HTTPDigestAuthHandler(secrets)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)

    for number in range(3):
        with opener.open(at(guarded, f"/arawman?action=ping&actionid={number}"), timeout=10) as got:
            assert f"ActionID: {number}".encode() in got.read()
    secrets.add_password("asterisk", at(guarded), "joe", "wrong")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        opener.open(at(guarded, "/arawman?action=ping&x=1"), timeout=10)
