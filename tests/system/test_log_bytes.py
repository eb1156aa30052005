# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients and servers send cannot control the terminal of who reads the log."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import wait_until
from tests.system.peers import PATIENT, BareServer, host_line

if TYPE_CHECKING:
    from tests.support import StartProxy

#: Every control character but the line feed that ends a line, and the tab.
CONTROLS = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

#: Erases the screen, sets the title, moves the cursor up: in eight bits and in seven.
NASTY = "joe\x9b2J\x9d0;x\x9c\x84\x1b[2J\x07\x7f"


def blocks(form: str, *lines: tuple[str, str]) -> bytes:
    """Return a block of *lines* as *form* writes it, text in Latin-1."""
    if form == "json":
        return json.dumps(dict(lines), ensure_ascii=False).encode("latin-1") + b"\n"
    return "".join(f"{name}: {value}\r\n" for name, value in lines).encode("latin-1") + b"\r\n"


@pytest.mark.parametrize("form", ["standard", "json"])
def test_no_control_characters_of_clients_reach_the_log(proxy: StartProxy, form: str) -> None:
    """In names of users and actions, however they are wrapped."""
    program = proxy(PATIENT + f"authrequired = yes\ninputformat = {form}\n", NASTY[:3] + "=x\n")
    with program.client(banner=False) as client:
        client.send_raw(blocks(form, ("Action", "Login"), ("Username", NASTY), ("Secret", "y")))
        client.send_raw(blocks(form, ("Action", "Login"), ("Username", "joe"), ("Secret", "x")))
        client.send_raw(blocks(form, ("Action", NASTY)))
        client.send_raw(blocks(form, ("ProxyAction", NASTY)))
        client.send_raw(blocks(form, ("Action", "Logoff")))
        client.read_to_end()
    wait_until(lambda: " left\n" in program.log(), what="the client has left")

    assert "login failed" in program.log()
    assert CONTROLS.findall(Path(program.log_file).read_bytes()) == []


def test_no_control_characters_of_servers_reach_the_log(proxy: StartProxy) -> None:
    """A server may say why it refuses a log-in, in its own words."""
    refusal = f"Response: Error\r\nMessage: {NASTY}\r\n\r\n".encode("latin-1")
    with BareServer(welcome=refusal) as server:
        program = proxy(PATIENT + host_line(server))
        wait_until(lambda: "asterisk@" in program.log(), what="the refusal in the log")

    assert CONTROLS.findall(Path(program.log_file).read_bytes()) == []
