# SPDX-License-Identifier: GPL-2.0-or-later
"""Users with few rights: those of Asterisk's manager.conf, direct and through proxies.

First the proxy itself has logged in as such a user; then it has all rights, and has the same
manager.conf for its own users.
"""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.asterisk.actions import reads
from tests.asterisk.actions.answers import Asker, explained, still, without_server
from tests.asterisk.flows.everything import FLOWS
from tests.asterisk.proxies import SERVER, start_proxy
from tests.asterisk.recorder import Recorder
from tests.support import ManagerClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.asterisk.actions.answers import Block
    from tests.asterisk.decoding import Lines
    from tests.asterisk.figures import Figures
    from tests.asterisk.world import World
    from tests.support import ProxyProcess

pytestmark = pytest.mark.real_asterisk

#: Users of etc/manager.conf, and their secrets.
USERS = {
    "limited": "limited", "wall": "wall", "filt": "filt", "filtadv": "filtadv",
    "noproxyread": "x", "nosys": "x",
}  # fmt: skip
_FLOWS = ("queue", "originated", "odd_values")
#: Names in what is asked: no channel is there.
NAMES = {"talk": "none", "bridge": "none"}
DENIED = (b"Response: Error", b"Message: Permission denied")
FILTERED = (b"Response: Error", b"Message: Action Filtered")
_PINGS = itertools.count(1)


def events_so_far(recorder: Recorder) -> list[Lines]:
    """Return all events that *recorder* was sent by now."""
    # Asterisk sends events before it reads an action, so two will do.
    for number in (f"ping-{next(_PINGS)}", f"ping-{next(_PINGS)}"):
        recorder.say("Action: Ping", f"ActionID: {number}")
        recorder.wait(f"ActionID: {number}\r\n".encode())
    return [one for one in recorder.so_far() if one[0].startswith(b"Event: ")]


def logged_in(port: int, user: str) -> ManagerClient:
    """Return a client that has logged in as *user*, and gets no events."""
    client = ManagerClient(port)
    client.read_line()
    client.send("Action: Login", f"Username: {user}", f"Secret: {USERS[user]}", "Events: off")
    assert client.read_message()[0] == "Response: Success"
    return client


class Both(NamedTuple):
    """What a user was answered and sent, directly and through a proxy."""

    direct: list[Lines]
    proxy: list[Lines]


@pytest.fixture(scope="module")
def proxies(world: World) -> Iterator[dict[str, ProxyProcess]]:
    """By user, a proxy that has logged in as that; "": one whose users they are."""
    manager_conf = (world.asterisk.etc / "manager.conf").read_text()
    with contextlib.ExitStack() as stack:
        started = {
            # Asterisk shows some of them no OriginateResponse.
            user: stack.enter_context(
                start_proxy(world.asterisk, "originateasync = no\n", login=user, secret=secret)
            )
            for user, secret in USERS.items()
        }
        started[""] = stack.enter_context(
            start_proxy(world.asterisk, "authrequired = yes\n", manager_conf)
        )
        yield started


@pytest.fixture(scope="module")
def events(world: World, proxies: dict[str, ProxyProcess]) -> Iterator[dict[str, Both]]:
    """What each was sent in some flows; by user, and "at proxy" behind it for the other way."""
    port = world.asterisk.ports.ami
    with contextlib.ExitStack() as stack:

        def recorder(name: str, *args: object, **more: bool) -> Recorder:
            one = Recorder(name, *args, **more)  # type: ignore[arg-type]
            stack.callback(one.close)
            return one

        pairs = {}
        for user, secret in USERS.items():
            direct = recorder(user, port, user, secret, direct=True)
            pairs[user] = direct, recorder(user, proxies[user].port)
            pairs[f"{user} at proxy"] = direct, recorder(user, proxies[""].port, user, secret)
        before = {name: [len(events_so_far(one)) for one in pair] for name, pair in pairs.items()}
        for name in _FLOWS:
            with world.window(name):
                FLOWS[name](world)
        yield {
            name: Both(*(events_so_far(one)[at:] for one, at in zip(pair, before[name])))
            for name, pair in pairs.items()
        }


@pytest.mark.parametrize("user", [*USERS, *(f"{user} at proxy" for user in USERS)])
def test_the_events_of_a_user(events: dict[str, Both], figures: Figures, user: str) -> None:
    """Classes and filters: the same events in the same order."""
    both = events[user]

    assert both.direct
    assert without_server(both.proxy, SERVER) == both.direct
    figures.counts["events of limited users"] += len(both.direct)


def answered(client: ManagerClient, output: str, blocks: list[Block]) -> list[list[Lines]]:
    """Return what is answered to each of *blocks*."""
    asker = Asker(client, output)
    asker.limited = True
    return [still(one) for one in asker.one_by_one(blocks)]


def asked_directly(world: World, user: str, blocks: list[Block]) -> list[list[Lines]]:
    """Return what Asterisk answers to *user*, as a proxy passes it on."""
    with logged_in(world.asterisk.ports.ami, user) as client:
        return [explained(one).answer for one in answered(client, "asterisk", blocks)]


@pytest.mark.parametrize("user", USERS)
def test_a_proxy_with_few_rights_answers_as_asterisk_does(
    world: World, proxies: dict[str, ProxyProcess], figures: Figures, user: str
) -> None:
    """What Asterisk refuses to the proxy, it refuses to the proxy's clients, in the same words."""
    blocks = reads.blocks(NAMES)
    direct = asked_directly(world, user, blocks)
    with proxies[user].client() as client:
        client.send("Action: Events", "EventMask: off")
        client.read_until(lambda lines: lines[0] == "Response: Success")
        seen = answered(client, "standard", blocks)

    assert [without_server(one, SERVER) for one in seen] == direct
    figures.counts["answers to limited users"] += len(direct)


def alike(direct: list[Lines], seen: list[Lines]) -> bool:
    """Return whether both refuse, or both answer the same."""
    if seen == [FILTERED] or direct == [DENIED]:
        return seen == [FILTERED] and direct == [DENIED]
    return without_server(seen, SERVER) == direct


def is_explained(block: Block, direct: list[Lines], seen: list[Lines]) -> bool:
    """Return whether there is a reason for what is different."""
    if block[0] == f"Action: {reads.UNKNOWN}" or any("URIDECODE" in line for line in block):
        # What nobody knows needs all classes, as who knows what it does; and a decoded value may
        # forge a whole message on the shared connection, or hide the name of a function.
        return seen == [FILTERED]
    # It names what Asterisk lets the proxy do, of which that is a part.
    return block == ("Action: ListCommands",) and {*direct[0]} < {*seen[0]}


@pytest.mark.parametrize("user", USERS)
def test_a_user_of_the_proxy_may_do_what_he_may_do_at_asterisk(
    world: World, proxies: dict[str, ProxyProcess], figures: Figures, user: str
) -> None:
    """The same actions are refused, in words of each; the others have the same answers."""
    blocks = reads.blocks(NAMES)
    direct = asked_directly(world, user, blocks)
    with logged_in(proxies[""].port, user) as client:
        seen = answered(client, "standard", blocks)

    different = [
        (block, one, two)
        for block, one, two in zip(blocks, direct, seen)
        if not alike(one, two) and not is_explained(block, one, two)
    ]
    assert different == []
    figures.counts["answers to limited users"] += len(direct)
