# SPDX-License-Identifier: GPL-2.0-or-later
"""Users of single phones see their calls and their device whole, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.asterisk.asking import Admin, value
from tests.asterisk.compare import without_server
from tests.asterisk.flows.everything import FLOWS
from tests.asterisk.instance import PHONES
from tests.asterisk.proxies import SERVER, start_proxy
from tests.asterisk.recorder import Recorder
from tests.support import ManagerClient
from tests.whose import is_replay, theirs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.asterisk.decoding import Lines
    from tests.asterisk.figures import Figures
    from tests.asterisk.world import World
    from tests.support import ProxyProcess

pytestmark = pytest.mark.real_asterisk

BEGIN, END = b"phones-begin", b"phones-end"


@pytest.fixture(scope="module")
def proxy(world: World) -> Iterator[ProxyProcess]:
    """A proxy with a user for each phone, and a section with rights of every class."""
    users = [f"u{phone}=secret,pjsip/{phone}" for phone in PHONES]
    section = ["[all101]", "secret = secret", "read = all", "write = all", "channel = pjsip/101"]
    started = start_proxy(world.asterisk, users="\n".join([*users, *section]) + "\n")
    try:
        yield started
    finally:
        started.kill()


def mark(world: World, text: bytes) -> None:
    """Send an event that is of each phone."""
    lines = [f"AOR: {phone}" for phone in PHONES]
    answer = world.ask("UserEvent", "UserEvent: Mark", f"Text: {text.decode()}", *lines)
    assert value(answer[0], "Response") == "Success"


def texts(messages: list[Lines]) -> list[bytes]:
    """Return *messages* with line ends between their lines."""
    return [b"\r\n".join(lines) for lines in messages]


def test_each_user_sees_all_that_is_theirs_and_nothing_else(
    world: World, proxy: ProxyProcess, figures: Figures
) -> None:
    """In all flows, one after the other: whose an event is, is told by hand."""
    users = {phone: Recorder(phone, proxy.port, f"u{phone}") for phone in PHONES}
    try:
        mark(world, BEGIN)
        for name, flow in FLOWS.items():
            with world.window(name):
                flow.run(world)
        mark(world, END)
        direct = texts(world.direct.between(BEGIN, END))
        for phone, recorder in users.items():
            seen = texts(without_server(recorder.between(BEGIN, END), SERVER))
            expected, calls = theirs(direct, "PJSIP", phone)
            own = set(expected)
            assert [raw for raw in seen if raw in own] == expected, phone
            assert [x for x in seen if x not in own and not is_replay(x, calls)] == [], phone
            figures.counts["events of users of phones"] += len(expected)
    finally:
        for recorder in users.values():
            recorder.close()


@pytest.mark.parametrize(
    ("action", "header", "own", "others"),
    [
        ("PJSIPNotify", "Endpoint", "101", "103"),
        ("PJSIPQualify", "Endpoint", "101", "103"),
        ("PJSIPShowEndpoint", "Endpoint", "101", "103"),
        ("MessageSend", "To", "pjsip:101", "pjsip:103"),
        ("MessageSend", "Destination", "pjsip:101", "pjsip:103"),
        ("MailboxCount", "Mailbox", "101@default", "102@default"),
        ("MailboxStatus", "Mailbox", "101@default", "101@default,102@default"),
        ("QueueStatus", "Member", "PJSIP/101", "PJSIP/102"),
    ],
)
def test_only_the_own_device_can_be_named(
    world: World, proxy: ProxyProcess, action: str, header: str, own: str, others: str
) -> None:
    """Asterisk carries it out for the own one; it never hears of the other."""
    with ManagerClient(proxy.port, timeout=20) as client:
        client.read_line()
        client.ask("Action: Login", "Username: all101", "Secret: secret", "Events: off")
        more = ["Variable: Event=x"] if action == "PJSIPNotify" else ["Body: x"]
        answer = Admin(client).ask(action, f"{header}: {own}", *more)
        refused = Admin(client).ask(action, f"{header}: {others}", *more)

    assert value(answer[0], "Response") == "Success", answer
    assert value(refused[0], "Message") == "Action Filtered", refused
