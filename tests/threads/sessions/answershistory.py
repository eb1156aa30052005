# SPDX-License-Identifier: GPL-2.0-or-later
"""Histories for the model of answers: what clients and servers may do, one step at a time."""

from __future__ import annotations

import time
from typing import Callable

from amiproxy.message import Message
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.threads.sessions.overdue import take
from tests.threads.sessions.answersforged import CHANNEL, Forging
from tests.threads.sessions.answersmodel import (
    GIVEN,
    LIMITS,
    USERS,
    Asked,
    Client,
    Server,
    value_of,
)

#: Actions by kind: ``held`` is answered by its OriginateResponse.
ACTIONS = {
    "ping": ("Action: Ping",),
    "status": ("Action: Status",),
    "peers": ("Action: IAXpeers",),
    "text": ("Action: IAXnetstats",),
    "userevent": ("Action: UserEvent", "UserEvent: X"),
    "held": ("Action: Originate", "Channel: SIP/9", "Application: Wait"),
    "async": ("Action: Originate", "Channel: SIP/9", "Application: Wait", "Async: true"),
}
MODES = list(AutoFilter)


class End:
    """Counts how often an action ends."""

    times = 0

    def over(self, server: str, answer: Message | None) -> None:
        """It was answered, or will not be."""
        del server, answer
        self.times += 1

    def end(self, result: str) -> None:
        """It has not gone."""
        del result
        self.times += 1


class History(Forging):
    """Carries a history out."""

    def __init__(self, history: bytes) -> None:
        super().__init__(history)
        self.ends: list[End] = []
        self.later = 0.0  # seconds from now at which actions are late

    def play(self) -> None:
        """Do all, answer all that is unanswered, and compare."""
        changes: tuple[Callable[[], None], ...] = (
            self.ask, self.ask, self.ask, self.ask, self.join, self.change, self.leave, self.lose,
            self.expire, self.log_in, self.refuse,
        )  # fmt: skip
        says: tuple[Callable[[Server], None], ...] = (
            self.answer, self.answer, self.answer, self.response, self.event, self.foreign_event,
            self.forge_answer, self.forge_item, self.forge_without_id,
        )  # fmt: skip
        for _ in range(2):
            self.join()
        while self.playing:
            number = self.pick(len(changes) + len(says))
            if number < len(changes):
                self.flush()
                changes[number]()
            else:
                says[number - len(changes)](self.some_server())
            if self.pick(2):
                self.flush()
        self.finish()

    def finish(self) -> None:
        """Answer all that is unanswered, and compare."""
        for server in self.servers:
            self.answer_all(server)
            server.link.ping()  # ends the text of an action that went last
            server.read()
            self.answer_all(server)
            assert not any(server.waiting.values())
        self.check()
        for client in self.clients.values():
            assert not any(link.unanswered(client.number) for link in self.router.servers)
        assert [end.times for end in self.ends] == [1] * len(self.ends)
        for server in self.servers:
            assert not server.link.ledger.in_flight
            assert server.link.turns.empty

    def answer_all(self, server: Server) -> None:
        """Answer all that *server* was asked."""
        while server.queue or server.listing or server.calls:
            self.answer(server)
            self.response(server)
            self.flush()

    def flush(self) -> None:
        """Let all that the servers have said reach the clients."""
        for server in self.servers:
            server.flush()
        self.collect()

    def some_server(self) -> Server:
        """Return one of them."""
        return self.servers[self.pick(len(self.servers))]

    # -- clients ------------------------------------------------------------------------------

    def join(self) -> None:
        """A client comes."""
        if len(self.clients) < 6:
            client = Client(MODES[self.pick(3)], USERS[self.pick(len(USERS))])
            self.router.registry.add(client.session)
            if client.user is not None:
                self.router.registry.log_in(client.session, client.user, None)
            self.clients[len(self.clients)] = client

    def some_client(self) -> Client:
        """Return one of them."""
        return list(self.clients.values())[self.pick(len(self.clients))]

    def ask(self) -> None:
        """A client asks something."""
        client, server = self.some_client(), self.some_server()
        if not client.here:
            return
        kind = list(ACTIONS)[self.pick(len(ACTIONS))]
        given = GIVEN[self.pick(len(GIVEN))]
        # Now and then more than goes up at a time: the rest takes turns.
        for _ in range(25 if self.pick(12) == 11 else 1):
            self.send(client, server, kind, given)

    def send(self, client: Client, server: Server, kind: str, given: str | None) -> None:
        """Send one action."""
        lines = [*ACTIONS[kind], f"Server: {server.host}"]
        lines += [] if given is None else [f"ActionID: {given}"]
        # Answers to what nobody watches may go the quick way.
        end = End() if self.pick(2) else None
        self.ends += [] if end is None else [end]
        refused = self.router.forward(
            client.session, Message.of(*lines), LIMITS, hold_back=True, witness=end
        )
        assert refused is None
        if client.mode is AutoFilter.ON and given is not None:
            client.last_id = given
        unique = client.mode is AutoFilter.UNIQUE
        asked = Asked(kind, "", client.number, given, unique, client)
        server.waiting[client.number].append(asked)
        server.read()

    def change(self) -> None:
        """A client chooses another autofilter."""
        client = self.some_client()
        if client.here:
            client.mode, client.last_id = MODES[self.pick(3)], None
            client.session.set_mode(client.mode)

    def log_in(self) -> None:
        """Another user logs in on the same connection: what was asked before is for nobody."""
        client = self.some_client()
        user = USERS[self.pick(len(USERS))]
        if client.here and not self.pick(2) and user != client.user:
            self.router.registry.log_in(client.session, user, None)
            client.user, client.last_id = user, None

    def leave(self) -> None:
        """A client goes, seldom; its answers are for nobody, or for those who see all."""
        client = self.some_client()
        if not self.pick(4):
            client.here = False
            self.router.registry.discard(client.session)

    # -- servers, truly -------------------------------------------------------------------------

    def answer(self, server: Server) -> None:
        """Send the next part of the answer that is under way, or begin the next one."""
        asked = server.listing
        if asked is not None:
            self.go_on(server, asked)
        elif server.queue:
            self.begin(server, server.queue.popleft())

    def begin(self, server: Server, asked: Asked) -> None:
        """Answer *asked*; a list only begins."""
        wire_id = f"ActionID: {asked.wire_id}"
        if asked.kind == "text":
            server.texting = asked
            server.say("Name  Host", self.of_answer(asked, bears=False, what="text"))
            return
        server.texting = None
        if asked.kind == "held":
            server.say("Response: Success", wire_id, "Message: Originate successfully queued")
            server.calls.append(asked)
            return
        self.old.append(asked.wire_id)
        if not asked.owner:
            server.say("Response: Success", wire_id, self.mark(set(), set(), "own pong"))
            return
        lines = ["Response: Success", wire_id, self.of_answer(asked, bears=True, what="answer")]
        if asked.kind in ("status", "peers"):
            lines.append("EventList: start")
            server.listing = asked
        server.say(*lines)
        if asked.kind == "async":
            server.calls.append(asked)
        elif asked.kind == "userevent":
            mark = self.of_event(asked.given, "UserEvent", of_class="user")
            server.say("Event: UserEvent", "Privilege: user,all", wire_id, mark)

    def go_on(self, server: Server, asked: Asked) -> None:
        """Send an item of the list, or its end."""
        wire_id = f"ActionID: {asked.wire_id}"
        if not self.pick(3):
            server.listing = None
            mark = self.of_answer(asked, bears=True, what="end")
            server.say("Event: ListComplete", wire_id, "EventList: Complete", mark)
        elif asked.kind == "peers":
            mark = self.of_answer(asked, bears=False, what="item")
            server.say("Event: PeerEntry", *CHANNEL, mark)
        else:
            asked.marked = True
            mark = self.of_answer(asked, bears=True, what="item")
            server.say("Event: Status", "Privilege: Call", wire_id, *CHANNEL, mark)

    def response(self, server: Server) -> None:
        """Send the OriginateResponse of the oldest call."""
        if not server.calls:
            return
        asked = server.calls.pop(0)
        lines = ["Event: OriginateResponse", "Privilege: call,all", f"ActionID: {asked.wire_id}"]
        lines.append("Response: Success")
        if asked.kind == "held":
            self.flush()
            server.say(*lines)
            server.flush()
            self.expect_made([asked])
        else:
            mark = self.of_event(
                asked.given, "OriginateResponse", of_class="call", asker=asked.owner
            )
            server.say(*lines, mark)

    def expect_made(self, done: list[Asked]) -> None:
        """Compare the answers that the proxy has made now to the actions *done*."""
        for number, client in self.clients.items():
            made = client.wire.take().decode("latin-1").split("\r\n\r\n")[:-1]
            assert all("Message: Originate successfully queued" in text for text in made), made
            given = [value_of(text, "ActionID") for text in made]
            wanted = [each for each in done if number in self.readers(each, each.given)]
            assert sorted(given) == sorted(each.given or "" for each in wanted)

    def lose(self) -> None:
        """A connection is lost; what was asked there is answered with an error, privately."""
        server = self.some_server()
        if self.pick(4):
            return
        held = [asked for asked in server.calls if asked.kind == "held"]
        waiting = [asked for each in server.waiting.values() for asked in each]
        lost = [server.listing, server.texting, *server.queue, *held, *waiting]
        server.publisher.abandon(server.link.lose())
        for client in self.clients.values():
            told = client.wire.take().count(b"is not connected")
            mine = sum(
                asked is not None and not asked.late and asked.owner == client.number
                for asked in lost
            )
            assert told == (mine if client.here else 0)
        calls = [asked for asked in server.calls if asked.kind == "async"]
        server.open()
        server.calls = calls

    def expire(self) -> None:
        """The calls of a server take too long: those who wait are answered."""
        server = self.some_server()
        late = [asked for asked in server.calls if asked.kind == "held"]
        server.publisher.answer_late(time.monotonic() + 10_000)
        self.expect_made(late)
        for asked in late:
            asked.kind = "async"  # from now on its response is an event as any other
        server.read()  # what waited behind them

    def refuse(self) -> None:
        """A server answers too late: all that it was asked ends with an error, once.

        What had no turn either; but what stands behind a call of its own client waits on.
        """
        server = self.some_server()
        if self.pick(2):
            return
        calls = [asked for asked in server.calls if asked.kind == "held"]
        sent = [server.listing, server.texting, *server.queue]
        late = {asked for asked in sent if asked is not None and asked.owner and not asked.late}
        blocked = {asked.owner for asked in (*server.queue, *calls) if asked.kind == "held"
                   and not asked.late}  # fmt: skip
        for owner, waiting in server.waiting.items():
            if owner not in blocked:
                late.update(waiting)
                waiting.clear()
        self.collect()
        self.later += 10_000
        overdue = take(server.link, time.monotonic() + self.later, 30.0)
        if overdue:
            server.publisher.refuse([*overdue.waited, *overdue.unanswered], "is late")
        server.link.refusing = ()
        for asked in late:
            asked.late = True
            if asked.kind == "held":
                asked.kind = "async"  # from now on its response is an event as any other
        for client in self.clients.values():
            told = client.wire.take().count(b"Message: is late")
            mine = sum(asked.owner == client.number for asked in late)
            assert told == (mine if client.here else 0)
        server.read()
