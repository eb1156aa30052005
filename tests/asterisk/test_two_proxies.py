# SPDX-License-Identifier: GPL-2.0-or-later
"""Two proxies at one Asterisk: neither takes the answers to the other's clients; both see all events.

Both are started alike, so their sessions have the same numbers, and clients give the same ActionIDs.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.asterisk.actions.answers import without_server
from tests.asterisk.decoding import header
from tests.asterisk.proxies import SERVER, start_proxy
from tests.asterisk.recorder import Recorder
from tests.bus.redisserver import starter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.asterisk.decoding import Lines
    from tests.asterisk.figures import Figures
    from tests.asterisk.world import World
    from tests.support import ManagerClient, ProxyProcess

pytestmark = pytest.mark.real_asterisk

#: Clients of each proxy, and calls that each makes.
_CLIENTS = 4
_CALLS = 4
#: Log-ins of two proxies: as one user, and as two.
LOGINS = {
    "one user": ("proxy", "proxy"),
    "two users": ("proxy", "proxy2"),
    "one connection": ("proxy", "proxy"),
}


@pytest.fixture(scope="module", params=["unique", "off"])
def mode(request: pytest.FixtureRequest) -> str:
    """What autofilter is in both."""
    return str(request.param)


@pytest.fixture(scope="module", params=LOGINS)
def proxies(
    world: World, mode: str, request: pytest.FixtureRequest
) -> Iterator[tuple[ProxyProcess, ...]]:
    """Two proxies."""
    with contextlib.ExitStack() as stack:
        config = f"autofilter = {mode}\n"
        if request.param == "one connection":
            if mode == "off":
                pytest.skip("each client sees the answers to all, as at one proxy")
            start = stack.enter_context(starter())
            config += f"bus = {start().url}\n"
        yield tuple(
            stack.enter_context(start_proxy(world.asterisk, config, login=user))
            for user in LOGINS[request.param]
        )


def asked(number: int) -> list[tuple[str, ...]]:
    """Return what a client asks in one write: each answer can be told from another client's."""
    mark = f"Variable: A=c{number}"
    wait = ("Application: Wait", "Data: 0", "Timeout: 9000", mark)
    once = [
        ("Action: Originate", "Channel: Local/stay@legs", *wait),
        ("Action: Originate", "Channel: Local/busy@legs", *wait),
        ("Action: Originate", "Channel: Local/stay@legs", "Async: true", *wait),
        ("Action: Status",),
        ("Action: DBPut", "Family: two", f"Key: c{number}", "Val: x"),
        ("Action: DBGetTree", "Family: two", f"Key: c{number}"),
    ]
    return once * _CALLS


def answers_of(recorder: Recorder, mine: str) -> list[Lines]:
    """Return the responses that a client was sent with its ActionIDs, in order."""
    recorder.wait(f"ActionID: {mine}-end\r\n".encode(), timeout=30)
    return [
        one
        for one in recorder.so_far()
        if one[0].startswith(b"Response: ") and header(one, "ActionID").startswith(f"{mine}-")
    ]


def test_each_client_gets_its_own_answers(
    world: World, proxies: tuple[ProxyProcess, ...], mode: str, figures: Figures
) -> None:
    """In the order in which it asked, while clients with the same ActionIDs ask through the other."""
    with contextlib.ExitStack() as stack, world.window("two"):
        recorders: dict[tuple[int, int], Recorder] = {}
        for number, proxy in enumerate(proxies):
            for client in range(_CLIENTS):
                one = Recorder(f"{number} {client}", proxy.port)
                stack.callback(one.close)
                recorders[number, client] = one

        def ask(number: int, client: int) -> None:
            me, one = f"c{client}", recorders[number, client]
            for at, block in enumerate(asked(client)):
                one.say(block[0], f"ActionID: {me}-{at}", *block[1:])
            one.say("Action: Ping", f"ActionID: {me}-end")

        threads = [threading.Thread(target=ask, args=key) for key in recorders]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        wanted = [f"-{at}" for at in range(6 * _CALLS)] + ["-end"]
        for (_, client), one in recorders.items():
            own = answers_of(one, f"c{client}")
            assert [header(each, "ActionID") for each in own] == [f"c{client}{at}" for at in wanted]
            said = Counter(header(each, "Message") for each in own)
            assert said["Originate successfully queued"] == 2 * _CALLS, said
            figures.counts["answers beside another proxy"] += len(own)


def wait_for_all(client: ManagerClient) -> None:
    """Read up to the last answer, and what became of all calls but those that it waits for."""
    left = {"Event: OriginateResponse": 4 * _CALLS, "ActionID: end": 1}
    while any(left.values()):
        for line in client.read_message():
            if line in left:
                left[line] -= 1


def test_both_see_the_same_events(
    world: World, proxies: tuple[ProxyProcess, ...], mode: str, figures: Figures
) -> None:
    """And those that a direct client sees, while clients of both make calls.

    But for OriginateResponse: of the calls that a proxy's own clients wait for, it is their answer.
    """
    if mode == "off":
        pytest.skip("each client sees the answers to all")
    if "bus =" in proxies[0].config_file.read_text():
        pytest.skip("what clients wait for is nobody's event, whichever proxy they are at")
    with contextlib.ExitStack() as stack:
        watching, asking = [], []
        for proxy in proxies:
            watching.append(Recorder("watches", proxy.port))
            stack.callback(watching[-1].close)
            asking.append(stack.enter_context(proxy.client(timeout=30)))
        with world.window("two") as window:
            for client in asking:
                for at, block in enumerate(asked(0)):
                    client.send(block[0], f"ActionID: same-{at}", *block[1:])
                client.send("Action: Ping", "ActionID: end")
            for client in asking:
                wait_for_all(client)
        direct = window.messages(world.direct)
        seen = [without_server(window.messages(one), SERVER) for one in watching]

    assert len(originated(direct)) == 2 * 3 * _CALLS
    for one in seen:
        assert others(one) == others(direct)
        ids = [header(each, "ActionID") for each in originated(one)]
        # Its own clients' that nobody waits for, and all of the other's.
        assert sum(each.startswith("same-") for each in ids) == _CALLS
        assert len(ids) == _CALLS + 3 * _CALLS
        figures.counts["events beside another proxy"] += len(one)


def originated(some: list[Lines]) -> list[Lines]:
    """Return what became of calls."""
    return [one for one in some if header(one, "Event") == "OriginateResponse"]


def others(some: list[Lines]) -> list[Lines]:
    """Return all other events."""
    return [one for one in some if header(one, "Event") != "OriginateResponse"]
