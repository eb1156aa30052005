# SPDX-License-Identifier: GPL-2.0-or-later
"""ChainPublisher: makes batches of what another proxy says, for each server behind it its own."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from amiproxy.errors import LoginRefused
from amiproxy.message import END
from amiproxy.routing import notices
from amiproxy.threads.sessions.proxylink import ProxyLink
from amiproxy.threads.sessions.publisher import Publisher
from amiproxy.threads.sessions.source import Source
from amiproxy.wire import circles
from amiproxy.wire.framing import Chunk
from amiproxy.wire.inner import is_notice, runs

if TYPE_CHECKING:
    from collections.abc import Collection

    from amiproxy.message import Message
    from amiproxy.routing.pending import PendingAction
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.publisher import Audience

log = logging.getLogger("amiproxy.asterisk")

#: How what a proxy says of its servers begins.
_NOTICE = b"Event: ProxyServer"
_LOST = b"Event: ProxyServerLost\r\n"


class ChainPublisher(Publisher):
    """What the thread of a connection to another proxy does with messages.

    It gives out one batch for messages in a row that are of one server behind that proxy.
    """

    def __init__(self, link: ProxyLink, audience: Audience) -> None:
        super().__init__(link, audience)
        self._proxy = link
        self._own = self._source
        self._sources: dict[str, Source] = {}
        self._lost_at = audience.origins.lost_at
        self._said: set[str] = set()  # the names of which the log says that they are left out

    def publish(self, chunk: Chunk) -> None:
        """As any publisher.

        Raises:
            LoginRefused: the proxy has found that it is reached through itself.

        """
        link, ledger = self._proxy, self._proxy.chain_ledger
        soon = False
        try:
            for name, run in runs(chunk):
                self._source, ledger.source = self._source_of(name), name
                soon = soon or (bool(name) and not link.behind.was_told(name))
                if name in self._lost_at and not is_notice(run.messages()[0].raw):
                    self._tell(name, lost=False)  # before what it says
                    self._source = self._source_of(name)
                self._publish_run(name, run)
        finally:
            self._source, ledger.source = self._own, ""
        chain = link.chain
        if chain.is_circle:
            raise LoginRefused(text := "this proxy reaches itself", told=text)
        if chain.has_news:
            chain.has_news = False
            self._compare()
        if chain.due(time.monotonic(), soon=soon):
            link.ask(self._audience.path())

    def _publish_run(self, name: str, run: Chunk) -> None:
        """Publish *run*, messages of the server *name*; what the proxy says of it is a notice."""
        if run.wire.count(circles.SERVER) > (run.number or run.wire.count(END)):
            self._look_for_circle(name, run)
        if name and (_NOTICE in run.wire or run.exact is not None):
            for message in run.messages():
                if is_notice(message.raw):
                    self._pass_notice(name, message)
                elif run.exact is None:
                    self._publish(Chunk(message.raw, only_events=run.only_events, number=1))
                else:
                    self._publish(run)
        else:
            self._publish(run)

    def _look_for_circle(self, name: str, run: Chunk) -> None:
        """Ask whether *run*, which has come over several proxies, has come from here.

        So it may where a proxy between puts its own ``Server:`` behind those there are.
        """
        own = self._audience.origins.own()
        if any(not own.isdisjoint(circles.through(each.raw)[:-1]) for each in run.messages()):
            self._proxy.ask_round(name)

    def _source_of(self, name: str) -> Source:
        """Return the server *name*, "" for the proxy itself, as clients are to know it."""
        if not name or not self._proxy.behind.see(name):
            return self._own
        inner, origins = self._proxy.behind.servers[name], self._audience.origins
        source = self._sources.get(name)
        if source is None:
            source = self._sources[name] = Source(f"{self._proxy.scope}/{name}")
        if source.of is not inner:  # as it was told last
            source.of = inner
            source.names = (inner.words - origins.words_of_others(self._proxy)) | self._proxy.names
        source.hushed = not origins.is_by(self._proxy, name)
        if source.hushed and name not in self._said:
            self._said.add(name)
            text = "its events come by another connection, and are left out here"
            log.warning("asterisk@%s: %s: %s", self._proxy.scope, ascii(name), text)
        return source

    # -- which servers behind it are lost -----------------------------------------------------

    def _pass_notice(self, name: str, message: Message) -> None:
        """Hand out what the proxy says of the server *name*."""
        is_lost = message.raw.startswith(_LOST)
        if self._source is self._own:
            return  # one too many
        self._proxy.behind.note_lost(name, lost=is_lost)
        if is_lost:
            self._forget(name)
        if self._source.hushed:
            return
        if is_lost:
            self._lost_at[name] = time.monotonic()
        else:
            self._lost_at.pop(name, None)
        super().notice(message)

    def notice(self, message: Message) -> None:
        """As any publisher; where the proxy is lost, so are those behind it."""
        super().notice(message)
        if message.raw.startswith(_LOST):
            for name in self._proxy.behind.names:
                if name not in self._lost_at and name not in self._proxy.behind.lost:
                    self._tell(name, lost=True)

    def _compare(self) -> None:
        """Tell clients what the proxy has answered of servers that is new to them."""
        behind = self._proxy.behind
        for name in [each for each in self._sources if each not in behind.servers]:
            self._forget(name)
            del self._sources[name]
        for name in list(self._lost_at):
            if name in behind.servers and name not in behind.lost:
                self._tell(name, lost=False)

    def _tell(self, name: str, *, lost: bool) -> None:
        """Tell clients that the server *name* is *lost*, or connected."""
        self._source = self._source_of(name)
        try:
            if self._source.hushed:
                return
            now, record = time.monotonic(), self._link.record
            if lost:
                self._lost_at[name] = now
                why = f"the connection to {self._link.name} is lost"
                message = notices.lost(name, why, record.heard_at)
            else:
                message = notices.connected(name, now - self._lost_at.pop(name, now))
            super().notice(message)
        finally:
            self._source = self._own

    def _forget(self, name: str) -> None:
        """Forget the calls of the server *name*."""
        source = self._sources.get(name)
        if source is not None:
            source.calls.clear()
            self._audience.forget(source.scope)

    def abandon(self, lost: Collection[PendingAction]) -> None:
        """As any publisher; the calls of all servers behind it are forgotten."""
        super().abandon(lost)
        for name in self._sources:
            self._forget(name)
        self._said.clear()


def publisher_for(link: AsteriskLink, audience: Audience) -> Publisher:
    """Return a publisher for *link*."""
    if isinstance(link, ProxyLink):
        return ChainPublisher(link, audience)
    return Publisher(link, audience)
