# SPDX-License-Identifier: GPL-2.0-or-later
"""From which addresses users get in, and users that are read again."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest

from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.system.peers import wait_connected
from tests.system.people import (
    answer,
    closed,
    events_of,
    is_in,
    log_in,
    log_in_md5,
    logged_in,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support import ProxyProcess, StartProxy

    Reload = Callable[..., None]

DENIED = ["Response: Error", "Message: Authentication failed"]


@pytest.fixture
def reload(proxy: StartProxy) -> Reload:
    """Return a function that gives a program other users, and waits until it has read them."""

    def act(
        program: ProxyProcess, users: str | None, said: str = "Received HUP -- reread permissions"
    ) -> None:
        before = program.log().count(said)
        if users is None:
            program.users_file.unlink()
        else:
            program.write_users(users)
        program.send_signal(signal.SIGHUP)
        wait_until(lambda: program.log().count(said) > before, what=said)

    del proxy  # so that programs end after this
    return act


def test_permit_and_deny_of_a_user(proxy: StartProxy) -> None:
    """CIDR and dotted mask; the last that matches counts; the right secret does not help."""
    users = """
[cidr]
secret = secret
deny = 0.0.0.0/0
permit = 127.0.0.2/32
[mask]
secret = secret
permit = 127.0.0.0/255.0.0.0
deny = 127.0.0.2/255.255.255.255
"""
    program = proxy(closed(), users)
    for name, source, allowed in [
        ("cidr", "127.0.0.1", False),
        ("cidr", "127.0.0.2", True),
        ("mask", "127.0.0.1", True),
        ("mask", "127.0.0.2", False),
    ]:
        with program.client(source=source) as client:
            assert is_in(log_in(client, name)) is allowed, (name, source)
            assert is_in(log_in_md5(client, name, "secret")) is allowed, (name, source)
    program.wait_log('login failed from 127.0.0.1 as "cidr": address not permitted')


@pytest.mark.parametrize("where", ["users", "config"])
def test_permit_and_deny_for_everybody(proxy: StartProxy, where: str) -> None:
    """In [general] or in astmanproxy.conf: a denied address is closed without a word."""
    rules = "deny = 0.0.0.0/0\npermit = 127.0.0.3\n"
    users = "joe=secret\n" + (f"[general]\n{rules}" if where == "users" else "")
    program = proxy(closed(more=rules if where == "config" else ""), users)
    with program.client(source="127.0.0.3") as client:
        assert is_in(log_in(client, "joe"))
    with pytest.raises((EOFError, ConnectionResetError)):
        program.client(source="127.0.0.2").close()
    program.wait_log("Connection from 127.0.0.2 refused: address not permitted")


def test_users_are_read_again(proxy: StartProxy, reload: Reload) -> None:
    """SIGHUP: new users get in, old ones no longer; connected clients stay."""
    program = proxy(closed(), "old=secret")
    with logged_in(program, "old") as client:
        reload(program, "new=secret\n[general]\ndeny = 127.0.0.2\n")
        assert answer(client, "ProxyAction: ListIOHandlers")[0] == "ProxyResponse: Success"
        assert log_in(client, "old") == DENIED
        assert is_in(log_in(client, "new"))
        with pytest.raises((EOFError, ConnectionResetError)):
            program.client(source="127.0.0.2").close()


def test_connected_clients_keep_their_filters(proxy: StartProxy, reload: Reload) -> None:
    """Even if no user of the new file has any: calls stay whole, replays included."""
    call = ("Privilege: call,all", "Channel: SIP/200-1", "Uniqueid: 2.1")
    dial = ("Event: DialBegin", *call, "DestChannel: SIP/100-1", "DestUniqueid: 1.1")
    with SimulatedAsterisk() as asterisk:
        program = proxy(closed(asterisk), "joe=secret,sip/100")
        wait_connected(program)
        with logged_in(program, "joe") as client:
            reload(program, "ann=secret")
            # Signals are handled one after the other: it is in force when the next is heard.
            reload(program, "ann=secret")
            new = ("Event: Newchannel", *call)
            said = "".join("\r\n".join([*lines, "", ""]) for lines in (new, dial))
            got = events_of(client, asterisk, lambda: asterisk.send(said.encode()))

    assert [message.partition(b"\r\n")[0] for message in got] == [
        b"Event: Newchannel",
        b"Event: DialBegin",
    ]


@pytest.mark.parametrize("broken", ["=nobody\n", "joe\n", "[a](nosuch)\nsecret=x\n", None])
def test_a_broken_users_file_keeps_the_old_users(
    proxy: StartProxy, reload: Reload, broken: str | None
) -> None:
    """It is reported, with file and line where there is one, and nobody is locked out or let in."""
    program = proxy(closed(), "joe=secret")
    reload(program, broken, "Received HUP -- the users stay as they were")
    with program.client() as client:
        assert is_in(log_in(client, "joe"))
        assert log_in(client, "", "nobody") == DENIED
    place = re.escape(str(program.users_file)) + (
        r":\d+: " if broken else ": the users file cannot be read: No such file"
    )
    assert re.search(place, program.log())


def test_named_lists_are_read_again(proxy: StartProxy, reload: Reload) -> None:
    """SIGHUP rereads the file of the lists; a broken one keeps the old lists in force."""
    users = "[joe]\nsecret = secret\nread = all\nwrite = all\nacl = office\n"
    program = proxy(closed(), users)
    lists = program.dir / "acl.conf"

    def gets_in(source: str) -> bool:
        with program.client(source=source) as client:
            return is_in(log_in(client, "joe"))

    assert [gets_in("127.0.0.1"), gets_in("127.0.0.2")] == [False, False]
    program.write_config(closed(more="aclfile = {dir}/acl.conf\n"))
    lists.write_text("[office]\ndeny = 0.0.0.0/0\ndeny = ::/0\npermit = 127.0.0.1\n")
    reload(program, users)
    assert [gets_in("127.0.0.1"), gets_in("127.0.0.2")] == [True, False]
    lists.write_text("[office]\npermit = all\n")
    reload(program, users, "Received HUP -- the users stay as they were")
    assert [gets_in("127.0.0.1"), gets_in("127.0.0.2")] == [True, False]
    assert f"{lists}:2: permit: 'all' is not an address" in program.log()
