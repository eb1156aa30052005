# SPDX-License-Identifier: GPL-2.0-or-later
"""The state of a simulated Asterisk that its actions read and change; no sockets."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Callable, Union

from simulator import events
from simulator.calls import Exchange
from simulator.schedule import Schedule

if TYPE_CHECKING:
    from simulator.behaviour import Behaviour
    from simulator.dialects import Dialect
    from simulator.faults import Faults
    from simulator.protocol import Action

#: What replaces a built-in answer: bytes, in which ``{ActionID}`` is filled in, or a
#: function of the action that returns bytes, or None for no answer.
Answer = Union[bytes, Callable[["Action"], Union[bytes, None]]]


class Pbx:
    """Users, settings, variables and calls of one simulated Asterisk."""

    def __init__(
        self,
        users: dict[str, str],
        behaviour: Behaviour,
        faults: Faults,
        publish: Callable[..., None],
    ) -> None:
        """Take secrets by user name; *publish* sends whole events to all sessions."""
        self.users = users
        self.behaviour = behaviour
        self.faults = faults
        self.publish = publish
        self.variables: dict[str, str] = {}
        #: Asterisk's database: values by family and key.
        self.database: dict[tuple[str, str], str] = {}
        #: When it was started, as in ``time.time()``.
        self.started = time.time()
        #: Answers that replace built-in ones, by the action's name in lower case.
        self.answers: dict[str, Answer] = {}
        self.schedule = Schedule()
        self.exchange = Exchange(
            self.schedule,
            publish,
            dialect=self.dialect,
            scale=behaviour.time_scale,
            technology=behaviour.technology,
            members=behaviour.queue_members,
            peers=behaviour.peers,
        )

    @property
    def dialect(self) -> Dialect:
        """The generation it speaks like."""
        return self.behaviour.dialect

    def start(self) -> None:
        """Accept calls."""
        self.started = time.time()
        self.schedule.start()

    def stop(self) -> None:
        """End all calls without sending anything, and accept none until ``start``."""
        self.schedule.stop()
        self.exchange.table.clear()
        self.exchange.present.restart()

    def event(self, name: str, privilege: str = "", **headers: Any) -> bytes:
        """Send event *name* to all sessions whose mask has its class; return its bytes.

        Headers keep their order; a list value repeats its header.  *privilege*
        replaces the usual class of this event.
        """
        message = events.event(name, headers, privilege)
        self.publish(message)
        return message
