# SPDX-License-Identifier: GPL-2.0-or-later
"""LiveSession: a client that is sent JSON documents: events, answers, what is there."""

from __future__ import annotations

import dataclasses
import functools
import time
from typing import TYPE_CHECKING, Callable

from amiproxy.formats import written
from amiproxy.live import documents
from amiproxy.live.formats import Framing, documents_in
from amiproxy.live.gathering import Answer, Gathering
from amiproxy.routing.eventids import id_of
from amiproxy.routing.ring import START
from amiproxy.routing.selection import NOTHING, Selection
from amiproxy.threads.live.framedsession import FramedSession

if TYPE_CHECKING:
    from amiproxy.formats import Format
    from amiproxy.live.documents import Id
    from amiproxy.live.partings import Parting
    from amiproxy.live.told import Told
    from amiproxy.message import Message
    from amiproxy.threads.web.visit import Visit
    from amiproxy.wire.batch import Batch

#: Bytes that may wait for a client before it is sent no more of what is there (``tell``).
_LAGS = 262144


class LiveSession(FramedSession):
    """A client that is sent documents, in *framing*; no events before it has chosen some."""

    #: Whether it is noted which events it was sent: it has chosen some, or is about to.
    is_listening = False

    def __init__(self, visit: Visit, framing: Framing, output: Format | None = None) -> None:
        self.framing = framing
        self.selection = NOTHING
        base = visit.context.formats["json"]
        #: What the client has asked, and is not answered.
        self.answers = Gathering(functools.partial(written, base))
        super().__init__(visit, output or _output(visit, framing), input_name="json")

    answers_in_order = False

    def deliver(self, batch: Batch) -> None:
        """Send what of *batch* this client may see."""
        if self.number in batch.owners:
            super().deliver(batch)
        elif self.is_listening:
            with self.lock:  # as in _pass, without a further call: it is the usual case by far
                track, transport = self.track, self.transport
                try:
                    if track is not None and transport.end_reason is None:
                        data = track.encode(batch, self._viewer, self.output)
                        if data:
                            transport.send(data)
                            self.spoke = batch.came or time.monotonic()
                except Exception as error:  # noqa: BLE001 - the server's thread has other clients
                    self.drop(error)

    def _wants(self, batch: Batch) -> bool:
        return self.is_open or self.number in batch.owners

    def select(self, selection: Selection) -> None:
        """Send the events of *selection* from now on.  The caller holds ``lock``."""
        assert self.lock.locked()
        self.selection = NOTHING if selection.is_empty else selection
        self.is_listening = not selection.is_empty
        self._renew()

    def say_subscribed(self, request_id: Id) -> None:
        """Say from where on the client is told what it has chosen.  The caller holds ``lock``."""
        assert self.lock.locked()
        told = documents.document("subscribed", id=request_id, at=self._place())
        self._send(self.framing.frame(told, "subscribed", ""))

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
            return self._place()

    def _place(self) -> str:
        assert self.lock.locked()
        track = self.track
        if track is not None and track.is_exact:
            return track.id()
        view = dataclasses.replace(self._viewer.view, selection=None)
        links = [link for link in self._sources.servers if view.is_of(link.names)]
        places = [link.place for link in links if link.place != START]
        return id_of(self._sources.nonce, places)

    # -- answers --------------------------------------------------------------------------------

    def _pass(self, batch: Batch) -> None:
        number = self.number
        if number in batch.owners:
            for item in batch.items:
                if item.owner == number:
                    answer = self.answers.take(item.request_id, item.message, final=item.final)
                    if answer is not None:
                        self._say_answer(answer)
            others = [item for item in batch.items if item.owner != number]
            if not others or not self.is_open or not self.is_listening:
                return
            batch = batch.part_of(others)
        super()._pass(batch)

    def sending(self, request_id: str | None, action_id: str | None = None) -> None:
        """Gather the answer to *request_id*, the action of now, from now on."""
        with self.lock:
            if action_id is not None:
                self.last_id = action_id  # for ListSessions
            if request_id is not None:
                self.answers.sending(request_id)

    def complete(self, request_id: str) -> None:
        """Tell the answer to *request_id*: nothing more will come of it."""
        with self.lock:
            answer = self.answers.whole(request_id)
            if answer is not None:
                self._say_answer(answer)

    def _tell(self, message: Message) -> None:
        """Take the proxy's own answer to the action of now."""
        assert self.lock.locked()
        answer = self.answers.current
        if answer is not None:
            answer.has_own = True
            self.answers.add(answer, message)

    def ask(self, request_id: Id, carry_out: Callable[[], object]) -> None:
        """Have *carry_out* carry out an action; its answer is told as that of *request_id*.

        In the client's thread.
        """
        answers = self.answers
        with self.lock:
            answer = answers.current = Answer(request_id)
        try:
            carry_out()
        finally:
            with self.lock:
                answers.current = None
                if answer.has_own:
                    self._say_answer(answers.end(answer))

    def _say_answer(self, answer: Answer) -> None:
        assert self.lock.locked()
        kind, told = answer.told()
        self._send(self.framing.frame(told, kind, ""))

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
