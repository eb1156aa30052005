# SPDX-License-Identifier: GPL-2.0-or-later
"""The user of each phone gets all events of the own calls and device, and none of others'.

What belongs to a phone is worked out from what a direct client recorded (``ownership.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.asterisk.compare import without_server
from tests.asterisk.decoding import header
from tests.asterisk.flows.everything import FLOWS
from tests.asterisk.instance import PHONES
from tests.asterisk.ownership import Beside, Owner, Share, beside, ids, is_of_nobody, unannounced
from tests.asterisk.proxies import SERVER, start_proxy
from tests.asterisk.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.asterisk.decoding import Lines
    from tests.asterisk.figures import Figures
    from tests.asterisk.world import World
    from tests.support import ProxyProcess

pytestmark = pytest.mark.real_asterisk

#: Each phone has a user; that of 101 has another log-in, with more_events and without the dash.
USERS = "".join(f"u{number}=secret,pjsip/{number}-\n" for number in PHONES)
USERS += "more101=secret,pjsip/101,,,,,yes\n"
LOGINS = {**{f"u{number}": number for number in PHONES}, "more101": "101"}


class User:
    """The log-in *name* of a phone's user, beside what a direct recording says is the phone's."""

    def __init__(self, name: str, port: int) -> None:
        self._owner = Owner(f"PJSIP/{LOGINS[name]}")
        self._more = name.startswith("more")
        self._client = Recorder(name, port, name)
        self._announced: set[str] = set()

    def close(self) -> None:
        """Leave."""
        self._client.close()

    def look(self, direct: list[Lines], first: bytes, last: bytes) -> Beside:
        """Return what came between two marks, beside what came to the *direct* client there."""
        shared = [(one, self._share(one)) for one in direct]
        seen = without_server(self._client.between(first, last), SERVER)
        assert unannounced(seen, self._announced) == []
        return beside(shared, seen)

    def _share(self, lines: Lines) -> Share:
        share = self._owner.share(lines)
        return Share.OWN if self._more and is_of_nobody(lines) else share


class Watch:
    """All users, and the mark up to which they were looked at."""

    def __init__(self, world: World, proxy: ProxyProcess) -> None:
        self._world = world
        self._users = {name: User(name, proxy.port) for name in LOGINS}
        self._mark = world.mark("before all flows")

    def close(self) -> None:
        """Let all leave."""
        for one in self._users.values():
            one.close()

    def look(self, mark: str) -> dict[str, Beside]:
        """Return what each was sent up to *mark*, from the mark before on."""
        first, last = self._mark.encode(), mark.encode()
        self._mark = mark
        direct = self._world.direct.between(first, last)
        return {name: user.look(direct, first, last) for name, user in self._users.items()}


@pytest.fixture(scope="module")
def watch(world: World) -> Iterator[Watch]:
    """A client for each log-in."""
    with start_proxy(world.asterisk, "autofilter = unique\n", USERS) as proxy:
        one = Watch(world, proxy)
        yield one
        one.close()


def told(some: list[Lines]) -> list[str]:
    """Return, in short, what *some* messages are."""
    return [
        f"{header(one, 'Event')} {header(one, 'EventName')} {header(one, 'Channel')} {ids(one)}"
        f" {header(one, 'BridgeUniqueid')}"
        for one in some[:8]
    ]


@pytest.mark.parametrize("name", [name for name in FLOWS if name != "load"])
def test_own_calls_are_whole_and_others_are_not_there(
    world: World, watch: Watch, figures: Figures, name: str
) -> None:
    """Each flow, for each of the ten phones; what is late in one is looked at with the next."""
    with world.window(name) as window:
        FLOWS[name](world)

    found = watch.look(window.last)
    wrong = {
        user: (told(one.missing), told(one.foreign))
        for user, one in found.items()
        if one.missing or one.foreign
    }
    assert wrong == {}
    figures.counts["events of phones' users"] += sum(one.same for one in found.values())


def test_a_user_of_a_context_sees_all_of_it_and_nothing_else(world: World) -> None:
    """Calls that go through several; of a channel that was seen, the end is seen in any."""
    context = "from-phones"
    users = f"c=secret,,,{context},,,yes\n"  # with more_events the marks are seen, too
    names = ("trunk", "queue_through_local", "local_channels")
    with start_proxy(world.asterisk, "autofilter = unique\n", users) as proxy:
        client = Recorder("user of a context", proxy.port, "c")
        windows = []
        for name in names:
            with world.window(name) as window:
                FLOWS[name](world)
            windows.append(window)
        seen = [one for each in windows for one in without_server(each.messages(client), SERVER)]
        client.close()
    direct = [one for each in windows for one in each.messages(world.direct)]

    def said(some: list[Lines], *, here: bool) -> list[Lines]:
        """Return those that name a context, this one or others, but for the ends of channels."""
        found = [one for one in some if header(one, "Context") and header(one, "Event") != "Hangup"]
        return [one for one in found if (header(one, "Context") == context) is here]

    assert [one for one in said(direct, here=True) if one not in seen] == []
    assert said(direct, here=False)
    assert said(seen, here=False) == []
