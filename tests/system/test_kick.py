# SPDX-License-Identifier: GPL-2.0-or-later
"""``kick``: the operator ends clients of the running proxy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from amiproxy.threads.control.client import Told, ask
from tests.system.peers import PATIENT, is_response

if TYPE_CHECKING:
    from tests.support import ManagerClient, ProxyProcess
    from tests.system.peers import Stage

USERS = "joe=secret\nsue=secret\n"
pytestmark = pytest.mark.stage(
    PATIENT + "autofilter = unique\ncontrolsocket = {dir}/c.sock\n", users=USERS
)


def told(program: ProxyProcess, command: str) -> Told:
    """Return what the proxy says to *command*."""
    return ask(str(program.dir / "c.sock"), command, timeout=10)


def logged_in(program: ProxyProcess, user: str = "joe") -> ManagerClient:
    """Return a client of *user*."""
    client = program.client()
    client.ask("Action: Login", f"Username: {user}", "Secret: secret", "Events: off")
    return client


def number_of(client: ManagerClient) -> str:
    """Return the number of *client*, the newest one that is connected."""
    client.send("ProxyAction: ListSessions")
    text = "\n".join(client.read_until(is_response))
    found = re.search(r"ProxyClientActionID: amp(\d+)-", text)
    assert found
    return found[1]


def test_one_client_goes_and_the_others_stay(stage: Stage) -> None:
    """What it was sent before arrives; the log says who wanted it."""
    with logged_in(stage.program) as other, logged_in(stage.program) as client:
        number = number_of(client)

        done = told(stage.program, f"kick {number}")

        assert done.is_good
        assert done.text.startswith(b"kicked client 127.0.0.1:")
        client.read_to_end()
        assert other.ask("Action: Ping")[0] == "Response: Success"
    stage.program.wait_log(" was kicked by ")
    assert not told(stage.program, f"kick {number}").is_good


def test_all_clients_of_a_user_go(stage: Stage) -> None:
    """As many as there are."""
    program = stage.program
    with logged_in(program, "sue") as other, logged_in(program) as one, logged_in(program) as two:
        done = told(program, "kick user joe")

        assert (done.is_good, done.text.count(b"kicked client ")) == (True, 2)
        one.read_to_end()
        two.read_to_end()
        assert other.ask("Action: Ping")[0] == "Response: Success"
