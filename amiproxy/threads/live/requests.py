# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests: what a client of documents says, and what follows.  In the client's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.live import documents
from amiproxy.threads.live.hello import hello

if TYPE_CHECKING:
    from amiproxy.threads.live.livesession import LiveSession
    from amiproxy.threads.web.visit import Visit


class Requests:
    """What one client asks."""

    #: After so many seconds of silence the client is told that all is well.
    silence = 5.0

    def __init__(self, visit: Visit, session: LiveSession) -> None:
        self._visit, self._session = visit, session

    def begin(self) -> None:
        """Say hello: it is the first document."""
        session = self._session
        told = hello(self._visit, session)
        session.open(session.framing.frame(told, "hello", ""))

    def take(self, text: str) -> bool:
        """Carry out what *text* asks; return whether the client stays."""
        del text
        return True

    def tick(self) -> None:
        """Say that all is well: nothing was sent for a while."""
        session = self._session
        told = documents.document("tick", at=session.place(), now=documents.now())
        session.say_document(told, "tick")
