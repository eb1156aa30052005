# SPDX-License-Identifier: GPL-2.0-or-later
"""SimulatedAsterisk: listens, logs clients in, answers, sends events.

    with SimulatedAsterisk(user="joe", secret="x", speak="13") as asterisk:
        connect_to(asterisk.port)
        asterisk.wait_for_session(1, timeout=5)
        asterisk.event("Newchannel", Channel="SIP/100-1", Uniqueid="1.1")

Every method may be called from any thread.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, Callable, Union

from simulator import actions, events
from simulator.calls import Exchange, Order
from simulator.dialects import DIALECTS
from simulator.faults import Faults
from simulator.recordings import replay
from simulator.replies import error
from simulator.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.calls import Call
    from simulator.protocol import Request

#: What takes the place of a built-in answer: bytes, in which ``{ActionID}`` is
#: replaced, or a function of the request that returns bytes, or None for silence.
Answer = Union[bytes, Callable[["Request"], Union[bytes, None]]]

PERMISSION_DENIED = "Permission denied"


class SimulatedAsterisk:
    """An AMI server; see the module."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        user: str = "ampuser",
        secret: str = "AmpSecret",
        speak: str = "22",
        tls: str | Path | None = None,
        *,
        users: dict[str, str] | None = None,
        boot: bool = True,
        boot_delay: float = 0.0,
        faults: Faults | None = None,
        pieces: int = 0,
        write_timeout: float = 10.0,
        security_events: bool = False,
        queue_members: int = 8,
        peers: int = 20,
        command_lines: int = 2000,
        time_scale: float = 1.0,
        outcome: str = "",
        talk: float | None = None,
        challenge: str = "",
    ) -> None:
        """Prepare a server; ``start`` or ``with`` makes it listen.

        *port* 0 takes a free one, and keeps it over restarts.  *speak* is a key of
        ``dialects.DIALECTS``.  *tls* is a PEM file with certificate and key.
        *users* are more users and their secrets.  *boot* False: never send
        FullyBooted, as before Asterisk 1.8; *boot_delay* seconds after the log-in
        it comes as a normal event.  *pieces*: cut all output into random pieces of
        at most so many bytes.  *write_timeout* (Asterisk: 0.1) seconds without
        progress and a client is dropped.  *security_events*: SuccessfulAuth and the
        like, as Asterisk has them.  *queue_members*, *peers*, *command_lines*: how
        long QueueStatus, IAXpeers/SIPpeers and ``Command: large output`` are.
        *time_scale*: calls take so many times as long as the recorded ones.
        *outcome*: how every Originate ends, one of ``calls.OUTCOMES`` or ``failed``;
        else its Channel tells: ``busy`` or ``never`` in it, ``NoTech/``; an Exten or
        Context with ``queue`` waits in a queue.  *talk* seconds an answered call lasts
        (None: as recorded; ``calls.FOREVER``: until somebody hangs up).  *challenge*
        is what ``Action: Challenge`` gives (else: something new for each session).
        """
        self.host = host
        self.port = port
        self.users = {user: secret, **(users or {})}
        self.dialect = DIALECTS[speak]
        self.tls = _tls_context(tls) if tls else None
        self.boot = boot
        self.boot_delay = boot_delay
        self.faults = faults or Faults()
        self.pieces = pieces
        self.write_timeout = write_timeout
        self.security_events = security_events
        self.queue_members = queue_members
        self.peers = peers
        self.command_lines = command_lines
        self.outcome = outcome
        self.talk = talk
        self.challenge = challenge
        self.started = time.time()
        self.variables: dict[str, str] = {}
        #: Every message of every client, in order, as it came.
        self.received: list[bytes] = []
        #: Connections accepted so far.
        self.accepted = 0
        self.exchange = Exchange(self, time_scale)
        self._answers: dict[str, Answer] = {}
        # Guards _sessions, _requests and accepted; notified at each change.
        self._changed = threading.Condition()
        self._sessions: tuple[Session, ...] = ()
        self._requests: list[Request] = []
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._stop_out: socket.socket | None = None

    # Life -------------------------------------------------------------------

    def __enter__(self) -> SimulatedAsterisk:  # noqa: PYI034 - Self is not in 3.9
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; on the port of last time, if there was one."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.host, self.port))
            listener.listen(128)
        except OSError:
            listener.close()
            raise
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        self.started = time.time()
        self.exchange.start()
        stop_in, self._stop_out = socket.socketpair()
        self._listener = listener
        self._thread = threading.Thread(
            target=self._accept, args=(listener, stop_in), name="simulator-listener", daemon=True
        )
        self._thread.start()

    def stop(self, *, reset: bool = False) -> None:
        """Close the port and every session; calls under way end unheard."""
        self.stop_listening()
        self.exchange.stop()
        self.drop_sessions(reset=reset)

    def stop_listening(self) -> None:
        """Refuse new connections; sessions go on."""
        if self._stop_out is None or self._thread is None:
            return
        self._stop_out.close()
        self._thread.join()
        self._stop_out = self._thread = self._listener = None

    def restart(self, *, reset: bool = False, pause: float = 0.0) -> None:
        """Stop, wait *pause* seconds, and listen on the same port again."""
        self.stop(reset=reset)
        time.sleep(pause)
        self.start()

    def shutdown(self, *, restart: bool = False, cleanly: bool = True) -> None:
        """End as ``core stop now`` does: Event Shutdown to everybody, then stop."""
        self.event(
            "Shutdown",
            Shutdown="Cleanly" if cleanly else "Uncleanly",
            Restart="True" if restart else "False",
        )
        self.flush()
        self.stop()

    # What tests look at ----------------------------------------------------------

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
            TimeoutError: they did not come.

        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.sessions) >= count, timeout):
                raise TimeoutError(f"{len(self.sessions)} of {count} sessions in {timeout} s")
            return self.sessions

    def wait_for_action(self, name: str, count: int = 1, timeout: float = 5.0) -> list[bytes]:
        """Wait until *count* actions *name* came; return all of that name, as they came.

        Raises:
            TimeoutError: they did not come.

        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.actions(name)) >= count, timeout):
                raise TimeoutError(f"{len(self.actions(name))} of {count} {name} in {timeout} s")
            return self.actions(name)

    def wait_until(self, condition: Callable[[], bool], timeout: float = 5.0) -> None:
        """Wait until *condition* holds; looked at whenever something happens here.

        Raises:
            TimeoutError: it did not.

        """
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise TimeoutError(f"condition not met in {timeout} s")

    def actions(self, name: str) -> list[bytes]:
        """Return the actions *name* received so far, as they came."""
        wanted = name.lower()
        return [one.raw for one in tuple(self._requests) if one.action.lower() == wanted]

    # What goes out ---------------------------------------------------------------

    def event(self, name: str, privilege: str = "", **headers: Any) -> bytes:
        """Send event *name* to all who want its class; return its bytes.

        Headers keep their order; a list value repeats its header.  *privilege*
        replaces the class this event has by itself.
        """
        message = events.event(name, headers, privilege)
        self.publish(message)
        return message

    def publish(self, *messages: bytes) -> None:
        """Send whole events to all whose mask and filters let them pass."""
        items = [(events.category(message), message) for message in messages]
        for session in self.sessions:
            session.queue(*items)

    def send(self, data: bytes, *, rate: float = 0.0, times: int = 1) -> None:
        """Send *data*, whatever it is, to all who are logged in, *times* over.

        With *rate* it comes so many times a second.  Returns when all is queued;
        ``flush`` waits until it is sent.
        """
        start = time.monotonic()
        for done in range(times):
            for session in self.sessions:
                session.queue((-1, data))
            if rate:
                time.sleep(max(0.0, start + (done + 1) / rate - time.monotonic()))

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until all that was queued is with the kernel; tell whether it is."""
        deadline = time.monotonic() + timeout
        while not all(session.idle for session in self.sessions):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return True

    def half_a_message(self, data: bytes = b"Event: Newchannel\r\nChannel: SIP/1") -> None:
        """Send *data*, part of a message, to everybody, and close."""
        self.send(data)
        self.flush()
        self.drop_sessions()

    def call(self, channel: str, outcome: str = "answered", **order: Any) -> Call:
        """Begin a call that nobody asked for; see ``calls.Order`` for *order*."""
        order.setdefault("talk", self.talk)
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
        full speed.  Stops early when *wanted* says no.
        """
        return replay(self.send, path, rate=rate, speed=speed, wanted=wanted)

    def drop_sessions(self, *, reset: bool = False, timeout: float = 5.0) -> None:
        """End every connection, with a RST when *reset*, and wait until they are gone."""
        doomed = self.connections
        for session in doomed:
            session.drop(reset=reset)
        for session in doomed:
            session.join(timeout)

    # How it answers ----------------------------------------------------------------

    def answer(self, action: str, answer: Answer | None) -> None:
        """Answer *action* with *answer* from now on; None: as built in."""
        if answer is None:
            self._answers.pop(action.lower(), None)
        else:
            self._answers[action.lower()] = answer

    def respond(self, session: Session, request: Request) -> bytes:
        """Return what Asterisk answers to *request*; for the session's thread."""
        name = request.action.lower()
        if request.error:
            return error(request, request.error)
        if not name:
            return actions.missing_action(session, request)
        if not session.authenticated and name not in actions.BEFORE_LOGIN:
            return error(request, PERMISSION_DENIED)
        if session.authenticated and self.faults.mute:
            return b""
        if name in self._answers:
            return self._overridden(self._answers[name], request)
        if session.authenticated and self.faults.shutting_down:
            return error(request, "Asterisk is shutting down")
        return actions.perform(session, request)

    @staticmethod
    def _overridden(answer: Answer, request: Request) -> bytes:
        if isinstance(answer, bytes):
            return actions.fill(answer, request)
        return answer(request) or b""

    # For sessions ----------------------------------------------------------------

    def note(self, request: Request) -> None:
        """Remember *request* for those who ask what came."""
        with self._changed:
            self.received.append(request.raw)
            self._requests.append(request)
            self._changed.notify_all()

    def logged_in(self, session: Session) -> None:
        """Tell those who wait that *session* is logged in."""
        with self._changed:
            session.authenticated = True
            self._changed.notify_all()

    def forget(self, session: Session) -> None:
        """Forget *session*: its thread ends."""
        with self._changed:
            self._sessions = tuple(one for one in self._sessions if one is not session)
            self._changed.notify_all()

    # The listener's thread ---------------------------------------------------------

    def _accept(self, listener: socket.socket, stop_in: socket.socket) -> None:
        with listener, stop_in:
            poll = select.poll()
            poll.register(listener, select.POLLIN)
            poll.register(stop_in, select.POLLIN)
            while True:
                ready = [descriptor for descriptor, _ in poll.poll()]
                if stop_in.fileno() in ready:
                    return
                with contextlib.suppress(OSError):
                    self._admit(*listener.accept())

    def _admit(self, sock: socket.socket, address: tuple[Any, ...]) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = Session(self, sock, f"{address[0]}:{address[1]}")
        with self._changed:
            self.accepted += 1
            self._sessions = (*self._sessions, session)
            self._changed.notify_all()
        session.start()


def _tls_context(certfile: str | Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certfile)
    return context
