# SPDX-License-Identifier: GPL-2.0-or-later
"""Proxies without sockets and threads that share Asterisks, in one process.

What is theirs of a server is real: SharedServer with its link, publisher, turn and tail, Asks,
Standing.  Their threads do one thing when the history says so.
"""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Any, cast

from amiproxy.access.user import User, Users
from amiproxy.errors import PeerError, PeerGone
from amiproxy.message import Message
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.threads.asterisk import AsteriskServer
from amiproxy.threads.bus.around import Around
from amiproxy.threads.bus.asks import Asks
from amiproxy.threads.bus.bus import nonce_of
from amiproxy.threads.bus.shared import SharedServer
from amiproxy.threads.sessions import numbers
from amiproxy.threads.sessions.context import ProxyContext
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.threads.straight import straight
from amiproxy.wire import circles
from amiproxy.wire.framing import Chunk, Framer
from amiproxy.wire.routed import BROADCAST
from tests.bus.sharingbus import Bus, Outbox, Way
from tests.bus.sharingkeeper import Keeper
from tests.bus.sharingpbx import Asterisk, Connection
from tests.threads.actions.support import FORMATS, Control
from tests.threads.sessions.crowdusers import USERS as CROWD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.bus.asks import Ask
    from amiproxy.live.requests import Subscription
    from amiproxy.routing.ring import Place
    from amiproxy.wire.batch import Batch
    from amiproxy.wire.routed import Routed
    from tests.threads.sessions.crowdworld import Client

PREFIX = "astmanproxy"

#: Who sees everything, and those of each kind that filters tell apart.
USERS = (User("all", "s"), *CROWD)

BOOTED = Message.of("Event: FullyBooted", "Privilege: system,all", "Status: Fully Booted")


class Enough(Exception):
    """A thread has done what it was to do."""


class Work:
    """Lets a server's thread read the bus so many times, and no more."""

    def __init__(self, times: int) -> None:
        self._left = times

    @property
    def busy_since(self) -> float:
        """For the watchdog."""
        return 0.0

    @busy_since.setter
    def busy_since(self, since: float) -> None:
        if since:
            return
        if not self._left:
            raise Enough
        self._left -= 1


class Server:
    """What one proxy has of one Asterisk; ``run`` is the thread."""

    def __init__(self, node: Node, asterisk: Asterisk) -> None:
        self.node, self.asterisk = node, asterisk
        spec = ServerSpec(f"{asterisk.name}.host", 5038, "u", "s", name=asterisk.name)
        router, around = node.router, node.around
        self.share = SharedServer(spec, router.ids, router, "", around, can_hold=True)
        self.thread = AsteriskServer(
            node.config, router.ids, router, self.share, connect=cast("Any", None)
        )
        self.link, self.publisher = self.share.link, self.share.publisher
        self.scope = self.link.scope
        self.connection: Connection | None = None
        self.again_at = 0.0
        self._tries = 0
        hand_out = self.publisher._hand_out  # noqa: SLF001 - each batch goes this way

        def noting(batch: Batch) -> None:
            hand_out(batch)
            node.note(self, batch)

        post = self.link._post  # noqa: SLF001 - each action for another proxy goes this way

        def posting(ask: Ask) -> None:
            node.home.posted[ask.wire_id] = ask
            post(ask)

        reply = self.publisher._reply  # noqa: SLF001 - each answer to another proxy goes this way

        def replying(
            slot: int,
            items: list[Routed],
            over: Sequence[tuple[int, str]] = (),
            place: Place | None = None,
        ) -> None:
            node.home.note_reply(place or self.link.place, items)
            reply(slot, items, over, place)

        self.link.reply = self.publisher._reply = replying  # type: ignore[method-assign]  # noqa: SLF001
        self.link._post = posting  # noqa: SLF001 - as above
        self.publisher._hand_out = noting  # type: ignore[method-assign]  # noqa: SLF001

    def run(self, times: int = 1, portion: int = 1 << 30) -> None:
        """Do what the thread does next: read Asterisk, or the bus, or connect."""
        self.node.enter()
        if self.connection is not None:
            self._read(self.connection, portion)
            return
        if self.node.clock.now < self.again_at and self.share.is_ours:
            return
        with contextlib.suppress(Enough):
            if self.share.await_turn(cast("Any", Work(times))):
                self._connect()

    def _connect(self) -> None:
        asterisk, thread, link = self.asterisk, self.thread, self.link
        assert self.share.is_ours, "a proxy connects that has no right to"
        thread._record.trying()  # noqa: SLF001 - what the thread does
        self._tries += 1
        if not asterisk.is_there:
            link.record.down("refused", "the connection failed", 1.0)
            self._pause()
            return
        framer = Framer(1 << 20, thread._ending, self.node.router.ids.is_made_here)  # noqa: SLF001
        self.connection = connection = Connection(asterisk, framer, self.node.clock)
        asterisk.connections.append(connection)
        link.open(cast("Any", connection.wire))
        try:
            link.banner = "Asterisk Call Manager/9.9"
            self._tries = 0
            tells = self.node.config.server_events
            thread._standing.begin([BOOTED], tell=tells)  # noqa: SLF001 - what the thread does
            self.publisher.publish(Chunk(exact=[BOOTED.raw]))
        except PeerError as error:
            self.part(error)

    def _read(self, connection: Connection, portion: int) -> None:
        try:
            connection.wire.check()
            if not connection.is_open:
                raise PeerGone(text := "closed the connection", told=text)
            data, connection.coming = connection.coming[:portion], connection.coming[portion:]
            if data:
                self.link.record.heard = self.node.clock.now
                chunk = connection.framer.feed(data)
                if chunk.wire.count(circles.SERVER, -circles.TAIL) > circles.MOST or chunk.exact:
                    chunk = straight(chunk, self.link, self.node.router.ids)
                self.publisher.publish(chunk)
            if self.link.ledger.held:
                self.publisher.answer_late(self.node.clock.now)
            if not data:
                self.publisher.tidy()
        except PeerError as error:
            self.part(error)

    def part(self, error: PeerError) -> None:
        """The connection is over by *error*."""
        connection, self.connection = self.connection, None
        assert connection is not None
        self.thread._part(cast("Any", connection.wire), error)  # noqa: SLF001 - what the thread does
        reason = self.thread._standing.reason(error)  # noqa: SLF001 - as above
        self.link.record.down(str(error), reason, 1.0)
        self._pause()

    def _pause(self) -> None:
        self.again_at = self.node.clock.now + self.share.over(self._tries, 1.0)

    def listen(self) -> None:
        """Have the Asterisk hear what has gone up."""
        if self.connection is not None:
            is_asked = self.connection.listen(self.link.tenure)
            may = self.link.may_ask or not self.link.connected
            assert may or not is_asked, f"proxy {self.node.slot} asks what it may not"

    def stop(self) -> None:
        """End the thread, as when the proxy stops."""
        self.node.enter()
        self.thread.stop("stopped")
        if self.connection is not None:
            self.listen()
            self.part(PeerGone("stopped"))
        self.publisher.abandon(self.link.lose())
        self.share.end()


class Node:
    """One proxy of the house, with clients of its own."""

    def __init__(self, home: Any, slot: int, config: Config, *, optional: bool) -> None:
        self.home, self.slot, self.config = home, slot, config
        bus: Bus = home.bus
        self.clock = bus.clock
        self._numbers = itertools.count(numbers.number_of(slot) + 1)
        self.enter()
        self.way = Way(bus)
        self.outbox = Outbox(self.way)
        self.keeper = Keeper(self.way, slot, optional=optional)
        self.router = router = Router(SessionRegistry())
        router.nonce = nonce_of(PREFIX)
        router.keeps_calls = True
        known = Users({user.name: user for user in USERS})
        self.context = ProxyContext(config, known, FORMATS, None, router, Control())
        around: Any = Around(
            config, slot, cast("Any", self.way), cast("Any", self.keeper),
            cast("Any", self.outbox), router,
        )  # fmt: skip
        self.around = around
        self.asks = Asks(around, router.ids, config, self._held, ())
        self.servers: dict[str, Server] = {}
        self.clients: list[Client] = []
        self.is_paused = self.is_over = False
        #: Up to where events were handed out here, and up to where they were when nobody knew.
        self.handed: dict[str, Place] = {}

    def enter(self) -> None:
        """Have what is made from now on be of this proxy."""
        numbers._numbers = self._numbers  # noqa: SLF001 - it is that of the process

    @property
    def runs(self) -> bool:
        """Whether its threads go on."""
        return not (self.is_paused or self.is_over)

    def add(self, asterisk: Asterisk) -> Server:
        """Share *asterisk*."""
        self.enter()
        server = self.servers[asterisk.name] = Server(self, asterisk)
        self.router.servers = (*self.router.servers, server.link)
        return server

    @property
    def is_behind(self) -> bool:
        """Whether it has still to read something."""
        left, keys = self.way.left, self.home.bus.keys
        reads = [each.scope for each in self.servers.values() if each.link.reading]
        return any(
            left.get(keys.events(each)) or left.get(keys.answers(self.slot, each)) for each in reads
        )

    def _held(self) -> list[Any]:
        return [each.link for each in self.servers.values() if not each.link.reading]

    def note(self, server: Server, batch: Batch) -> None:
        """Note *batch*, which was handed to the clients here."""
        number = batch.after
        for item in batch.items if batch.events else ():
            if item.owner == BROADCAST:
                number += 1
                self.home.note_event(self, server, (batch.epoch, number), item.message.raw)
        assert number in (batch.upto, batch.after), "another number of events than the batch says"
        self.handed[server.scope] = (batch.epoch, batch.upto)

    # -- its threads ----------------------------------------------------------------------------

    def run_asks(self) -> None:
        """Take what other proxies ask."""
        self.enter()
        if self._held():
            self.asks._step()  # noqa: SLF001 - what its thread does

    def tend(self) -> None:
        """Do what the watchdog's thread does each second."""
        self.enter()
        for server in self.servers.values():
            server.thread.refuse_overdue()

    def run_keeper(self) -> None:
        """Renew, take and give up leases."""
        self.enter()
        self.keeper.look()
        self.keeper.ask()
        self.keeper.look()

    def configure(self, config: Config) -> None:
        """SIGHUP."""
        self.enter()
        self.config = config
        self.context.config = config
        self.around.configure(config)
        for server in self.servers.values():
            server.thread.configure(config)
        self.asks.configure(config)

    def select(self, client: int, wanted: Subscription) -> None:
        """Have a live client subscribe."""
        with contextlib.suppress(Exception):  # a Problem, told by its conversation
            self.clients[client].subscriber.subscribe(1, wanted)

    def kill(self) -> None:
        """End it without a word."""
        self.is_over = True
        for server in self.servers.values():
            if server.connection is not None:
                server.listen()
                server.connection.wire.close()
                server.connection = None
        self.clients.clear()

    def stop(self) -> None:
        """End it as it should."""
        for server in self.servers.values():
            server.stop()
        self.outbox.flush()
        self.keeper.ask()
        self.is_over = True
        self.clients.clear()
