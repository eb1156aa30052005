# SPDX-License-Identifier: GPL-2.0-or-later
"""SimulatedAsterisk: listens, logs clients in, answers, sends events.

    with SimulatedAsterisk(users={"joe": "x"}, behaviour=Behaviour(speak="13")) as asterisk:
        connect_to(asterisk.port)
        asterisk.wait_for_session(1, timeout=5)
        asterisk.event("Newchannel", Channel="SIP/100-1", Uniqueid="1.1")

Any thread may call any method.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Callable

from simulator import actions, events
from simulator.behaviour import Behaviour
from simulator.faults import Faults
from simulator.listener import Listener
from simulator.orders import Order
from simulator.pbx import Pbx
from simulator.recordings import replay
from simulator.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from simulator.calls import Call, Exchange
    from simulator.dialects import Dialect
    from simulator.pbx import Answer
    from simulator.protocol import Action

#: Secrets by user name.
USERS: Mapping[str, str] = MappingProxyType({"ampuser": "AmpSecret"})


class SimulatedAsterisk:
    """An AMI server; see the module."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        users: Mapping[str, str] = USERS,
        tls: str | Path | None = None,
        behaviour: Behaviour | None = None,
        faults: Faults | None = None,
    ) -> None:
        """Prepare a server; ``start`` or ``with`` makes it listen.

        *port* 0 takes a free one, and keeps it over restarts.  *users* are secrets by
        name.  *tls* is a PEM file with certificate and key; None: plain text.
        """
        self.host = host
        self.port = port
        self.tls = _tls_context(tls) if tls else None
        self.faults = faults or Faults()
        self.pbx = Pbx(dict(users), behaviour or Behaviour(), self.faults, self.publish)
        #: Every message of every client, in order, as it was received.
        self.received: list[bytes] = []
        #: Connections accepted so far.
        self.accepted = 0
        # Guards _sessions, _actions, received and accepted; notified at each change.
        # Readers take the tuple and the lists without it.
        self._changed = threading.Condition()
        self._sessions: tuple[Session, ...] = ()
        self._actions: list[Action] = []
        self._listener: Listener | None = None

    @property
    def dialect(self) -> Dialect:
        """The generation it speaks like."""
        return self.pbx.dialect

    @property
    def exchange(self) -> Exchange:
        """Its calls."""
        return self.pbx.exchange

    # Life -------------------------------------------------------------------

    def __enter__(self) -> SimulatedAsterisk:  # noqa: PYI034 - Self is not in 3.9
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; after ``stop``, on the same port again."""
        self._listener = Listener(self.host, self.port, self._admit)
        self.port = self._listener.port
        self.pbx.start()

    def stop(self, *, reset: bool = False) -> None:
        """Close the port and every session; calls end without an event."""
        self.stop_listening()
        self.pbx.stop()
        self.drop_sessions(reset=reset)

    def stop_listening(self) -> None:
        """Refuse new connections; sessions continue."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def restart(self, *, reset: bool = False, pause: float = 0.0) -> None:
        """Stop, wait for *pause* seconds, and listen on the same port again."""
        self.stop(reset=reset)
        time.sleep(pause)
        self.start()

    def shutdown(self, *, restart: bool = False, cleanly: bool = True) -> None:
        """End as ``core stop now`` does: send Event Shutdown to all sessions, then stop."""
        self.pbx.event(
            "Shutdown",
            Shutdown="Cleanly" if cleanly else "Uncleanly",
            Restart="True" if restart else "False",
        )
        self.flush()
        self.stop()

    # For tests to look at --------------------------------------------------------

    @property
    def sessions(self) -> list[Session]:
        """The sessions that are logged in, oldest first."""
        return [session for session in self._sessions if session.authenticated]

    @property
    def connections(self) -> list[Session]:
        """All connections, logged in or not."""
        return list(self._sessions)

    def wait_for_session(self, count: int = 1, timeout: float = 5.0) -> list[Session]:
        """Wait until at least *count* sessions are logged in; return them.

        Raises:
            TimeoutError: there are fewer after *timeout* seconds.

        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.sessions) >= count, timeout):
                raise TimeoutError(f"{len(self.sessions)} of {count} sessions in {timeout} s")
            return self.sessions

    def wait_for_action(self, name: str, count: int = 1, timeout: float = 5.0) -> list[bytes]:
        """Wait until *count* actions *name* have come; return all of them, as received.

        Raises:
            TimeoutError: there are fewer after *timeout* seconds.

        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.actions(name)) >= count, timeout):
                raise TimeoutError(f"{len(self.actions(name))} of {count} {name} in {timeout} s")
            return self.actions(name)

    def wait_until(self, condition: Callable[[], bool], timeout: float = 5.0) -> None:
        """Wait until *condition* holds; it is checked whenever something happens here.

        Raises:
            TimeoutError: it does not hold after *timeout* seconds.

        """
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise TimeoutError(f"condition not met in {timeout} s")

    def actions(self, name: str) -> list[bytes]:
        """Return the actions *name* so far, as received."""
        wanted = name.lower()
        return [action.raw for action in tuple(self._actions) if action.name.lower() == wanted]

    # Sending -------------------------------------------------------------------------

    def event(self, name: str, privilege: str = "", **headers: Any) -> bytes:
        """Send event *name* with *headers*; see ``Pbx.event``."""
        return self.pbx.event(name, privilege, **headers)

    def publish(self, *messages: bytes) -> None:
        """Send whole events to all whose mask and filters let them pass."""
        items = [(events.category(message), message) for message in messages]
        for session in self.sessions:
            session.queue(*items)

    def send(self, data: bytes, *, rate: float = 0.0, times: int = 1) -> None:
        """Send any *data* to all who are logged in, *times* times.

        With *rate*, so many times a second.  Return when all is queued; ``flush``
        waits until it is sent.
        """
        start = time.monotonic()
        for done in range(times):
            for session in self.sessions:
                session.queue((events.ALWAYS, data))
            if rate:
                time.sleep(max(0.0, start + (done + 1) / rate - time.monotonic()))

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until the kernel has all that was queued; return False on timeout."""
        deadline = time.monotonic() + timeout
        while not all(session.idle for session in self.sessions):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return True

    def half_a_message(self, data: bytes = b"Event: Newchannel\r\nChannel: SIP/1") -> None:
        """Send *data*, part of a message, to all who are logged in, and close."""
        self.send(data)
        self.flush()
        self.drop_sessions()

    def call(self, channel: str, outcome: str = "answered", **order: Any) -> Call:
        """Begin a call without an Originate; see ``orders.Order`` for *order*."""
        order.setdefault("talk", self.pbx.behaviour.talk)
        order.setdefault("announce", False)
        return self.exchange.call(Order(channel, **order), outcome)

    def replay(
        self,
        path: str | Path,
        *,
        rate: float = 0.0,
        speed: float = 0.0,
        wanted: Callable[[], bool] = lambda: True,
    ) -> int:
        """Send the events of a recording to all who are logged in; return their number.

        At *rate* messages a second, or *speed* times as fast as recorded, or at
        full speed.  Stop early when *wanted* returns False.
        """
        return replay(self.send, path, rate=rate, speed=speed, wanted=wanted)

    def drop_sessions(self, *, reset: bool = False, timeout: float = 5.0) -> None:
        """End every connection, with *reset* by a RST, and wait until they are closed."""
        doomed = self.connections
        for session in doomed:
            session.drop(reset=reset)
        for session in doomed:
            session.join(timeout)

    def answer(self, action: str, answer: Answer | None) -> None:
        """Answer *action* with *answer* from now on; None: with the built-in answer."""
        if answer is None:
            self.pbx.answers.pop(action.lower(), None)
        else:
            self.pbx.answers[action.lower()] = answer

    # For sessions ----------------------------------------------------------------

    def respond(self, session: Session, action: Action) -> bytes:
        """Keep *action* for tests to look at; return the answer, empty if there is none."""
        with self._changed:
            self.received.append(action.raw)
            self._actions.append(action)
            self._changed.notify_all()
        return actions.respond(session, action)

    def logged_in(self, session: Session) -> None:
        """Mark *session* as logged in, and wake those who wait for it."""
        with self._changed:
            session.authenticated = True
            self._changed.notify_all()

    def forget(self, session: Session) -> None:
        """Remove *session*, whose thread ends."""
        with self._changed:
            self._sessions = tuple(one for one in self._sessions if one is not session)
            self._changed.notify_all()

    # For the listener's thread -----------------------------------------------------

    def _admit(self, sock: socket.socket, address: tuple[Any, ...]) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = Session(self, sock, address[:2])
        with self._changed:
            self.accepted += 1
            self._sessions = (*self._sessions, session)
            self._changed.notify_all()
        session.start()


def _tls_context(certfile: str | Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certfile)
    return context
