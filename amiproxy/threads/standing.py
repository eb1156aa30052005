# SPDX-License-Identifier: GPL-2.0-or-later
"""How it stands with the connection to one Asterisk: noted in its record, told to the clients."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from amiproxy.errors import PeerError
from amiproxy.routing import notices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.message import Message
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.publisher import Publisher

log = logging.getLogger("amiproxy.asterisk")

_DIGITS = 12  # of an uptime


class Standing:
    """What becomes of the connections to one Asterisk.  For its thread, but ``asked``.

    *tell*: clients are told (``serverevents``), in order with what that Asterisk says.
    """

    def __init__(self, link: AsteriskLink, publisher: Publisher) -> None:
        self._link = link
        self._record = link.record
        self._publisher = publisher
        #: What clients are told where somebody here ends the connection; any thread may set it.
        self.asked = ""

    def begin(self, said: Sequence[Message], *, tell: bool) -> None:
        """The log-in has succeeded, and Asterisk has booted, as it has *said*: actions may go.

        Clients are told before they are sent anything of the new connection.
        """
        link, record = self._link, self._record
        missing, self.asked = record.missing, ""
        record.up()
        uptime = said[0].get("Uptime") if said else ""
        if uptime.isdigit() and len(uptime) <= _DIGITS:
            record.note_uptime(int(uptime))
        self._publisher.begin()
        link.go_live()
        log.info("asterisk@%s: connected (%s)", link.scope, link.address)
        if tell:
            self._publisher.notice(notices.connected(link.name, missing))

    def end(self, error: BaseException, *, stopping: bool, tell: bool) -> None:
        """A connection is over by *error*: if it was live, clients are told.

        Behind all that belonged to it, the errors that end its actions too.  Where the proxy
        stops they are told goodbye instead.
        """
        link, record = self._link, self._record
        if not record.live_since or (stopping and not self.asked):
            return
        record.lose(self._reason(error))
        if tell:
            self._publisher.notice(notices.lost(link.name, record.reason, record.heard_at))

    def reason(self, error: BaseException) -> str:
        """Return why there is no connection, by *error*, in words for clients."""
        return self._record.reason if self._record.live_since else notices.reason(error)

    def _reason(self, error: BaseException) -> str:
        told = error.told if isinstance(error, PeerError) else ""
        return told or self.asked or notices.reason(error)
