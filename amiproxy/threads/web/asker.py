# SPDX-License-Identifier: GPL-2.0-or-later
"""Asker: carries out the action of a web request, and waits for its whole answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Optional

from amiproxy import replies
from amiproxy.basics.deadline import Deadline
from amiproxy.routing import upstream
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.threads.actions import dispatch, plain
from amiproxy.threads.actions.call import STAYS, Call
from amiproxy.threads.net.plainsocket import is_gone
from amiproxy.web.answers import Answer

if TYPE_CHECKING:
    from amiproxy.message import Message
    from amiproxy.threads.actions.call import Outcome
    from amiproxy.threads.net.transport import Transport
    from amiproxy.threads.sessions.collector import Collector
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.web.sessions import WebSession

#: Seconds an answer may take if the request does not say (spec section 11).
ANSWER_TIME = 30.0

#: Seconds it may take longer than a call: the ledger ends a call whose OriginateResponse
#: does not come, and says so.
_BEHIND_A_CALL = 5.0

#: Seconds a waitevent waits at the most; a minute without request ends a session.
LONGEST_WAITEVENT = 50.0


class Wish(NamedTuple):
    """How an answer is wanted."""

    until_event: str = ""  #: it ends with this event
    wait: Optional[float] = None  #: seconds it may take; None: as long as is usual


_USUAL = Wish()


class Asker:
    """Carries out the actions of one connection's requests, one at a time, in its thread.

    *transport* is asked whether it is over; nothing is read from it or sent.
    """

    def __init__(self, context: ProxyContext, transport: Transport) -> None:
        self._context, self._transport = context, transport
        #: Until when the answer to the request of now may usually take.
        self.usual = Deadline(ANSWER_TIME)

    def ask(
        self,
        collector: Collector,
        message: Message,
        wish: Wish = _USUAL,
        session: WebSession | None = None,
    ) -> tuple[Answer, bool]:
        """Carry *message* out and wait for the whole answer; in a *session* one at a time.

        Returns:
            The answer, and whether *collector* has said goodbye with it.

        """
        usual = _usual_time(message)
        self.usual = Deadline(usual)
        answered = self.usual if wish.wait is None else Deadline(wish.wait)
        heard = Deadline(LONGEST_WAITEVENT) if wish.wait is None else answered
        turnstile, gone = self._context.turnstile, self.is_gone
        if session is None:
            answer, (_, wait, goodbye) = self._carry_out(collector, message, wish, answered)
        else:
            with session.alone(turnstile, gone):
                answer, (_, wait, goodbye) = self._carry_out(collector, message, wish, answered)
        if wait is None or collector.events is None:
            return answer, goodbye is not None
        # Meanwhile another request of the same session may be carried out.
        with turnstile.outside():
            events = collector.fetch_events(self._until(wait.deadline, heard), gone)
        complete = replies.wait_complete(message)
        return Answer((*answer.messages, *events, complete), answer.complete), False

    def _carry_out(
        self, collector: Collector, message: Message, wish: Wish, answered: Deadline
    ) -> tuple[Answer, Outcome]:
        """Carry *message* out; return its answer, and what follows from it.

        It is waited for as long as there is until *answered*, at the beginning.
        """
        context, gone = self._context, self.is_gone
        turnstile = context.turnstile
        pending = collector.expect(wish.until_event)
        left = answered.left()
        collector.patience = answered, gone
        if collector.allowed and plain.forward(context, collector, message.raw):
            outcome = STAYS
        else:
            outcome = dispatch.handle(Call(context, collector, message))
        if outcome.wait is not None:
            collector.say(replies.waited(message))
        elif outcome.goodbye is not None:
            collector.say(outcome.goodbye)
        turnstile.end()
        answer = pending.wait(left, gone)
        turnstile.take(turnstile.first)
        if collector.mode is not AutoFilter.UNIQUE:
            # Only answers to whoever asked make sense here.
            collector.set_mode(AutoFilter.UNIQUE)
        return answer, outcome

    def _until(self, *deadlines: Deadline) -> float:
        """Return the seconds until the first of *deadlines*; 0 where the proxy stops."""
        if self._context.stopping.is_set():
            return 0.0
        return min(each.left() for each in deadlines)

    def is_gone(self) -> bool:
        """Return whether the client has left.

        One that has half-closed (nc -N) still gets its answer, if that takes no longer than usual.
        """
        return is_gone(self._transport.fileno(), half_closed=self.usual.over)


def _usual_time(message: Message) -> float:
    """Return the seconds that an answer to *message* may usually take."""
    call = upstream.longest_call(message)
    return max(ANSWER_TIME, call + _BEHIND_A_CALL) if call else ANSWER_TIME
