# SPDX-License-Identifier: GPL-2.0-or-later
"""What a proxy answers itself it answers in a real Asterisk's words, in its order of headers.

After a log-in that fails Asterisk closes the connection; the proxy does not, as the C program.
Each conversation is held with Asterisk and with a proxy that requires a log-in, over connections of their own.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.asterisk.proxies import start_proxy
from tests.support import ManagerClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.asterisk.figures import Figures
    from tests.asterisk.world import World
    from tests.support import ProxyProcess

pytestmark = pytest.mark.real_asterisk

_LOGIN = "Login|Username: direct|Secret: secret"
_QUIET = f"{_LOGIN}|Events: off"


class Talk(NamedTuple):
    """What is said on one connection, step by step, and whether it has ended then."""

    steps: tuple[str, ...]
    ends: bool = False


#: Headers of the steps stand between bars; {key} is the answer to the last challenge.
TALKS = {
    "log-in": Talk((_QUIET, "Ping", "Logoff"), ends=True),
    "log-in with a list of classes": Talk((f"{_LOGIN}|Events: call,user", "Logoff"), ends=True),
    "wrong secret": Talk(("Login|Username: direct|Secret: x",)),
    "unknown user": Talk(("Login|Username: nobody|Secret: x",)),
    "no user": Talk(("Login",)),
    "MD5": Talk(
        (
            "Challenge|AuthType: MD5", "Login|AuthType: MD5|Username: direct|Key: {key}|Events: off",
            "Ping",
        )
    ),
    "MD5, wrong key": Talk(
        ("Challenge|AuthType: md5", "Login|AuthType: MD5|Username: direct|Key: 00")
    ),
    "MD5 without challenge": Talk(
        ("Login|AuthType: MD5|Username: direct|Key: 00",)
    ),
    "challenges": Talk(("Challenge", "Challenge|AuthType: x", "Challenge|AuthType: MD5")),
    "before the log-in": Talk(("Logoff",), ends=True),
    "events": Talk(
        (
            _QUIET, "Events", "Events|EventMask: off", "Events|EventMask: call",
            "Events|EventMask: call,user", "Events|EventMask: nonsense", "Events|EventMask: 0",
            "Events|EventMask: ", "Events|EventMask: off",
        )
    ),
    "filters": Talk(
        (
            _QUIET, "Filter", "Filter|Operation: Add", "Filter|Operation: Remove|Filter: x",
            "Filter|Operation: Add|Filter: Event: X", "Filter|Operation: Add|Filter: [x",
            "Filter|Operation: Add|Filter: x|MatchCriteria: nonsense(1)",
            "Filter|Operation: Add|MatchCriteria: name(X)",
        )
    ),
    "waiting": Talk(
        (f"{_LOGIN}|Events: nonsense", "WaitEvent|Timeout: 1", "WaitEvent|Timeout: 0", "Ping")
    ),
    "unknown": Talk((_QUIET, "NoSuchAction", "|X: y", "Ping")),
}  # fmt: skip


@pytest.fixture(scope="module")
def proxy(world: World) -> Iterator[ProxyProcess]:
    """A proxy with the same user."""
    users = "[direct]\nsecret = secret\nread = all\nwrite = all\n"
    with start_proxy(world.asterisk, "authrequired = yes\n", users) as one:
        yield one


def held(port: int, talk: Talk, actionid: str, source: str = "") -> list[list[str]]:
    """Return the answers to each step, without the values that are others each time."""
    said = []
    key = ""
    with ManagerClient(port, source=source) as client:
        client.read_line()
        for step in talk.steps:
            action, *lines = step.replace("{key}", key).split("|")
            given = [f"ActionID: {actionid}"] if actionid else []
            client.send(*([f"Action: {action}"] if action else []), *given, *lines)
            answer = client.read_until(lambda some: some[0].startswith("Response: "))
            if answer[-1].startswith("Challenge: "):
                text = answer[-1].partition(": ")[2] + "secret"
                key = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
            said.append([line for line in answer if not line.startswith("Server: ")])
            if action == "WaitEvent":
                said.append(client.read_message())
        if talk.ends:
            assert client.read_to_end().count(b"Response: ") == 0
    return [
        [re.sub(r"(Challenge: |Timestamp: )[\d.]+", r"\1#", line) for line in one] for one in said
    ]


@pytest.mark.parametrize("actionid", ["", "a: b"])
@pytest.mark.parametrize("name", TALKS)
def test_the_same_words_in_the_same_order(
    world: World, proxy: ProxyProcess, figures: Figures, name: str, actionid: str
) -> None:
    """With an ActionID and without; where the connection ends, it ends."""
    direct = held(world.asterisk.ports.ami, TALKS[name], actionid)

    # Who fails to log in has to wait before the next one, at the proxy: each comes from elsewhere.
    source = f"127.0.1.{1 + [*TALKS].index(name) + 100 * bool(actionid)}"
    assert held(proxy.port, TALKS[name], actionid, source) == direct
    figures.counts["answers of the proxy's own"] += len(direct)
