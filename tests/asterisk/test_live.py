# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients of /ws and /v1 are told is what a real Asterisk says, and has."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.asterisk import present
from tests.asterisk.compare import compared, without_server
from tests.asterisk.decoding import DECODERS
from tests.asterisk.flows.everything import FLOWS
from tests.asterisk.proxies import SERVER, start_proxy
from tests.support import wait_until
from tests.system.live.support import Socket

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.asterisk.world import World
    from tests.support import ProxyProcess

pytestmark = pytest.mark.real_asterisk

#: The kinds that are compared, and what a row of each is in a Snapshot.
EVENTS = {
    "channels": "ProxyChannel", "bridges": "ProxyBridge", "queues": "ProxyQueue",
    "members": "ProxyMember", "callers": "ProxyCaller", "devices": "ProxyDevice",
    "contacts": "ProxyContact", "parked": "ProxyParked", "conferences": "ProxyConference",
}  # fmt: skip
#: Of each kind one: calls, features, queues, transfers.
SOME = ["hold", "queue", "blind_transfer", "attended_transfer", "conference", "odd_values"]
#: Actions that say the same twice; the last two are refused, and a list that is empty.
ACTIONS: dict[str, dict[str, str]] = {
    "Ping": {}, "CoreSettings": {}, "QueueStatus": {}, "PJSIPShowEndpoints": {},
    "DeviceStateList": {}, "ExtensionStateList": {}, "CoreShowChannels": {},
    "Getvar": {"Variable": "GLOBAL(NOBODY)"}, "Command": {"Command": "core show channeltypes"},
    "GetConfig": {"Filename": "pjsip.conf"}, "Hangup": {"Channel": "PJSIP/nobody"},
    "NoSuchThing": {},
}  # fmt: skip
#: Headers whose value is another one each time.
MOVING = frozenset({"ActionID", "Server", "Timestamp", "CoreCurrentCalls"})


@pytest.fixture(scope="module")
def proxy(world: World) -> Iterator[ProxyProcess]:
    """A proxy with all that is live, before the Asterisk of *world*."""
    config = "inputformat = http\nstate = yes\nautofilter = unique\nreplay = 16MB\n"
    process = start_proxy(world.asterisk, config)
    yield process
    process.kill()


def as_json(lines: Iterable[bytes]) -> dict[str, Any]:
    """Return the headers of a message as the format json has them; a repeated one is an array."""
    found: dict[str, Any] = {}
    for line in lines:
        name, _, value = _text(line).partition(": ")
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def still(told: dict[str, Any]) -> dict[str, Any]:
    """Return *told* without what is another one each time."""
    return {name: value for name, value in told.items() if name not in MOVING}


@pytest.mark.parametrize("name", SOME)
def test_a_websocket_is_told_all_events_once_and_in_order(
    world: World, proxy: ProxyProcess, name: str
) -> None:
    """As a direct client is, byte by byte; though the connection ends, and comes back."""
    told: list[dict[str, Any]] = []

    def read(socket: Socket, text: str) -> None:
        while not told or told[-1]["event"].get("Text") != text:
            told.append(socket.until("event"))

    with Socket(proxy, "?events=*") as socket:
        at = socket.until("subscribed")["at"]
        with world.window(name) as window:
            read(socket, window.first)
            at = told.pop()["id"]
            FLOWS[name](world)
            text = world.mark(f"{name}-lost")
            while socket.until("event")["event"].get("Text") != text:
                pass
    # Nothing of what that one was told is known any more but the place of the first mark.
    with Socket(proxy, f"?events=*&since={at}") as socket:
        read(socket, window.last)

    seen = DECODERS["json"](b"".join(json.dumps(each["event"]).encode() + b"\n" for each in told))
    found = compared(window.messages(world.direct), without_server(seen[:-1], SERVER))
    assert (found.differences, found.events) == ([], len(told) - 1)
    assert len({each["id"] for each in told}) == len(told)


@pytest.mark.parametrize("name", ACTIONS)
def test_an_answer_is_the_one_that_asterisk_gives(
    world: World, proxy: ProxyProcess, name: str
) -> None:
    """By /ws and by /v1: response, items, complete."""
    direct = [as_json(map(str.encode, lines)) for lines in world.ask(name, **ACTIONS[name])]

    with Socket(proxy) as socket:
        told = socket.ask(Action=name, **ACTIONS[name])
    asked = post(proxy, f"/v1/actions/{name}", ACTIONS[name])

    for answer in (told, asked):
        found = [answer["response"], *answer["items"], *filter(None, [answer["complete"]])]
        assert sorted(map(str, map(still, found))) == sorted(map(str, map(still, direct)))


def post(proxy: ProxyProcess, path: str, body: dict[str, str]) -> dict[str, Any]:
    """Return what a POST of *body* is answered; of an error of Asterisk its response."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{proxy.port}{path}", json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )  # fmt: skip
    try:
        with urllib.request.urlopen(request) as answer:
            found: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            found = {"items": [], "complete": None, "response": json.load(error)["response"]}
    return found


def rows(proxy: ProxyProcess) -> present.Present:
    """Return what /v1/state tells of the kinds that a Snapshot has, in its words."""
    url = f"http://127.0.0.1:{proxy.port}/v1/state?of={','.join(EVENTS)}"
    document = wait_until(lambda: _asked(url), 10, "leave to ask")
    assert (document.get("stale", []), document.get("building", [])) == ([], [])
    return present.told(
        [
            _headers(key, row, EVENTS[kind])
            for kind, by_id in document["rows"].items()
            for key, row in by_id.items()
        ]
    )


def _asked(url: str) -> dict[str, Any]:
    """Return the document at *url*; an empty one where that is asked too often."""
    try:
        with urllib.request.urlopen(url) as answer:
            found: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 429:
            raise
        time.sleep(float(error.headers["Retry-After"]))
        return {}
    return found


def _headers(key: str, row: dict[str, Any], event: str) -> present.Headers:
    """Return *row* as a Snapshot has it."""
    found = {"Event": event}
    for field, value in row.items():
        name = "".join(part.capitalize() for part in field.split("_"))
        if isinstance(value, list):
            found[name] = " ".join(value)
        elif isinstance(value, bool):
            found[name] = "yes" if value else "no"
        elif value is not None:
            found[name] = str(value)
    if event == "ProxyBridge":  # its field Id has the place of the id of a row
        found["Id"] = key.partition("/")[2]
    return found


@pytest.mark.parametrize("name", SOME)
def test_the_state_is_what_asterisks_lists_say(
    world: World, proxy: ProxyProcess, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a flow, when nothing changes just then, and behind it."""
    wrong: list[str] = []
    looks = 0
    heard = world.heard

    def same() -> bool:
        before = rows(proxy)
        wrong[:] = present.differences(before, present.listed(world.admin))
        return not wrong

    def heard_and_looked(event: str, **begins: Any) -> Any:
        nonlocal looks
        found = heard(event, **begins)
        with contextlib.suppress(AssertionError):
            wait_until(same, 2)
        assert not wrong, f"at {event}: {wrong}"
        looks += 1
        return found

    monkeypatch.setattr(world, "heard", heard_and_looked)
    with world.window(name):
        FLOWS[name](world)
    wait_until(same, 10, str(wrong))
    assert looks
