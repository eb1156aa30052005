# SPDX-License-Identifier: GPL-2.0-or-later
"""Logins at the running program: secrets, limits, and several clients of one user."""

from __future__ import annotations

import contextlib
import hashlib
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.support import PROGRAM, wait_until
from tests.system.peers import Collector, value, wait_connected
from tests.system.people import (
    answer,
    closed,
    hashed,
    is_in,
    log_in,
    log_in_md5,
    logged_in,
)

if TYPE_CHECKING:
    from tests.support import StartProxy


DENIED = ["Response: Error", "Message: Authentication failed"]
FILTERED = ["Response: Error", "Message: Action Filtered"]


def with_id(reply: list[str], action_id: str) -> list[str]:
    """Return *reply* with an ActionID where Asterisk has it: behind its first line."""
    return [reply[0], f"ActionID: {action_id}", *reply[1:]]


EVENT = b"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: X\r\n\r\n"


def test_secrets_in_every_form(proxy: StartProxy) -> None:
    """Plain and bcrypt secrets let their users in; MD5 logins need plain ones."""
    users = f"plain=Se=cret\nold={hashed('Se=cret', '2y')}\n[new]\nsecret = {hashed('Se=cret')}\n"
    users += "[cisco]\nsecret = Se=cret\n"
    program = proxy(closed(), users)
    for number, name in enumerate(("plain", "old", "new", "cisco"), 2):
        # Three failures from one address are free.
        with program.client(source=f"127.0.0.{number}") as client:
            assert is_in(log_in(client, name, "Se=cret")), name
            assert log_in(client, name, "se=cret") == DENIED, name
            assert is_in(log_in_md5(client, name, "Se=cret")) is (name in ("plain", "cisco")), name
            assert log_in(client, name.title(), "Se=cret") == DENIED, name


def test_what_hash_secret_prints_is_a_secret(proxy: StartProxy) -> None:
    """`--hash-secret` into the users file, and the typed secret opens."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "--hash-secret"],
        input="Typed Secret",
        capture_output=True,
        text=True,
        check=True,
    )
    program = proxy(closed(), f"joe={done.stdout.strip()}\n")
    with program.client() as client:
        assert log_in(client, "joe", done.stdout.strip()) == DENIED
        assert is_in(log_in(client, "joe", "Typed Secret"))


def test_a_challenge_is_good_once_and_for_who_asked(proxy: StartProxy) -> None:
    """No key without a challenge, none twice, and none of another connection's."""
    program = proxy(closed(), "joe=secret")

    def key_of(challenge: str | None) -> str:
        return f"Key: {hashlib.md5(f'{challenge}secret'.encode()).hexdigest()}"

    head = ("Action: Login", "AuthType: MD5", "Username: joe")
    with program.client() as client, program.client() as other:
        assert answer(client, *head, key_of("")) == DENIED
        asked = answer(client, "Action: Challenge", "AuthType: md5", "ActionID: c")
        assert asked[0] == "Response: Success"
        assert asked[1] == "ActionID: c"
        challenge = value(asked, "Challenge")
        assert challenge is not None
        assert challenge.isdecimal()
        assert answer(other, *head, key_of(challenge)) == DENIED
        assert is_in(answer(client, *head, key_of(challenge)))
        assert answer(client, *head, key_of(challenge)) == DENIED
        assert value(answer(other, "Action: Challenge", "AuthType: MD5"), "Challenge") != challenge
        assert answer(client, "Action: Challenge", "AuthType: SHA") == [
            "Response: Error",
            "Message: Must specify AuthType",
        ]


def test_the_answer_to_a_login(proxy: StartProxy) -> None:
    """Success, then FullyBooted if the user may see it; a failure gives no reason."""
    program = proxy(closed(), "joe=secret\n[blind]\nsecret=secret\nread=\nwrite=\n")
    with program.client() as client:
        reply = log_in(client, "joe", "secret", "ActionID: 1")
        assert reply == [
            "Response: Success",
            "ActionID: 1",
            "Message: Authentication accepted",
        ]
        assert client.read_message() == [
            "Event: FullyBooted",
            "Privilege: system,all",
            "Status: Fully Booted",
        ]
        assert log_in(client, "joe", "wrong", "ActionID: 2") == with_id(DENIED, "2")
        assert answer(client, "Action: Ping") == FILTERED  # what it had is taken away
        assert is_in(log_in(client, "blind"))
        assert client.is_silent()  # FullyBooted is of the class system


def test_a_second_login_replaces_the_first(proxy: StartProxy) -> None:
    """Rights and filters are those of the last login."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(closed(asterisk), "tied=secret,sip/1\nfree=secret")
        wait_connected(program)
        with program.client() as client:
            log_in(client, "tied")
            assert answer(client, "Action: Hangup", "Channel: SIP/2-1") == FILTERED
            log_in(client, "free")
            assert "Message: Action Filtered" not in answer(
                client, "Action: Hangup", "Channel: SIP/2-1"
            )
            log_in(client, "tied")
            assert answer(client, "Action: Hangup", "Channel: SIP/2-1") == FILTERED


def test_without_a_login_nothing_is_seen_or_done(proxy: StartProxy) -> None:
    """With authrequired: no event, no answer, no action, no ProxyAction (in C those worked)."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(closed(asterisk, more="autofilter = off\n"), "joe=secret")
        wait_connected(program)
        with program.client() as nobody, logged_in(program, "joe") as joe:
            for action in ("Ping", "Originate", "Events", "Filter", "WaitEvent", "Nonsense"):
                reply = answer(nobody, f"Action: {action}", "ActionID: 7")
                assert reply == with_id(FILTERED, "7")
            for action in (
                *("ListSessions", "ListServers", "ListIOHandlers", "AddServer", "DropServer"),
                *("SetOutputFormat", "SetAutoFilter", "SetInputFormat", "Nonsense"),
            ):
                reply = answer(nobody, f"ProxyAction: {action}", "OutputFormat: http")
                assert reply == ["ProxyResponse: Error", "Message: Action Filtered"], action
            asterisk.send(EVENT)
            assert asterisk.flush()
            answer(joe, "Action: Ping", "ActionID: x")
            assert nobody.is_silent()
            assert len(asterisk.actions("Ping")) == 1
            assert answer(nobody, "Action: Logoff")[0] == "Response: Goodbye"


def test_without_users_and_authrequired_every_login_succeeds(proxy: StartProxy) -> None:
    """As always; and with authrequired, none does."""
    program = proxy()
    with program.client() as client:
        assert is_in(log_in(client, "anybody", "anything"))
        assert is_in(answer(client, "Action: Login"))
    program = proxy(closed())
    with program.client() as client:
        assert log_in(client, "anybody", "anything") == DENIED
        assert answer(client, "Action: Login") == DENIED


@pytest.mark.parametrize("line", ["   ", "\t", "  ; comment", "   # joe=secret", "\r"])
def test_a_blank_line_or_comment_lets_nobody_in(proxy: StartProxy, line: str) -> None:
    """In C it made a user with an empty name and an empty secret: everyone got in."""
    program = proxy(closed(), f"{line}\nrealuser=secret\n{line}\n")
    with program.client() as client:
        assert answer(client, "Action: Login") == DENIED
        assert log_in(client, "", "") == DENIED
        assert answer(client, "Action: Login", "Username:", "Secret:") == DENIED
        assert answer(client, "Action: Login", "Username: realuser") == DENIED
        assert log_in(client, "realuser", "") == DENIED


def test_names_and_secrets_of_any_length_and_bytes(proxy: StartProxy) -> None:
    """They are compared whole; what is not there is refused, and nothing falls over."""
    long = "n" * 500
    program = proxy(closed(), f"{long}={'s' * 400}\njos\xe9=s\xe9cret")
    with program.client() as client:
        assert is_in(log_in(client, long, "s" * 400))
        assert is_in(log_in(client, "jos\xe9", "s\xe9cret"))
        assert log_in(client, long, "s" * 399) == DENIED
        assert log_in(client, long[:-1], "s" * 400) == DENIED
        assert log_in(client, "\xff\x01\x7f", "\x00") != []


def test_allowmultiplelogin(proxy: StartProxy) -> None:
    """One client at a time, and another after it has left; other users are not affected."""
    program = proxy(closed(), "[one]\nsecret=secret\nallowmultiplelogin=no\n[two]\nsecret=secret\n")
    with program.client() as client:
        with logged_in(program, "one") as first:
            assert log_in(client, "one") == DENIED
            assert is_in(log_in(first, "one"))  # himself
            assert is_in(log_in(client, "two"))
        wait_until(lambda: is_in(log_in(client, "one")), what="a login after the first one left")
    program.wait_log(": 'one' is logged in already")


def test_allowmultiplelogin_of_many_at_once(proxy: StartProxy) -> None:
    """However many try at the same moment, one gets in."""
    program = proxy(closed(), "[one]\nsecret=secret\nallowmultiplelogin=no\n")
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(program.client(source=f"127.0.1.{number}"))
            for number in range(1, 41)
        ]
        for client in clients:
            client.send("Action: Login", "Username: one", "Secret: secret")
        got = [client.read_line() for client in clients]
    assert sorted(got) == ["Response: Error"] * 39 + ["Response: Success"]


def test_displayconnects(proxy: StartProxy) -> None:
    """The log names users that log in, unless displayconnects is off."""
    program = proxy(
        closed(), "[shown]\nsecret=secret\n[hidden]\nsecret=secret\ndisplayconnects=no\n"
    )
    for name in ("hidden", "shown"):
        logged_in(program, name).close()
    program.wait_log("logged in as 'shown'")
    assert "logged in as 'hidden'" not in program.log()


@pytest.mark.parametrize("required", ["yes", "no"])
def test_writetimeout(proxy: StartProxy, required: Any) -> None:
    """A user's own writetimeout replaces clientwritetimeout until the next login."""
    users = "quick=secret\n[patient]\nsecret=secret\nread=all\nwritetimeout=30000\n"
    filling = b"Event: Filling\r\nPrivilege: user,all\r\nText: %s\r\n\r\n" % (b"x" * 4000)
    with (
        SimulatedAsterisk(behaviour=Behaviour(write_timeout=30)) as asterisk,
        contextlib.ExitStack() as stack,
    ):
        more = "clientwritetimeout = 100\nclientbacklog = 268435456\n"
        more += f"authrequired = {required}\n"
        program = proxy(closed(asterisk, more=more), users)
        wait_connected(program)
        quick = stack.enter_context(logged_in(program, "patient"))
        assert is_in(log_in(quick, "quick"))
        patient = stack.enter_context(logged_in(program, "quick"))
        assert is_in(log_in(patient, "patient"))
        asterisk.send(filling, times=2500)
        assert asterisk.flush()
        port = quick.sock.getsockname()[1]
        wait_until(lambda: re.search(rf"127\.0\.0\.1:{port}.*: dropped", program.log()))
        asterisk.send(EVENT)
        with stack.enter_context(Collector(patient)) as reader:
            reader.wait_for(b"UserEvent: X\r\n")
            assert reader.data.count(b"Event: Filling") == 2500


def test_authtimeout(proxy: StartProxy) -> None:
    """A client that does not log in is closed in time, even if it sends; others stay."""
    program = proxy(closed(more="authtimeout = 1\n"), "joe=secret")
    with logged_in(program, "joe") as joe, program.client() as silent, program.client() as chatty:
        began = time.monotonic()
        with contextlib.suppress(OSError, EOFError):
            while time.monotonic() < began + 5:
                answer(chatty, "Action: Ping")
        assert 0.5 < time.monotonic() - began < 4
        silent.read_to_end(3)
        assert time.monotonic() - began < 4
        assert answer(joe, "ProxyAction: ListIOHandlers")[0] == "ProxyResponse: Success"
    program.wait_log("not logged in within 1 s (authtimeout)")
