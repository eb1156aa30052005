# SPDX-License-Identifier: GPL-2.0-or-later
"""Call: one block of a client on its way to the function that carries it out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple, Optional

if TYPE_CHECKING:
    from amiproxy.message import Message
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.session import ClientSession
    from amiproxy.threads.sessions.waitevent import WaitEvent


class Outcome(NamedTuple):
    """What follows from a call for the client's thread.

    *stays* is False for a client that has to leave.  *wait* is the WaitEvent that the
    call has begun and the thread has to finish.  *goodbye* answers a logoff: it is to be
    sent when what was asked before is answered.
    """

    stays: bool = True
    wait: Optional[WaitEvent] = None
    goodbye: Optional[Message] = None


STAYS = Outcome()
LEAVES = Outcome(stays=False)


class Call(NamedTuple):
    """One block: who sent it, what it says, and the proxy it was sent to."""

    context: ProxyContext
    session: ClientSession
    message: Message

    def in_order(self) -> Call:
        """Wait until all is answered that the client has asked before; return the call.

        Asterisk answers one action after the other, and clients that give no ActionIDs rely on
        it.  A web client asks one at a time, and what a live client is told has an id.
        """
        if self.session.answers_in_order:
            self.context.router.await_answers(self.session)
        return self

    def say(self, reply: Message) -> Outcome:
        """Send *reply* to the client, which stays."""
        self.session.say(reply)
        return STAYS


#: Carries out one call, in the thread of the client that made it.
Action = Callable[[Call], Outcome]
