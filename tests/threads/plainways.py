# SPDX-License-Identifier: GPL-2.0-or-later
"""A proxy without sockets whose quick ways for plain actions and answers can be shut.

Two worlds that play the same history, one with its quick ways shut, must leave the same behind:
bytes, ledgers, counts.
"""

from __future__ import annotations

import itertools
import re
import threading
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

from amiproxy.access.user import BOUNDED, User, Users
from amiproxy.formats import load_formats
from amiproxy.limits import Limits
from amiproxy.routing import actionids
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.classes import CALL, SYSTEM
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.threads.actions import plain
from amiproxy.threads.commandloop import CommandLoop, Times
from amiproxy.threads.sessions import numbers, pings, router
from amiproxy.threads.sessions.context import ProxyContext
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.publisher import Publisher
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.threads.sessions.streamsession import StreamSession
from amiproxy.threads.sessions.tallies import Tallied
from amiproxy.wire.framing import Framer
from tests.support import ROOT
from tests.threads.plaininputs import Inputs

if TYPE_CHECKING:
    import pytest

    from amiproxy.threads.net.transport import Transport
    from amiproxy.threads.sessions.admission import Slot

FORMATS = load_formats(ROOT / "handlers")
USERS = (
    None,
    User("all", "s"),
    User("system", "s", write=SYSTEM),
    User("call", "s", write=CALL, read=CALL),
    User("agent", "s", channel="sip/1", write=BOUNDED),
    User("phone", "s", channel="sip/1"),
    User("billed", "s", accountcode="9"),
    User("second", "s", servers=frozenset({"pbx1"})),
)
_QUEUE = attrgetter("_queue")  # of a ledger
_WIRE_ID = re.compile(rb"(?i)amp(\d+)-([\w.]{16})[\w.]{0,2}")
_LIST = re.compile(rb"ProxyClientSession.*", re.DOTALL)


class NothingMoreError(Exception):
    """The client has sent nothing more."""


class Wire:
    """Stands for a transport: keeps what is sent, and gives what is to come."""

    counted = True  # nobody asks for its bytes
    end_reason, backlog, wake, heard, max_backlog = None, 0, None, 0.0, 1 << 20

    def __init__(self) -> None:
        self.peer = "client 192.0.2.9:1"
        self.lock = threading.Lock()
        self.write_timeout = 1.0
        self.sent, self.coming = b"", b""

    def send(self, data: bytes) -> None:
        """Keep *data*."""
        assert self.lock.locked()
        self.sent += data

    def recv(self, _size: int, _timeout: float | None = None) -> bytes:
        """Give what comes, once."""
        data, self.coming = self.coming, b""
        if not data:
            raise NothingMoreError
        return data

    def check(self) -> None:
        """Nothing ends it."""

    def linger(self, deadline: object) -> None:
        """It is not waited for."""

    def take(self) -> bytes:
        """Return what was sent since the last time."""
        sent, self.sent = self.sent, b""
        return sent


class Impatient(Router):
    """A router whose clients wait for nothing."""

    def await_answers(self, session: Any, seconds: float = 0.0) -> None:
        """Do not."""

    def _await_room(self, session: Any, server: Any, most: int) -> bool:
        return False


class Server:
    """A server, and what it was asked and has not answered."""

    def __init__(self, number: int, router: Router, publisher: type[Publisher]) -> None:
        self.link = AsteriskLink(ServerSpec(f"pbx{number}", 5038, "u", "s", "on"), router.ids)
        self.link.ledger.host = self.link.host
        self.publisher = publisher(self.link, router)
        self.wire = Wire()
        self.framer = Framer(1 << 20, b"\r\nServer: %b\r\n\r\n" % self.link.host.encode())
        self.asked: list[bytes] = []  # ActionIDs
        self.link.open(cast("Transport", self.wire))

    def read(self) -> bytes:
        """Return what has come up."""
        data = self.wire.take()
        self.asked += re.findall(rb"(?i)\r\nactionid: *(amp[^\r\n]*)", data)
        return data

    def say(self, data: bytes) -> None:
        """Say *data*, in one write."""
        self.publisher.publish(self.framer.feed(data))


class Client:
    """A client: its session, and the loop that carries out what it sends."""

    def __init__(
        self, context: ProxyContext, mode: AutoFilter, form: str, output: str, *, guarded: bool
    ) -> None:
        self.wire, self.is_gone = Wire(), False
        self.session = StreamSession(
            cast("Transport", self.wire), "192.0.2.9", mode=mode, guarded=guarded,
            input_name=form, output=FORMATS[output], filter_local="off", sources=context.router,
        )  # fmt: skip
        context.registry.add(self.session)
        self.session.see()
        slot = cast("Slot", type("Slot", (), {"unauthenticated": False}))
        self.loop = CommandLoop(context, self.session, slot, Times())

    def send(self, data: bytes) -> None:
        """Have *data* come in one read, and carried out."""
        if self.is_gone:
            return
        self.wire.coming = data
        self.is_gone = True
        try:
            self.loop.run()
        except NothingMoreError:
            self.is_gone = False


class ExactPublisher(Publisher):
    """One whose quick way is shut."""

    def _publish_plain(self, wire: bytes) -> bool:
        return False


class World(Inputs):
    """Plays the history of *seed*; *exact*: without quick ways."""

    def __init__(self, seed: int, patch: pytest.MonkeyPatch, *, exact: bool) -> None:
        super().__init__(seed)
        self.patch, self.exact = patch, exact
        # No ActionID is the same in lower case, in which servers say some: else chance might tell
        # one world from the other.
        patch.setattr(actionids, "_random_text", lambda size: "A" + _RANDOM(size - 1))
        self.quick = [0, 0]  # how many actions and reads went a quick way
        self.router = Impatient(SessionRegistry())
        config = Config(audit=self.some(8) == 0, max_unanswered=self.pick((32, 32, 32, 2, 0)),
                        max_line=self.pick((1022,) * 3 + (60,)),
                        max_headers=self.pick((128,) * 3 + (3,)))  # fmt: skip
        self.context = ProxyContext(config, Users(), FORMATS, None, self.router, cast("Any", None))
        self.router.keeps_calls = self.some(2) == 0
        publisher = ExactPublisher if exact else self._counting()
        self.servers = [
            Server(number, self.router, publisher) for number in range(1 + self.some(2))
        ]
        self.router.servers = tuple(server.link for server in self.servers)
        if self.some(4) == 0:
            self.servers[0].link.remember(1 << 20, 3600.0)
        for server in self.servers[self.some(8) == 0 :]:
            server.link.go_live()
        if self.some(3) == 0:
            self._list(self.servers[0])
        self.numbers = itertools.count(1)  # of sessions: both worlds have the same
        self.known: dict[tuple[bytes, bytes], int] = {}
        self.clients: list[Client] = []

    def _counting(self) -> type[Publisher]:
        """Return a publisher that counts what goes its quick way."""
        quick = self.quick

        class Counting(Publisher):
            def _publish_plain(self, wire: bytes) -> bool:
                done = super()._publish_plain(wire)
                quick[1] += done
                return done

        return Counting

    def _list(self, server: Server) -> None:
        """Have *server* say which actions it has, if it is connected."""
        server.link.ask_listed(0.0)
        server.read()
        for wire_id in server.asked:
            answer = b"Response: Success\r\nActionID: %b\r\nPing: x  (Priv: call,all)\r\n\r\n"
            server.say(answer % wire_id)
        server.asked.clear()

    def _client(self) -> Client:
        mode = self.pick((AutoFilter.UNIQUE, AutoFilter.UNIQUE, AutoFilter.ON, AutoFilter.OFF))
        form = self.pick(("standard", "standard", "standard", "csv"))
        output = self.pick(("standard", "standard", "json"))
        client = Client(self.context, mode, form, output, guarded=self.some(8) == 0)
        user = self.pick(USERS)
        if self.some(3) == 0:
            self.router.registry.log_in(client.session, user, None)
        return client

    # -- one step -------------------------------------------------------------------------------

    def step(self) -> tuple[Any, ...]:
        """Do one thing; return all that it has left behind."""
        with self.patch.context() as patch:
            patch.setattr(numbers, "_numbers", self.numbers)
            patch.setattr(plain, "forward", self._forward)
            patch.setattr(router, "_LISTING_TIME", 0.0)
            patch.setattr(pings, "_INTERVAL", 1e9)  # one at a time, however slow the machine is
            client = self.pick(self.clients) if self.clients else None
            if client is None or client.is_gone or (len(self.clients) < 4 and not self.some(12)):
                self.clients = [each for each in self.clients if not each.is_gone]
                self.clients.append(self._client())
            elif self.some(2):
                client.send(self.input())
            elif self.some(12):
                server = self.pick(self.servers)
                server.say(self.output(server.asked))
            else:
                self._change()
        return self.left()

    def _forward(self, *call: Any) -> bool:
        done = not self.exact and _FORWARD(*call)
        self.quick[0] += done
        return done

    def _change(self) -> None:
        """Change something that a client, or the operator, may change."""
        client, link = self.pick(self.clients), self.pick(self.servers).link
        number = self.some(5)
        if number == 4:
            self.context.limits = self.pick((Limits(), Limits(60), Limits(1022, 3)))
        elif number == 0:
            client.session.set_mode(self.pick(tuple(AutoFilter)))
        elif number == 1:
            self.router.registry.log_in(client.session, self.pick(USERS), None)
        elif number == 2:
            link.ping()
        else:
            with link.lock:
                link.ledger.refuse(self.pick((1.0, 1e9)), 30.0)
                link.take_over(1e9)

    # -- what is left behind --------------------------------------------------------------------

    def left(self) -> tuple[Any, ...]:
        """Return all that can be told apart, but for what is random."""
        up = [self.same(server.read()) for server in self.servers]
        told = [self.same(_LIST.sub(b"", client.wire.take())) for client in self.clients]
        sessions = [(each.session.last_id, each.session.actions, each.session.event_count)
                    for each in self.clients]  # fmt: skip
        return (
            up,
            told,
            sessions,
            [self._of(server.link) for server in self.servers],
            {each: self.context.tallies.by(each) for each in Tallied},
        )

    def _of(self, link: AsteriskLink) -> tuple[Any, ...]:
        ledger, record = link.ledger, link.record
        queue = [self._pending(action) for action in _QUEUE(ledger).values()]
        listed = None if ledger.open_list is None else self._pending(ledger.open_list)
        owed = sorted(ledger.owed.values())
        seconds = {
            kind: each.snapshot().counts[-1] for kind, each in record.actions.seconds.items()
        }
        return (queue, listed, owed, ledger.in_flight, ledger.moved, ledger.strays,
                link.delivering, link.turns.count, dict(record.actions.ended), seconds,
                record.events, link.place[1], link.begun - link.ended)  # fmt: skip

    def _pending(self, action: Any) -> tuple[Any, ...]:
        wire_id, key = action.wire_id.encode("latin-1"), action.key.encode()
        return (self.same(wire_id), self.same(key), action.given, action.private, action.name, action.size, action.textual, action.held_back,
                action.echoed, action.loading, action.synchronous, action.ringing, action.target,
                action.witness is None, action.raw, bool(action.since))  # fmt: skip

    def same(self, data: bytes) -> bytes:
        """Return *data* with the ActionIDs of the proxy numbered as they came."""

        def number(found: re.Match[bytes]) -> bytes:
            return b"<%d>" % self.known.setdefault((found[1], found[2]), len(self.known))

        return _WIRE_ID.sub(number, data)


_FORWARD = plain.forward
_RANDOM = actionids._random_text  # noqa: SLF001 - as it is
