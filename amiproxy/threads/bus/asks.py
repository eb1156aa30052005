# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks: the thread that takes what other proxies ask of the servers that this one holds.

Their rights were checked where their clients are.  Here is checked what the bus brings: that it is
one action, for this tenure, in time; and it takes its turn among all others.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Callable

from amiproxy.bus.asks import Ask, decode_ask
from amiproxy.bus.fields import Malformed
from amiproxy.limits import Limits
from amiproxy.message import Message
from amiproxy.routing import upstream
from amiproxy.routing.pending import PendingAction
from amiproxy.threads.bus.client import BusError
from amiproxy.threads.bus.streamreader import StreamReader
from amiproxy.threads.net.endless import endless
from amiproxy.threads.net.watched import WatchedThread
from amiproxy.threads.sessions.numbers import is_of_session, slot_of
from amiproxy.threads.sessions.publisher import refusals
from amiproxy.threads.sessions.submitted import Submitted

if TYPE_CHECKING:
    from collections.abc import Collection

    from amiproxy.routing.actionids import ActionIds
    from amiproxy.settings.config import Config
    from amiproxy.threads.bus.around import Around
    from amiproxy.threads.bus.sharedlink import SharedLink

log = logging.getLogger("amiproxy.bus")

#: Milliseconds that a read waits; entries of one read; seconds before Redis is tried again.
_BLOCK, _COUNT, _AGAIN = 250, 100, 0.2

#: How many actions are remembered at the least that were taken; those that are still in time
#: are, up to so many.
_LEAST_TAKEN, _MOST_TAKEN = 8192, 131_072


class Asks:
    """The thread ``bus-asks``.  *held* returns the links of the servers that this proxy holds."""

    def __init__(
        self,
        around: Around,
        ids: ActionIds,
        config: Config,
        held: Callable[[], Collection[SharedLink]],
        local: Collection[str],
    ) -> None:
        """Take actions for the servers that are *held*, but those that are *local* to a proxy."""
        self._around, self._ids, self._held, self._local = around, ids, held, local
        self._reader = StreamReader(around.client, by_time=True)
        self._stopping = threading.Event()
        self._thread = WatchedThread("bus-asks", self._run, self, essential=False)
        #: Up to where each stream has been read.
        self._read: dict[str, bytes] = {}
        # The ActionIDs of what was taken, and until when it was in time: an entry may come twice.
        self.taken: OrderedDict[str, int] = OrderedDict()
        #: How many were dropped since they are malformed.  Any thread reads it.
        self.dropped = 0
        self.busy_since = 0.0  # for the watchdog
        self.configure(config)

    def configure(self, config: Config) -> None:
        """Take over settings that were read anew.  Any thread may call."""
        self._most = config.max_unanswered
        self._limits = Limits(config.max_line, config.max_headers, config.max_block)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Have the thread end.  Never waits."""
        self._stopping.set()
        self._reader.interrupt()

    def join(self, timeout: float) -> None:
        """Wait up to *timeout* seconds for the thread to end."""
        self._thread.join(timeout)

    def _run(self) -> None:
        endless("bus-asks", self._step)
        self._reader.close()

    def _step(self) -> bool:
        """Take what is new; return whether to go on."""
        links = {self._around.keys.asks(link.scope): link for link in self._held()}
        places = {key: self._read.get(key, b"0-0") for key in links}
        self.busy_since = 0.0
        if not places:
            self._stopping.wait(_BLOCK / 1000)
            return not self._stopping.is_set()
        try:
            found = self._reader.read(places, _BLOCK, _COUNT)
        except BusError:
            # It may come back without its data, and with another clock: what was carried out is
            # known by its ActionID.
            self._read.clear()
            self._stopping.wait(_AGAIN)
            return not self._stopping.is_set()
        self.busy_since = time.monotonic()
        for key, entries in found:
            for entry_id, body in entries:
                self._read[key] = entry_id
                self.take(links[key], body)
        return not self._stopping.is_set()

    def take(self, link: SharedLink, body: bytes) -> None:
        """Send what *body* asks to the Asterisk of *link*, or answer why not."""
        try:
            ask = decode_ask(body)
            self._check(ask)
        except Malformed as error:
            self.dropped += 1
            if self.dropped == 1:
                log.warning("asterisk@%s: an action of the bus is dropped: %s", link.scope, error)
            return
        # It has asked the holder before; or Redis has it twice.
        if slot_of(ask.owner) == self._around.slot or ask.wire_id in self.taken:
            return
        if ask.epoch != link.tenure:
            return  # of a tenure that is over: who asked has been told that its holder is gone
        self._remember(ask)
        self._ids.admit(ask.wire_id)
        action = pending(ask, time.monotonic(), (ask.deadline - self._around.now()) / 1000)
        problem = self._submitted(link, action, ask)
        if problem:
            self._refuse(link, action, problem)

    def _remember(self, ask: Ask) -> None:
        """Note that *ask* was taken, for as long as it could be carried out again."""
        taken, now = self.taken, self._around.now()
        taken[ask.wire_id] = ask.deadline
        while len(taken) > _LEAST_TAKEN:
            oldest = next(iter(taken))
            if taken[oldest] > now and len(taken) <= _MOST_TAKEN:
                break
            del taken[oldest]

    def _check(self, ask: Ask) -> None:
        """Raise Malformed if *ask* is none that another proxy would have passed on."""
        slot, message = slot_of(ask.owner), Message(ask.raw)
        if not slot:
            raise Malformed("an action of nobody")
        if self._ids.asker(ask.wire_id) not in (ask.owner, 0):
            raise Malformed("an ActionID that no proxy makes for that session")
        if not message.action or message.action in self._local or message.has("ProxyAction"):
            raise Malformed("an action that no proxy passes on")

    def _submitted(self, link: SharedLink, action: PendingAction, ask: Ask) -> str:
        """Submit *action*; return why it is not sent, "" if it is, or waits for its turn."""
        if action.expires < time.monotonic():
            return f"Server {link.name} was asked too late"
        problem = upstream.problem(ask.raw, self._limits)
        if problem:
            return problem
        done = link.submit(action, ask.account, self._most)
        if done is Submitted.FULL:
            return "Too many actions are unanswered"
        return f"Server {link.name} is not connected" if done is not Submitted.TAKEN else ""

    def _refuse(self, link: SharedLink, action: PendingAction, problem: str) -> None:
        items = refusals([action], problem)
        link.reply(slot_of(action.owner), items)


def pending(ask: Ask, now: float, left: float) -> PendingAction:
    """Return the action that *ask* wants, which may go for *left* seconds from *now*."""
    message = Message(ask.raw)
    # The proxy's own questions get their answers with the ActionID that they know.
    given = ask.given if is_of_session(ask.owner) else ask.wire_id
    action = PendingAction(ask.owner, ask.raw, ask.wire_id, given, ask.private, ask.held_back)
    action.since, action.expires, action.account = now, now + left, ask.account
    if ask.held_back:
        action.ringing = upstream.ringing(message.get("Timeout")) + upstream.GRACE
    else:
        action.ringing = upstream.longest_call(message)
        action.synchronous = action.ringing > 0
    upstream.characterise(action, message)
    return action
