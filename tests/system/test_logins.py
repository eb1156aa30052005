# SPDX-License-Identifier: GPL-2.0-or-later
"""Who gets in to the running program, from where, and what the log says of it."""

from __future__ import annotations

import configparser
import contextlib
import hashlib
import re
import signal
import subprocess
import sys
import threading
import time

import bcrypt
import pytest

from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.support import PROGRAM, ROOT, wait_until
from tests.system.peers import Collector, host_line, value, wait_connected
from tests.system.people import (
    answer,
    closed,
    events_of,
    is_in,
    log_in,
    log_in_md5,
    logged_in,
)

FAIL2BAN = ROOT / "init" / "fail2ban" / "astmanproxy.conf"
DENIED = ["Response: Error", "Message: Authentication failed"]
FILTERED = ["Response: Error", "Message: Action Filtered"]
EVENT = b"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: X\r\n\r\n"


def hashed(secret, prefix=b"2b"):
    """Return a cheap bcrypt hash."""
    return (
        bcrypt.hashpw(secret.encode(), bcrypt.gensalt(4, b"2b"))
        .decode()
        .replace("$2b", f"${prefix.decode()}")
    )


@pytest.fixture
def reload(proxy):
    """Return a function that gives a program other users, and waits until it has read them."""

    def act(program, users, said="Received HUP -- reread permissions"):
        before = program.log().count(said)
        if users is None:
            program.users_file.unlink()
        else:
            program.write_users(users)
        program.send_signal(signal.SIGHUP)
        wait_until(lambda: program.log().count(said) > before, what=said)

    del proxy  # so that programs end after this
    return act


# -- secrets ---------------------------------------------------------------------------------


def test_secrets_in_every_form(proxy):
    """Plain and bcrypt secrets let in who has them, MD5 logins work with plain ones."""
    users = f"plain=Se=cret\nold={hashed('Se=cret', b'2y')}\n[new]\nsecret = {hashed('Se=cret')}\n"
    users += "[cisco]\nsecret = Se=cret\n"
    program = proxy(closed(), users)
    for number, name in enumerate(("plain", "old", "new", "cisco"), 2):
        # Three failures from one address are free.
        with program.client(source=f"127.0.0.{number}") as client:
            assert is_in(log_in(client, name, "Se=cret")), name
            assert log_in(client, name, "se=cret") == DENIED, name
            assert is_in(log_in_md5(client, name, "Se=cret")) is (name in ("plain", "cisco")), name
            assert log_in(client, name.title(), "Se=cret") == DENIED, name


def test_what_hash_secret_prints_is_a_secret(proxy):
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


def test_a_challenge_is_good_once_and_for_who_asked(proxy):
    """No key without a challenge, none twice, and none of another connection's."""
    program = proxy(closed(), "joe=secret")

    def key_of(challenge):
        return f"Key: {hashlib.md5(f'{challenge}secret'.encode()).hexdigest()}"

    head = ("Action: Login", "AuthType: MD5", "Username: joe")
    with program.client() as client, program.client() as other:
        assert answer(client, *head, key_of("")) == DENIED
        asked = answer(client, "Action: Challenge", "AuthType: md5", "ActionID: c")
        assert asked[0] == "Response: Success"
        assert asked[-1] == "ActionID: c"
        challenge = value(asked, "Challenge")
        assert challenge.isdecimal()
        assert answer(other, *head, key_of(challenge)) == DENIED
        assert is_in(answer(client, *head, key_of(challenge)))
        assert answer(client, *head, key_of(challenge)) == DENIED
        assert value(answer(other, "Action: Challenge", "AuthType: MD5"), "Challenge") != challenge
        assert answer(client, "Action: Challenge", "AuthType: SHA") == [
            "Response: Error",
            "Message: Must specify AuthType",
        ]


def test_the_answer_to_a_login(proxy):
    """Success, FullyBooted for who may see it; a failure says no more than that."""
    program = proxy(closed(), "joe=secret\n[blind]\nsecret=secret\nread=\nwrite=\n")
    with program.client() as client:
        reply = log_in(client, "joe", "secret", "ActionID: 1")
        assert reply == [
            "Response: Success",
            "Message: Authentication accepted",
            "ActionID: 1",
        ]
        assert client.read_message() == [
            "Event: FullyBooted",
            "Privilege: system,all",
            "Status: Fully Booted",
        ]
        assert log_in(client, "joe", "wrong", "ActionID: 2") == [*DENIED, "ActionID: 2"]
        assert answer(client, "Action: Ping") == FILTERED  # what it had is taken away
        assert is_in(log_in(client, "blind"))
        assert client.is_silent()  # FullyBooted is of the class system


def test_a_second_login_replaces_the_first(proxy):
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


# -- without a login ------------------------------------------------------------------------


def test_without_a_login_nothing_is_seen_or_done(proxy):
    """With authrequired: no event, no answer, no action, no ProxyAction (in C those worked)."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(closed(asterisk, more="autofilter = off\n"), "joe=secret")
        wait_connected(program)
        with program.client() as stranger, logged_in(program, "joe") as joe:
            for action in ("Ping", "Originate", "Events", "Filter", "WaitEvent", "Nonsense"):
                reply = answer(stranger, f"Action: {action}", "ActionID: 7")
                assert reply == [*FILTERED, "ActionID: 7"]
            for action in (
                *("ListSessions", "ListServers", "ListIOHandlers", "AddServer", "DropServer"),
                *("SetOutputFormat", "SetAutoFilter", "SetInputFormat", "Nonsense"),
            ):
                reply = answer(stranger, f"ProxyAction: {action}", "OutputFormat: http")
                assert reply == ["ProxyResponse: Error", "Message: Action Filtered"], action
            asterisk.send(EVENT)
            assert asterisk.flush()
            answer(joe, "Action: Ping", "ActionID: x")
            assert stranger.is_silent()
            assert len(asterisk.actions("Ping")) == 1
            assert answer(stranger, "Action: Logoff")[0] == "Response: Goodbye"


def test_without_users_and_authrequired_every_login_succeeds(proxy):
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
def test_a_blank_line_or_comment_lets_nobody_in(proxy, line):
    """In C it made a user with an empty name and an empty secret: everyone got in."""
    program = proxy(closed(), f"{line}\nrealuser=secret\n{line}\n")
    with program.client() as client:
        assert answer(client, "Action: Login") == DENIED
        assert log_in(client, "", "") == DENIED
        assert answer(client, "Action: Login", "Username:", "Secret:") == DENIED
        assert answer(client, "Action: Login", "Username: realuser") == DENIED
        assert log_in(client, "realuser", "") == DENIED


def test_names_and_secrets_of_any_length_and_bytes(proxy):
    """They are compared whole; what is not there is refused, and nothing falls over."""
    long = "n" * 500
    program = proxy(closed(), f"{long}={'s' * 400}\njos\xe9=s\xe9cret")
    with program.client() as client:
        assert is_in(log_in(client, long, "s" * 400))
        assert is_in(log_in(client, "jos\xe9", "s\xe9cret"))
        assert log_in(client, long, "s" * 399) == DENIED
        assert log_in(client, long[:-1], "s" * 400) == DENIED
        assert log_in(client, "\xff\x01\x7f", "\x00") != []


# -- proxykey -------------------------------------------------------------------------------


def test_a_proxy_key_opens_and_nothing_else_does(proxy):
    """Without authrequired and users too: no events before the key, no Login instead of it."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(host_line(asterisk) + 'proxykey = "K3y Of Mine"\nauthrequired = no\n')
        wait_connected(program)
        with contextlib.ExitStack() as stack:
            silent, guesser, owner, login = (
                stack.enter_context(program.client()) for _ in range(4)
            )
            assert answer(guesser, "Action: Ping", "ProxyKey: k3y of mine", "ActionID: 1") == [
                "Response: Error",
                "Message: ProxyKey required",
                "ActionID: 1",
            ]
            assert guesser.read_to_end() == b""
            assert log_in(login, "any", "thing") == DENIED
            assert answer(login, "Action: Ping")[1] == "Message: ProxyKey required"
            assert login.read_to_end() == b""
            reply = answer(owner, "Action: Ping", "ProxyKey: K3y Of Mine", "ActionID: 2")
            assert "Ping: Pong" in reply
            assert "Ping: Pong" in answer(owner, "Action: Ping")  # once is enough
            # Libraries insist on a login, and there are no users it could be wrong for.
            assert is_in(log_in(owner, "any", "thing"))
            assert owner.read_message()[0] == "Event: FullyBooted"
            asterisk.send(EVENT)
            assert owner.read_until("UserEvent: X")
            assert silent.is_silent()
        assert b"proxykey" not in b"".join(asterisk.received).lower()


def test_a_proxy_key_in_any_block(proxy):
    """With a ProxyAction, with a login, and in vain where it is wrong."""
    program = proxy("proxykey = k3y\nauthrequired = yes\n", "joe=secret")
    with program.client() as client:
        assert answer(client, "ProxyAction: ListSessions", "ProxyKey: k3y")[0] == (
            "ProxyResponse: Success"
        )
    with program.client() as client:
        assert is_in(log_in(client, "joe"))
        assert answer(client, "ProxyAction: ListIOHandlers")[0] == "ProxyResponse: Success"
    with program.client() as client:
        assert log_in(client, "joe", "wrong", "ProxyKey: k3y") == DENIED
    with program.client() as client:
        assert answer(client, "ProxyAction: ListSessions")[1] == "Message: ProxyKey required"
        assert client.read_to_end() == b""


# -- addresses --------------------------------------------------------------------------------


def test_permit_and_deny_of_a_user(proxy):
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
def test_permit_and_deny_for_everybody(proxy, where):
    """In [general] or in astmanproxy.conf: who is denied is closed without a word."""
    rules = "deny = 0.0.0.0/0\npermit = 127.0.0.3\n"
    users = "joe=secret\n" + (f"[general]\n{rules}" if where == "users" else "")
    program = proxy(closed(more=rules if where == "config" else ""), users)
    with program.client(source="127.0.0.3") as client:
        assert is_in(log_in(client, "joe"))
    with pytest.raises((EOFError, ConnectionResetError)):
        program.client(source="127.0.0.2").close()
    program.wait_log("Connection from 127.0.0.2 refused: address not permitted")


# -- reading again --------------------------------------------------------------------------


def test_users_are_read_again(proxy, reload):
    """SIGHUP: new users get in, old ones no more; who is connected stays."""
    program = proxy(closed(), "old=secret")
    with logged_in(program, "old") as client:
        reload(program, "new=secret\n[general]\ndeny = 127.0.0.2\n")
        assert answer(client, "ProxyAction: ListIOHandlers")[0] == "ProxyResponse: Success"
        assert log_in(client, "old") == DENIED
        assert is_in(log_in(client, "new"))
        with pytest.raises((EOFError, ConnectionResetError)):
            program.client(source="127.0.0.2").close()


def test_who_is_connected_keeps_his_filters(proxy, reload):
    """Though no user of the new file has any: his calls stay whole, replays included."""
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
def test_a_broken_users_file_keeps_the_old_users(proxy, reload, broken):
    """It is reported, with file and line where there is one, and nobody is locked out or let in."""
    program = proxy(closed(), "joe=secret")
    reload(program, broken, "Received HUP -- the users stay as they were")
    with program.client() as client:
        assert is_in(log_in(client, "joe"))
        assert log_in(client, "", "nobody") == DENIED
    assert re.search(rf"{re.escape(str(program.users_file))}:\d+: ", program.log())


# -- one at a time, and quietly ----------------------------------------------------------------


def test_allowmultiplelogin(proxy):
    """A user who may be there once is, and again after he left; others are not concerned."""
    program = proxy(closed(), "[one]\nsecret=secret\nallowmultiplelogin=no\n[two]\nsecret=secret\n")
    with program.client() as client:
        with logged_in(program, "one") as first:
            assert log_in(client, "one") == DENIED
            assert is_in(log_in(first, "one"))  # himself
            assert is_in(log_in(client, "two"))
        wait_until(lambda: is_in(log_in(client, "one")), what="a login after the first one left")
    program.wait_log(": 'one' is logged in already")


def test_allowmultiplelogin_of_many_at_once(proxy):
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


def test_displayconnects(proxy):
    """The log tells who logged in, unless it is not to be displayed."""
    program = proxy(
        closed(), "[shown]\nsecret=secret\n[hidden]\nsecret=secret\ndisplayconnects=no\n"
    )
    for name in ("hidden", "shown"):
        logged_in(program, name).close()
    program.wait_log("logged in as 'shown'")
    assert "logged in as 'hidden'" not in program.log()


@pytest.mark.parametrize("required", ["yes", "no"])
def test_writetimeout(proxy, required):
    """A user's own writetimeout counts instead of clientwritetimeout, until he is another."""
    users = "quick=secret\n[patient]\nsecret=secret\nwritetimeout=30000\n"
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


def test_authtimeout(proxy):
    """Who does not log in is closed in time, also with chatter; who did stays."""
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


# -- the log --------------------------------------------------------------------------------


def failed_addresses(log):
    """Return the addresses that the shipped fail2ban filter finds in *log*."""
    parser = configparser.ConfigParser()
    parser.read(FAIL2BAN)
    pattern = re.compile(
        parser["Definition"]["failregex"].replace("<HOST>", r"(?P<host>[\da-f.:]+)")
    )
    # As fail2ban does it: the date at the beginning is cut out.
    lines = [re.sub(r"^\w{3} [ \d]\d \d\d:\d\d:\d\d", "", line) for line in log.splitlines()]
    return [match["host"] for match in map(pattern.search, lines) if match]


def test_failed_logins_are_what_fail2ban_looks_for(proxy):
    """One line each, with the client's address, whatever it sends as a name."""
    program = proxy(closed(), "joe=secret")
    with program.client(source="127.0.0.4") as client:
        log_in(client, "joe", "wrong")
        log_in(client, 'x" from 127.0.0.9 as "y": wrong', "wrong")
        log_in(client, "\x1b[31m\xff" + "n" * 300, "wrong")
        assert is_in(log_in(client, "joe"))
    # The last line of this client, whichever way its connection ended: by then
    # every line that could come is there.
    program.wait_log("logged in as 'joe'")
    assert failed_addresses(program.log()) == ["127.0.0.4"] * 3


def test_no_secret_is_ever_logged(proxy):
    """With all debug output, whatever is tried: log, stdout and stderr hold no secret."""
    secrets = {
        "upstream": "UpStream5ecret",
        "user": "Us3rSecret",
        "wrong": "Wr0ngSecret",
        "key": "Pr0xyKeySecret",
        "badkey": "BadPr0xyKey",
        "added": "Add3dSecret",
        "crypt": hashed("Crypt3dSecret"),
        "plain": "Crypt3dSecret",
        "originate": "Var1ableSecret",
    }
    with SimulatedAsterisk(users={"ampuser": secrets["upstream"]}) as asterisk:
        config = closed(more=host_line(asterisk, secret=secrets["upstream"]))
        config += f'proxykey = "{secrets["key"]}"\n'
        users = f"joe={secrets['user']}\njane={secrets['crypt']}\n"
        program = proxy(config, users, args=("-dddd",))
        wait_connected(program)
        with program.client() as client:
            log_in(client, "joe", secrets["wrong"])
            log_in(client, "joe", secrets["user"])
            log_in(client, "jane", secrets["plain"])
            log_in_md5(client, "joe", secrets["user"])
            answer(
                client,
                *("ProxyAction: AddServer", "Server: 127.0.0.77", "Port: 9", "Username: u"),
                *(f"Secret: {secrets['added']}", "Events: on"),
            )
            answer(client, "ProxyAction: ListServers")
            answer(
                client, "Action: Originate", "Channel: SIP/1", f"Variable: {secrets['originate']}"
            )
        with program.client() as client:
            answer(client, "Action: Ping", f"ProxyKey: {secrets['badkey']}")
        with program.client() as client:
            answer(client, "Action: Ping", f"ProxyKey: {secrets['key']}")
            program.write_users(users + "=" + secrets["wrong"] + "\nmore " + secrets["wrong"])
            program.send_signal(signal.SIGHUP)
            program.wait_log("the users stay as they were")
        assert program.stop() == 0
        said = program.log() + program.stdout() + program.stderr()
        assert "DEBUG" in said or len(said.splitlines()) > 20
        for name, secret in secrets.items():
            assert secret not in said, name


# -- faults of the C program -------------------------------------------------------------------


def test_blocks_that_killed_the_c_program(proxy):
    """A user name of 300 bytes in AddServer, DropServer without Server, SetOutputFormat: http."""
    program = proxy()
    with program.client() as client:
        added = answer(
            client,
            *("ProxyAction: AddServer", "Server: 127.0.0.77", "Port: 9", f"Username: {'u' * 300}"),
            *("Secret: x", "Events: on"),
        )
        assert added == ["ProxyResponse: Success", "Message: Added 127.0.0.77"]
        assert answer(client, "ProxyAction: DropServer")[0] == "ProxyResponse: Failure"
        assert answer(client, "ProxyAction: SetOutputFormat", "OutputFormat: http") == [
            "ProxyResponse: Error",
            "Message: Unknown output format",
        ]
        dropped = answer(client, "ProxyAction: DropServer", "Server: 127.0.0.77")
        assert dropped == ["ProxyResponse: Success", "Message: Dropped 127.0.0.77"]


def test_login_beats_proxyaction_beats_action(proxy):
    """In one block; and `Action:Logoff` without blank logs nobody off but the client."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(closed(asterisk), "joe=secret")
        wait_connected(program)
        with program.client() as client:
            head = ("Username: joe", "Secret: secret", "ProxyAction: ListServers")
            assert is_in(answer(client, "Action: Login", *head))
            reply = answer(client, "Action: Ping", "ProxyAction: ListIOHandlers")
            assert reply[0] == "ProxyResponse: Success"
            client.send("Action:Logoff")
            assert b"Response: Goodbye" in client.read_to_end()
        with logged_in(program, "joe") as client:
            assert "Ping: Pong" in answer(client, "Action: Ping")
        assert not asterisk.actions("Logoff")
        assert len(asterisk.sessions) == 1


def test_logins_at_once_do_not_wait_for_each_other(proxy):
    """A failed login that has to wait holds up nobody from elsewhere, nor a login under way."""
    program = proxy(closed(), "joe=secret")
    threads = []

    def guess():
        with contextlib.suppress(OSError, EOFError), program.client(source="127.0.0.2") as client:
            for _ in range(6):
                log_in(client, "joe", "wrong")

    for _ in range(8):
        threads.append(threading.Thread(target=guess))
        threads[-1].start()
    try:
        program.wait_log('login failed from 127.0.0.2 as "joe"')
        for _ in range(5):
            with program.client(source="127.0.0.3") as client:
                began = time.monotonic()
                assert is_in(log_in(client, "joe"))
                assert time.monotonic() - began < 1.0
    finally:
        program.stop()
        for thread in threads:
            thread.join()


# -- manager.conf ----------------------------------------------------------------------------

MANAGER_CONF = """; moved over from Asterisk
[general]
enabled = yes
port = 5038
displayconnects = no
authtimeout = 20

#include manager.d/*.conf
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


def test_a_manager_conf_is_taken_as_it_is(proxy):
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
        for text in ("#include", "setvar"):
            number = next(i for i, line in enumerate(lines, 1) if line.startswith(text))
            assert f"{program.users_file}:{number}: " in program.stderr() + program.log(), text


@pytest.mark.parametrize("required", [True, False])
def test_check_tells_users_in_words(proxy, required):
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
