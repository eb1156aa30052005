# SPDX-License-Identifier: GPL-2.0-or-later
"""Users of the running program: log them in, from any address, and see what they get."""

from __future__ import annotations

import hashlib
import socket

from tests.support import ManagerClient
from tests.system.peers import PATIENT, Collector, host_line, is_response, value

#: Nobody does anything without a login, and each gets his own answers only.
CLOSED = PATIENT + "authrequired = yes\nautofilter = unique\n"


def closed(*servers, more=""):
    """Return a configuration where everybody has to log in."""
    return CLOSED + "".join(host_line(server) for server in servers) + more


class Caller(ManagerClient):
    """A manager client that comes from an address of its choice."""

    def __init__(self, port, source, *, timeout=10.0):
        self.timeout = timeout
        self._pending = b""
        self.sock = socket.create_connection(("127.0.0.1", port), timeout, (source, 0))


def calling(program, source):
    """Return a client from the address *source* that was greeted."""
    client = Caller(program.port, source)
    try:
        client.read_line()
    except BaseException:
        client.close()
        raise
    return client


def answer(client, *lines):
    """Send *lines* and return the answer to them."""
    client.send(*lines)
    return client.read_until(is_response)


def log_in(client, name, secret="secret", *lines):
    """Log in and return the answer."""
    return answer(client, "Action: Login", f"Username: {name}", f"Secret: {secret}", *lines)


def log_in_md5(client, name, secret):
    """Log in by challenge and return the answer."""
    challenge = value(answer(client, "Action: Challenge", "AuthType: MD5"), "Challenge")
    key = hashlib.md5(f"{challenge}{secret}".encode()).hexdigest()
    return answer(client, "Action: Login", "AuthType: MD5", f"Username: {name}", f"Key: {key}")


def is_in(reply):
    """Tell whether *reply* is that of a login that succeeded."""
    return reply[0] == "Response: Success" and "Message: Authentication accepted" in reply


def logged_in(program, name, secret="secret"):
    """Return a client that has logged in as *name*."""
    client = program.client()
    try:
        reply = log_in(client, name, secret)
        assert is_in(reply), reply
        # FullyBooted, if it may see it, is behind it now.
        answer(client, "ProxyAction: ListIOHandlers")
    except BaseException:
        client.close()
        raise
    return client


def events_of(client, asterisk, speak):
    """Call *speak*, which makes *asterisk* say something; return all that reaches *client*.

    Everything that Asterisk has said is before the answer to a Ping that comes after.
    """
    with Collector(client) as collector:
        speak()
        assert asterisk.flush()
        client.send("Action: Ping", "ActionID: the-end")
        data = collector.wait_for(b"ActionID: the-end\r\n")
    messages = [part + b"\r\n\r\n" for part in data.split(b"\r\n\r\n") if part]
    return [message for message in messages if not message.startswith(b"Response: ")]
