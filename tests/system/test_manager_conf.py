# SPDX-License-Identifier: GPL-2.0-or-later
"""A manager.conf as users file of the running program."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from simulator.server import SimulatedAsterisk
from tests.support import PROGRAM
from tests.system.peers import wait_connected
from tests.system.people import (
    answer,
    closed,
    is_in,
    log_in,
)

if TYPE_CHECKING:
    from tests.support import StartProxy


DENIED = ["Response: Error", "Message: Authentication failed"]
FILTERED = ["Response: Error", "Message: Action Filtered"]


MANAGER_CONF = """; moved over from Asterisk
[general]
enabled = yes
port = 5038
displayconnects = no
authtimeout = 20

#tryinclude manager.d/*.conf
[closed](!)
read =
write =
deny = 0.0.0.0/0
deny = ::/0
permit = 127.0.0.0/255.0.0.0

[board](closed)
secret = secret
read = agent,call
eventfilter = Queue: support
eventfilter = !Event: QueueCallerAbandon
setvar = A=1

[crm](closed)
secret = secret
write = originate
writetimeout = 500
allowmultiplelogin = no
"""


def test_a_manager_conf_is_taken_as_it_is(proxy: StartProxy) -> None:
    """It loads, its users log in with their rights; what is not supported has file and line."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(closed(asterisk), MANAGER_CONF)
        wait_connected(program)
        with program.client() as client:
            assert log_in(client, "closed") == DENIED
            assert is_in(log_in(client, "board"))
            assert answer(client, "Action: CoreStatus") == FILTERED
            assert is_in(log_in(client, "crm"))
            called = answer(
                client,
                *("Action: Originate", "Channel: Local/1@x", "Exten: 1", "Context: x"),
                *("Priority: 1", "Async: true"),
            )
            assert called[0] == "Response: Success"
            assert answer(client, "Action: Hangup", "Channel: SIP/1") == FILTERED
        lines = MANAGER_CONF.split("\n")
        number = next(i for i, line in enumerate(lines, 1) if line.startswith("setvar"))
        assert f"{program.users_file}:{number}: " in program.stderr() + program.log()


@pytest.mark.parametrize("required", [True, False])
def test_check_tells_users_in_words(proxy: StartProxy, required: Any) -> None:
    """`-t` on it: what each may see and do, what is not supported, and no secret.

    Where nobody need log in it says that all of this binds nobody.
    """
    config = f"authrequired = {'yes' if required else 'no'}\n"
    program = proxy(config, MANAGER_CONF.replace("= secret", "= S3cretOfMine"))
    done = subprocess.run(
        [
            *(sys.executable, str(PROGRAM), "-t"),
            *("-c", str(program.config_file), "-u", str(program.users_file)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    for words in (
        "user board: plain secret",
        "sees events of: call, agent",
        "may send actions of: nothing",
        "may send actions of: originate",
        "may not run what could leave the PBX",
        "may log in once at a time",
        "may call ProxyActions: all but AddServer, DropServer, ListServers",
        "QueueCallerAbandon",
        "setvar",
    ):
        assert words in said, (words, said)
    assert "S3cretOfMine" not in said
    assert ("who does not log in: sees and may do everything" in said) is not required


def test_brokeneventsaction_leaves_out_answers(proxy: StartProxy) -> None:
    """As at an Asterisk 22 with that line: to a mask of all events, and to one that is none."""
    users = "[general]\nbrokeneventsaction = yes\n[joe]\nsecret=secret\nread=all\nwrite=all\n"
    program = proxy(closed(), users)
    with program.client() as client:
        assert is_in(log_in(client, "joe"))
        for mask in ("on", "all", "call,all", "2147483647", ""):
            client.send("Action: Events", "ActionID: 1", f"EventMask: {mask}")
            assert answer(client, "Action: Events", "EventMask: off")[1] == "Events: Off", mask
        assert answer(client, "Action: Events", "EventMask: call")[1] == "Events: On"
