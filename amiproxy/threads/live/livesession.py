# SPDX-License-Identifier: GPL-2.0-or-later
"""LiveSession: a client that is sent JSON documents: events, answers, what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.live import documents
from amiproxy.live.formats import Framing, documents_in
from amiproxy.routing.eventids import id_of
from amiproxy.routing.ring import START
from amiproxy.routing.selection import NOTHING, Selection
from amiproxy.threads.live.framedsession import FramedSession
from amiproxy.threads.sessions.track import sees

if TYPE_CHECKING:
    from amiproxy.formats import Format
    from amiproxy.live.partings import Parting
    from amiproxy.live.told import Told
    from amiproxy.message import Message
    from amiproxy.threads.web.visit import Visit
    from amiproxy.wire.batch import Batch

#: Bytes that may wait for a client before it is sent no more of what is there (``tell``).
_LAGS = 262144


class LiveSession(FramedSession):
    """A client that is sent documents, in *framing*; no events before it has chosen some."""

    def __init__(self, visit: Visit, framing: Framing) -> None:
        self.framing = framing
        self.selection = NOTHING
        super().__init__(visit, _output(visit, framing), input_name="json")

    def _wants(self, batch: Batch) -> bool:
        if self.number in batch.owners:
            return True
        return self.is_open and self.selection is not NOTHING

    def select(self, selection: Selection) -> None:
        """Send the events of *selection* from now on.  The caller holds ``lock``."""
        assert self.lock.locked()
        self.selection = selection
        self._renew()

    def say_document(self, document: bytes, kind: str) -> None:
        """Send *document*, which is of that *kind*."""
        with self.lock:
            self._send(self.framing.frame(document, kind, ""))

    def tell(self, told: Told) -> bool:
        """Send *told*, unless the client lags: then return False.  Any thread may call."""
        framing = self.framing
        with self.lock:
            if self.transport.backlog > _LAGS:
                return False
            self._send(told.framed(framing.name, lambda one: framing.frame(one.json, one.kind, "")))
        return True

    def place(self) -> str:
        """Return the id that says where the servers stand that the client sees."""
        with self.lock:
            track = self.track
            if track is not None and track.is_exact:
                return track.id()
            viewer = self._viewer
        links = [link for link in self._sources.servers if sees(viewer, link)]
        places = [link.place for link in links if link.place != START]
        return id_of(self._sources.nonce, places)

    def _tell(self, message: Message) -> None:
        """Take the proxy's own answer to what the client asks."""

    def _last(self, parting: Parting) -> bytes:
        told = {} if parting.retry is None else {"retry_ms": parting.retry}
        bye = documents.document("bye", reason=parting.reason, **told)
        framing = self.framing
        return framing.frame(bye, "bye", "") + framing.end(parting.code, parting.text)


def _output(visit: Visit, framing: Framing) -> Format:
    """Return the format of documents in *framing*, made once."""
    made = visit.context.made
    key = f"live.{framing.name}"
    found = made.get(key)
    if found is None:
        found = made[key] = documents_in(framing, visit.context.formats)
    return found  # type: ignore[return-value]
