# SPDX-License-Identifier: GPL-2.0-or-later
"""The users of the tests of rights, what Asterisk tells them, and a stage to try them on."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from simulator.server import SimulatedAsterisk
from tests.support import ProxyProcess
from tests.system.peers import wait_connected
from tests.system.people import closed, events_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import ManagerClient

USERS = """
free=secret
tied=secret,sip/100,Crm,,acc-tied
billed=secret,,,,acc-billed
north=secret,,,,,127.0.0.1
south=secret,,,,,127.0.0.2

[general]
[base](!)
secret = secret
read =
write =

[board](base)
read = agent,call
eventfilter = Queue: support

[notify](base)
read = call,agent
eventfilter = !Event: Hangup

[newform](base)
read = all
eventfilter(action(include),name(Newchannel),header(Channel),method(starts_with)) = SIP/100

[blind](base)
[reader](base)
read = reporting
write = reporting

[dialer](base)
read = call
write = originate

[root](base)
write = originate,system,config,command
proxyactions = all

[lister](base)
proxyactions = ListServers

[worker](base)
write = call

[watcher](base)
read = call
write = system

[looker](base)
read = all

[agent100](base)
read = agent
channel = SIP/100

[picker](base)
read = all
write = all
eventfilter = !Event: Hangup
"""


class Stage(NamedTuple):
    """Two Asterisks and a proxy with USERS between them and the clients."""

    north: SimulatedAsterisk
    south: SimulatedAsterisk
    program: ProxyProcess


@contextlib.contextmanager
def set_up() -> Iterator[Stage]:
    """Start a stage; both Asterisks are connected."""
    with (
        SimulatedAsterisk() as north,
        SimulatedAsterisk("127.0.0.2") as south,
        ProxyProcess(closed(north, south), USERS) as program,
    ):
        wait_connected(program, 2)
        yield Stage(north, south, program)


#: Event, its Privilege, further headers.
SAID: list[tuple[str, str, dict[str, str]]] = [
    ("Newchannel", "call,all", {"Channel": "SIP/100-1", "Uniqueid": "1.1"}),
    ("Newchannel", "call,all", {"Channel": "SIP/200-1", "Uniqueid": "1.2"}),
    ("QueueCallerJoin", "agent,all", {"Queue": "support", "Uniqueid": "1.1"}),
    ("QueueCallerJoin", "agent,all", {"Queue": "sales", "Uniqueid": "1.2"}),
    ("AgentCalled", "agent,call,all", {"Queue": "support", "Uniqueid": "1.1"}),
    ("Reload", "system,all", {"Module": "All"}),
    ("CoreShow", "reporting,all", {"Text": "x"}),
    ("Novelty", "shiny,all", {"Text": "x"}),
    ("Hangup", "call,all", {"Channel": "SIP/200-1", "Uniqueid": "1.2"}),
    ("Hangup", "call,all", {"Channel": "SIP/100-1", "Uniqueid": "1.1"}),
]


def speak(asterisk: SimulatedAsterisk) -> None:
    """Make *asterisk* say SAID."""
    for event, privilege, headers in SAID:
        rows = {"Event": event, "Privilege": privilege, **headers, "Said": "yes"}
        asterisk.send("".join(f"{k}: {v}\r\n" for k, v in rows.items()).encode() + b"\r\n")


def said_to(client: ManagerClient, asterisk: SimulatedAsterisk) -> list[bytes]:
    """Make *asterisk* say SAID; return what of it reaches *client*.

    Events of other tests' calls are left out.
    """
    got = events_of(client, asterisk, lambda: speak(asterisk))
    return [message for message in got if b"\r\nSaid: yes\r\n" in message]


def upstream(asterisk: SimulatedAsterisk, action_id: str) -> list[str] | None:
    """Return the lines of the action with *action_id* as *asterisk* got it, or None."""
    for raw in list(asterisk.received):
        lines = raw.decode("latin-1").split("\r\n")
        if any(line.startswith("ActionID:") and line.endswith(action_id) for line in lines):
            return lines
    return None
