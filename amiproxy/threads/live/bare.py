# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of /ws that speak AMI or XML: one message a frame, as over a connection of their own.

They are sent all events that they may see, from the beginning, and no rows.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
from typing import TYPE_CHECKING

from amiproxy import replies
from amiproxy.formats import Refused
from amiproxy.live import formats, frames
from amiproxy.live.partings import RIGHTS
from amiproxy.message import END
from amiproxy.threads.actions import dispatch
from amiproxy.threads.actions.call import Call
from amiproxy.threads.actions.login import LOGIN_ACTIONS
from amiproxy.threads.live.framedsession import FramedSession

if TYPE_CHECKING:
    from amiproxy.access.user import User
    from amiproxy.formats import Format
    from amiproxy.live.partings import Parting
    from amiproxy.message import Message
    from amiproxy.threads.web.visit import Visit

log = logging.getLogger("amiproxy.client")

#: What the messages of each protocol are written in.
HANDLERS = {"astmanproxy.ami": "standard", "astmanproxy.xml": "xml"}


class BareSession(FramedSession):
    """A client that is sent bare messages."""

    def __init__(self, visit: Visit, name: str) -> None:
        super().__init__(visit, formats.framed(visit.context.formats[name]), input_name=name)

    def set_output(self, form: Format, message: Message) -> None:
        """Switch to *form*, in frames as before."""
        super().set_output(formats.framed(form), message)

    def _tell(self, message: Message) -> None:
        assert self.lock.locked()
        if self.is_open:  # else it is the answer to the log-in, which the handshake gives
            super()._tell(message)

    def _last(self, parting: Parting) -> bytes:
        return frames.close(parting.code, parting.text)


class Blocks:
    """What one such client asks.  In its thread."""

    #: After so many seconds of silence the client is asked whether it is there.
    silence = 30.0

    def __init__(self, visit: Visit, session: BareSession) -> None:
        self._context, self._session = visit.context, session
        form = self._context.formats[session.input_name]
        assert form.reader is not None
        self._make = functools.partial(form.reader, self._context.limits)

    def begin(self) -> None:
        """Do nothing: since it has had its head, it has events."""

    def take(self, text: str) -> bool:
        """Carry out the messages in *text*, which is whole; return whether the client stays."""
        # A reader of its own for each: what one has left open is no part of the next.
        return all(self._carry_out(block) for block in self._make().feed(text.encode() + END))

    def tick(self) -> None:
        """Ask whether the client is there."""
        self._session.send(frames.PING)

    def look(self) -> float:
        """Return in how many seconds to look again."""
        return self.silence

    def end(self) -> None:
        """The connection is over."""

    def _carry_out(self, block: Message | Refused) -> bool:
        session = self._session
        if isinstance(block, Refused):
            log.warning("%s: %s", session.peer, block.reason)
            session.say(block.reply)
            return not block.close
        if block.action in LOGIN_ACTIONS:
            self._context.router.await_answers(session)
        outcome = dispatch.handle(Call(self._context, session, block))
        if session.user is not None:
            self._note_user(session.user)
        if outcome.goodbye is not None:
            self._context.router.await_answers(session)
            session.say(outcome.goodbye)
        if outcome.wait is not None:
            session.say(replies.error(block, "Events come by themselves here"))
        if not session.allowed:
            session.leave(RIGHTS, wake=False)
            return False
        return outcome.stays

    def _note_user(self, user: User) -> None:
        """Have SIGHUP look at *user*, who the client is now: it may have logged in as another."""
        stamp = self._session.stamp
        if stamp is not None and stamp.name != user.name:
            self._session.stamp = dataclasses.replace(stamp, user=user, token="", key="")
