# SPDX-License-Identifier: GPL-2.0-or-later
"""Users of the running program: log them in, and see what they get."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Callable

import bcrypt

from tests.system.peers import PATIENT, Collector, host_line, is_response, value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.server import SimulatedAsterisk
    from tests.support import ManagerClient, ProxyProcess
    from tests.system.peers import Address

#: Every client has to log in, and gets its own answers only.
CLOSED = PATIENT + "authrequired = yes\nautofilter = unique\n"


def closed(*servers: Address, more: str = "") -> str:
    """Return a configuration where every client has to log in."""
    return CLOSED + "".join(host_line(server) for server in servers) + more


def hashed(secret: str, prefix: str = "2b") -> str:
    """Return a cheap bcrypt hash of *secret* that begins with ``$``, *prefix*."""
    made = bcrypt.hashpw(secret.encode(), bcrypt.gensalt(4))
    return made.decode().replace("$2b", f"${prefix}")


def answer(client: ManagerClient, *lines: str) -> list[str]:
    """Send *lines* and return the answer to them."""
    client.send(*lines)
    return client.read_until(is_response)


def log_in(client: ManagerClient, name: str, secret: str = "secret", *lines: str) -> list[str]:
    """Log in and return the answer."""
    return answer(client, "Action: Login", f"Username: {name}", f"Secret: {secret}", *lines)


def log_in_md5(client: ManagerClient, name: str, secret: str) -> list[str]:
    """Log in by challenge and return the answer."""
    challenge = value(answer(client, "Action: Challenge", "AuthType: MD5"), "Challenge")
    key = hashlib.md5(f"{challenge}{secret}".encode()).hexdigest()
    return answer(client, "Action: Login", "AuthType: MD5", f"Username: {name}", f"Key: {key}")


def is_in(reply: Sequence[str]) -> bool:
    """Return whether *reply* answers a login that succeeded."""
    return reply[0] == "Response: Success" and "Message: Authentication accepted" in reply


def logged_in(program: ProxyProcess, name: str, secret: str = "secret") -> ManagerClient:
    """Return a client that has logged in as *name*."""
    client = program.client()
    try:
        reply = log_in(client, name, secret)
        assert is_in(reply), reply
        # The FullyBooted of the login, if it may see it, is read now.
        answer(client, "ProxyAction: ListIOHandlers")
    except BaseException:
        client.close()
        raise
    return client


def events_of(
    client: ManagerClient, asterisk: SimulatedAsterisk, speak: Callable[[], object]
) -> list[bytes]:
    """Call *speak*, which makes *asterisk* send events; return all that reach *client*.

    The answer to a Ping that is sent then comes after all of them.
    """
    with Collector(client) as collector:
        speak()
        assert asterisk.flush()
        client.send("Action: Ping", "ActionID: the-end")
        data = collector.wait_for(b"ActionID: the-end\r\n")
    messages = [part + b"\r\n\r\n" for part in data.split(b"\r\n\r\n") if part]
    return [message for message in messages if not message.startswith(b"Response: ")]


def is_served(client: ManagerClient, asterisk: SimulatedAsterisk) -> bool:
    """Return whether the shared session still works: a Ping is answered over it."""
    client.send("Action: Ping", "ActionID: served")
    pong = client.read_until(lambda message: value(message, "ActionID") == "served")
    return "Ping: Pong" in pong and len(asterisk.sessions) == 1
