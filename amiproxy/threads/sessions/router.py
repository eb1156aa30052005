# SPDX-License-Identifier: GPL-2.0-or-later
"""Router: from Asterisk to the clients (publish), from a client to Asterisk (forward)."""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import time
from typing import TYPE_CHECKING

from amiproxy import replies
from amiproxy.access import rights
from amiproxy.basics.base36 import DIGITS
from amiproxy.basics.deadline import Deadline
from amiproxy.routing import upstream
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.threads.sessions.destinations import Destination, destinations
from amiproxy.threads.sessions.origins import Origins
from amiproxy.threads.sessions.owing import owes_response
from amiproxy.threads.sessions.probe import HEADER
from amiproxy.threads.sessions.proxylink import ProxyLink
from amiproxy.threads.sessions.submitted import Submitted
from amiproxy.threads.sessions.turnstile import Turnstile
from amiproxy.threads.sessions.waiting import QUIET, Waiting
from amiproxy.threads.sessions.webquota import WebQuota
from amiproxy.wire.batch import BatchKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amiproxy.access.user import User
    from amiproxy.limits import Limits
    from amiproxy.message import Message
    from amiproxy.routing.pending import PendingAction, Witness
    from amiproxy.routing.plainanswers import PlainAnswer
    from amiproxy.threads.sessions.crowd import Crowd
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.registry import SessionRegistry
    from amiproxy.threads.sessions.session import ClientSession
    from amiproxy.wire.batch import Batch

log = logging.getLogger("amiproxy.actions")

#: Who a proxy is.
_ID = re.compile("[0-9a-f]{16}")

#: Seconds that servers may take to list their actions.
_LISTING_TIME = 2.0

#: For how many seconds none of the actions may be answered for which a client's thread waits.
LINGER = 120.0

#: How many proxies are named to another one: one line of an action holds them.
_LONGEST_PATH = 32


class Router:
    """Routes messages between servers and clients."""

    def __init__(self, registry: SessionRegistry, *, quiet: float = QUIET) -> None:
        self.registry = registry
        # Told to our servers and those before them alone; others are told what it becomes by
        # _seen_from_behind.  Else any client could claim to have one of them behind it.
        self._identity = secrets.token_hex(8)
        #: Tells the ids of events that this process gives from those of any other.
        self.nonce = "".join(secrets.choice(DIGITS) for _ in range(8))
        #: Lets few clients' threads work at a time.
        self.turnstile = Turnstile()
        #: Counts what web requests have asked.
        self.web_quota = WebQuota(self.turnstile)
        self._waiting = Waiting(self.turnstile, quiet)
        self.ids = ActionIds()
        #: Whether Newchannel and Newstate are kept for clients that see a call late.
        self.keeps_calls = False
        #: Every server, in the order of the file; added ones come last.  Replaced
        #: whole by the proxy; readers take the tuple as it stands.
        self.servers: tuple[AsteriskLink, ...] = ()
        #: By which of them the messages of servers behind other proxies come.
        self.origins = Origins(lambda: self.servers)

    def named(self, name: str) -> list[AsteriskLink]:
        """Return the servers that *name* (a name, host, address or host:port) may mean."""
        return [server for server in self.servers if name.strip().lower() in server.names]

    @property
    def filtering(self) -> bool:
        """Whether some client sees calls through a user's filters."""
        return self.registry.filtering

    def path(self) -> str:
        """Return who this proxy is, and which proxies are behind it, for one before it."""
        return _joined(self._identity, (session.proxy_path for session in self.registry.snapshot()))

    def announce(self) -> None:
        """Say to the proxies behind this one who is before it now.  Never waits."""
        path = self.path()
        for server in self.servers:
            if isinstance(server, ProxyLink):
                server.announce(path)

    def path_before(self) -> str:
        """Return who this proxy is, and which proxies are before it, for one behind it."""
        return _joined(
            _seen_from_behind(self._identity), (server.proxy_path for server in self.servers)
        )

    def closes_circle(self, path: str) -> bool:
        """Return whether a client with *path* would have this proxy reached through itself."""
        return not set(map(_seen_from_behind, path.split())).isdisjoint(self.path_before().split())

    def banner(self) -> str:
        """Return how the server greeted that a client's actions go to, "" if none has so far.

        That is the first connected one; without any the first of those that were connected.
        """
        known = [server for server in self.servers if server.banner]
        connected = [server for server in known if server.connected]
        return next((server.banner for server in (*connected, *known)), "")

    # -- Asterisk -> clients ------------------------------------------------------------------

    def gather(self, link: AsteriskLink) -> Crowd:
        """As SessionRegistry does."""
        return self.registry.gather(link)

    def disperse(self, crowd: Crowd) -> None:
        """As SessionRegistry does."""
        self.registry.disperse(crowd)

    def publish(self, batch: Batch) -> None:
        """Hand *batch*, which no connection has brought, to every client.  Never waits."""
        registry = self.registry
        if batch.kind is not BatchKind.ANSWERS:
            for session in registry.snapshot():
                session.deliver(batch)
            return
        # Clients with autofilter unique that asked nothing need not even be looked at.
        for number in batch.owners:
            owner = registry.find(number)
            if owner is not None:
                owner.deliver(batch)
        if not batch.wire:
            return  # all of it is private
        for session in registry.snapshot():
            if session.mode is not AutoFilter.UNIQUE and session.number not in batch.owners:
                session.deliver(batch)

    def answer(self, number: int, answers: Sequence[PlainAnswer]) -> bool:
        """Send *answers*, which are for session *number* alone; never waits.

        Return False if that needs a batch.  A session that is over needs nothing.
        """
        session = self.registry.find(number)
        return session is None or session.take_answers(answers)

    def forget(self, scope: str) -> None:
        """Forget the calls of the server *scope*: the connection to it was lost.

        Not if another connection that is called so has begun meanwhile: the calls are its own.
        """
        if any(server.scope == scope and server.connected for server in self.servers):
            return
        for session in self.registry.snapshot():
            session.forget(scope)

    # -- client -> Asterisk -------------------------------------------------------------------

    def forward(
        self,
        session: ClientSession,
        message: Message,
        limits: Limits,
        *,
        hold_back: bool,
        most: int = 0,
        witness: Witness | None = None,
    ) -> Message | None:
        """Send *message* of *session* to its Asterisk; return an error for the client, or None.

        The caller has checked rights and filters; what Asterisk would cut is refused (spec 12.17).
        Waits, in the client's thread, while *most* of its actions are unanswered; 0: no limit.
        *witness* is told how it ended if it is sent.
        """
        servers = self._servers_for(session.user, message)
        if isinstance(servers, str):
            return replies.error(message, servers)
        server, message = servers[0].link, servers[0].addressed(message)
        web = session.is_web and most > 0
        if web and not self.admits_web(session, most):
            return replies.error(message, "Too many actions are unanswered")
        held = hold_back and server.receives_call_events
        action = upstream.prepare(message, self.ids, session, hold_back=held, now=time.monotonic())
        action.witness, action.target = witness, servers[0].target or ""
        problem = upstream.problem(action.raw, limits)
        if problem is None:
            session.sending(action.wire_id, action.given)
            if self.submit(session, server, action, 0 if web else most):
                return None
            problem = servers[0].missing(message)
        if web:
            self.web_quota.give_back(session.number)
        return replies.error(message, problem)

    def admits_web(self, session: ClientSession, most: int) -> bool:
        """Count an action of *session*, a web request's; wait while *most* are unanswered.

        Return False if that does not end in time.
        """
        account = _account(session)
        return self.web_quota.take(account, session.number, most, *session.patience)

    def submit(
        self, session: ClientSession, server: AsteriskLink, action: PendingAction, most: int
    ) -> bool:
        """Send *action* of *session* to *server*; return False if that is not to be.

        Waits, in the client's thread, while *most* of its actions are unanswered; 0: no limit.
        """
        account = _account(session)
        while (done := server.submit(action, account, most)) is Submitted.FULL:
            if not self._await_room(session, server, most):
                break
            action.since = time.monotonic()
        return done is Submitted.TAKEN

    def listings(self, user: User, message: Message) -> list[Mapping[str, int]]:
        """Return what the servers say of their actions that *message* of *user* may go to.

        For what no table knows they are asked, and their answers waited for; what they say of
        other actions counts from then on, too.
        """
        servers = self._servers_for(user, message)
        if isinstance(servers, str):
            return []
        if not rights.is_known(message) and rights.trusts_listing(user):
            deadline = Deadline(_LISTING_TIME)
            with self.turnstile.outside():
                for each in servers:
                    if not each.target and message.action not in each.link.listed:
                        each.link.ask_listed(deadline.left())
        return [each.listed for each in servers]

    def answered(self, number: int, untold: str = "") -> None:
        """Note that an action of session *number* is over.  Never waits.

        *untold*: the ActionID it went upstream with, where nothing that its client was sent
        shows that.
        """
        session = self.registry.find(number) if untold else None
        if session is not None:
            session.complete(untold)
        self._waiting.note_end(number)
        self.web_quota.give_back(number)

    def await_answers(self, session: ClientSession, seconds: float = LINGER) -> None:
        """Wait in the thread of *session* until no action of it is unanswered.

        The end of the session ends it too, and so does it if none is answered for *seconds*, or
        for as long as the call takes that an Originate of it makes.
        """
        number = session.number
        while unanswered := self.unanswered(number):
            deadline = Deadline(max(seconds, self._ringing(number)))
            is_over = not self._await_fewer(session, unanswered, deadline)
            # A call may have begun since: it had to wait for its turn.
            if is_over and (session.ended or not self._ringing(number)):
                return

    def _ringing(self, number: int) -> float:
        """Return for how many seconds an answer to session *number* may take because of a call."""
        now = time.monotonic()
        return max((server.patience(number, now) for server in self.servers), default=0.0)

    def _await_fewer(self, session: ClientSession, unanswered: int, deadline: Deadline) -> bool:
        """Wait until fewer than *unanswered* actions are; return False if that is not to be."""
        number = session.number
        return self._waiting.wait(
            session,
            lambda: self.unanswered(number) < unanswered,
            deadline,
            lambda: self._ping(number, self.servers),
        )

    def unanswered(self, number: int) -> int:
        """Return how many actions of session *number* are to be answered."""
        return sum(server.unanswered(number) for server in self.servers)

    def _await_room(self, session: ClientSession, server: AsteriskLink, most: int) -> bool:
        """Wait until *session* may well ask more of *server*.

        Not just one action more: to be woken for each takes longer than the action.  Returns
        False if the session is over.
        """
        number = session.number
        return self._waiting.wait(
            session,
            lambda: server.has_room(number, most),
            Deadline(None),
            lambda: self._ping(number, (server,)),
            max(1, server.unanswered(number) // 2),
        )

    def forget_actions(self, session: ClientSession) -> None:
        """Forget what *session*, which is over, has asked and has not gone to Asterisk."""
        for server in self.servers:
            actions = () if server.turns.empty else server.withdraw(session.number)
            if actions:
                log.info("%s left before %d of its actions went up", session.peer, len(actions))
            for action in actions:
                if action.witness is not None:
                    action.witness.end("not sent: the client left")

    def _ping(self, number: int, servers: Iterable[AsteriskLink]) -> None:
        """Ask those of *servers* that owe session *number* an answer whether they are there.

        Some actions are never answered (IAXnetstats); the answer to an action that is sent
        after them shows that none will come.
        """
        for server in servers:
            if owes_response(server, number):
                server.ping()

    def _servers_for(self, user: User | None, message: Message) -> list[Destination] | str:
        """Return where *message* may go to, the first is it; or why nowhere."""
        token = message.values.get(HEADER.lower())
        if token and any(server.probe.note(token) for server in self.servers):
            return "This proxy is reached through itself"
        return destinations(self.servers, user, message)


def _account(session: ClientSession) -> str:
    """Return in whose name the actions of *session* take turns: its user's, or its address's."""
    user = session.user
    return session.network if user is None else user.name


def _joined(first: str, paths: Iterable[str]) -> str:
    """Return *first* and who else is in *paths*, each once."""
    found = dict.fromkeys([first])
    for path in filter(None, paths):
        found.update(dict.fromkeys(filter(_ID.fullmatch, path.split())))
    return " ".join(list(found)[:_LONGEST_PATH])


def _seen_from_behind(identity: str) -> str:
    """Return by what a proxy that calls itself *identity* is known to those behind it."""
    return hashlib.sha256(identity.encode("latin-1")).hexdigest()[:16]
