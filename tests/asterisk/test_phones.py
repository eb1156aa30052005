# SPDX-License-Identifier: GPL-2.0-or-later
"""Users of single phones act on their device, and on nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.asterisk.asking import Admin, value
from tests.asterisk.proxies import start_proxy
from tests.support import ManagerClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.asterisk.world import World
    from tests.support import ProxyProcess

pytestmark = pytest.mark.real_asterisk


@pytest.fixture(scope="module")
def proxy(world: World) -> Iterator[ProxyProcess]:
    """A proxy with a user of one phone, who has rights of every class."""
    section = ["[all101]", "secret = secret", "read = all", "write = all", "channel = pjsip/101"]
    with start_proxy(world.asterisk, users="\n".join(section) + "\n") as one:
        yield one


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
    proxy: ProxyProcess, action: str, header: str, own: str, others: str
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
