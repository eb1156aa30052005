# SPDX-License-Identifier: GPL-2.0-or-later
"""Where an action goes: to a server of ours, or past a proxy to one behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amiproxy.access.user import User
from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.behind import Inner
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.sessions.destinations import destinations
from amiproxy.threads.sessions.proxylink import link_to

if TYPE_CHECKING:
    from amiproxy.threads.sessions.link import AsteriskLink

IDS = ActionIds()


def link(name: str, *behind: str, lost: str = "", connected: bool = True) -> AsteriskLink:
    """Return a link to a server, or to a proxy with servers *behind* it, as ``name/word/word``."""
    spec = ServerSpec(f"{name}.host", 5038, "u", "s", "on", False, name, proxy=bool(behind))
    found = link_to(spec, IDS)
    if behind:
        each = [one.split("/") for one in behind]
        found.behind.tell([Inner(one[0], frozenset(one)) for one in each], frozenset({lost}))
    found.connected = connected
    return found


PBX1, PBX2 = link("pbx1"), link("pbx2", connected=False)
PROXY = link("proxy2", "pbx3/h3/10.0.0.3", "pbx4", "pbx1/h1", "evil/pbx1", lost="pbx4")
AWAY = link("proxy3", "pbx5", connected=False)
ALL = (PROXY, PBX1, PBX2, AWAY)


def went(server: str | None, *users: str) -> tuple[str, str | None] | str:
    """Return to which link an action for *server* goes, and what it says there; or why not."""
    lines = [] if server is None else [f"Server: {server}"]
    message = Message.of("Action: Ping", *lines, "ActionID: 1")
    user = User("ann", "x", servers=frozenset(users)) if users else None
    found = destinations(ALL, user, message)
    if isinstance(found, str):
        return found
    sent = found[0].addressed(message)
    assert sent.all("ActionID") == ["1"]
    return found[0].link.name, sent.values.get("server")


@pytest.mark.parametrize(
    ("server", "where"),
    [
        (None, ("proxy2", None)),
        ("", ("proxy2", "")),
        ("proxy2", ("proxy2", None)),
        ("Proxy2.host:5038", ("proxy2", None)),
        ("PBX3", ("proxy2", "pbx3")),
        (" 10.0.0.3 ", ("proxy2", "pbx3")),
        ("pbx4", ("proxy2", "pbx4")),
        ("h1", ("proxy2", "pbx1")),
        # A server of ours has precedence, connected or not.
        ("pbx1", ("pbx1", "pbx1")),
        ("pbx2", "Server pbx2 is not connected"),
        ("pbx5", "Server proxy3, which pbx5 is behind, is not connected"),
        ("proxy3", "Server proxy3 is not connected"),
        ("pbx9", "Server pbx9 is not connected"),
    ],
)
def test_where_an_action_goes(server: str | None, where: tuple[str, str | None] | str) -> None:
    """The name of a proxy means that one: the proxy itself does not know it."""
    assert went(server) == where


@pytest.mark.parametrize(
    ("server", "users", "where"),
    [
        (None, ("pbx3",), ("proxy2", "pbx3")),
        (None, ("h3",), ("proxy2", "pbx3")),
        (None, ("pbx4",), ("proxy2", "pbx4")),
        (None, ("pbx4", "pbx3"), ("proxy2", "pbx3")),
        (None, ("pbx1",), ("pbx1", None)),
        (None, ("proxy2",), ("proxy2", None)),
        ("pbx3", ("proxy2",), ("proxy2", "pbx3")),
        ("pbx3", ("10.0.0.3",), ("proxy2", "pbx3")),
        (None, ("pbx5",), "Server proxy3, which pbx5 is behind, is not connected"),
        ("pbx4", ("pbx3",), "Server pbx4 is not open to this user"),
        ("proxy2", ("pbx3",), "Server proxy2 is not open to this user"),
        # What is behind a proxy does not become a server of ours by its name.
        ("evil", ("pbx1",), "Server evil is not open to this user"),
        ("h1", ("pbx1",), "Server h1 is not open to this user"),
    ],
)
def test_users_of_some_servers_reach_those_behind_proxies(
    server: str | None, users: tuple[str, ...], where: tuple[str, str | None] | str
) -> None:
    """What names none goes to what is the user's; who has a proxy has all behind it."""
    assert went(server, *users) == where


def test_nobody_knows_what_servers_behind_a_proxy_say_of_their_actions() -> None:
    """What the first one there says need not hold for the others."""
    found = destinations(ALL, None, Message.of("Action: X", "Server: pbx3"))
    own = destinations(ALL, None, Message.of("Action: X", "Server: proxy2"))
    assert not isinstance(found, str)
    assert not isinstance(own, str)
    assert found[0].listed == {}
    assert own[0].listed is PROXY.listed
