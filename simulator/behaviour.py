# SPDX-License-Identifier: GPL-2.0-or-later
"""How a simulated Asterisk is set up; fixed for its life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.dialects import DIALECTS

if TYPE_CHECKING:
    from simulator.dialects import Dialect


@dataclass(frozen=True)
class Behaviour:
    """The settings of a simulated Asterisk.  Times are seconds."""

    #: The generation it speaks like: a key of ``dialects.DIALECTS``.
    speak: str = "22"
    #: Its phones: a key of ``technologies.TECHNOLOGIES``.
    technology: str = "Local"
    #: Send FullyBooted after a login; Asterisk before 1.8 does not.
    boot: bool = True
    #: Send FullyBooted as an ordinary event this long after the login; 0: with the answer.
    boot_delay: float = 0.0
    #: What ``Action: Challenge`` returns; empty: a new one for each session.
    challenge: str = ""
    #: Send SuccessfulAuth, InvalidPassword and RequestBadFormat, as Asterisk does.
    security_events: bool = False
    #: Drop a client that reads nothing for this long (Asterisk's default: 0.1).
    write_timeout: float = 10.0
    #: Cut all output into random pieces of up to this many bytes; 0: do not cut.
    pieces: int = 0
    #: Members in QueueStatus.
    queue_members: int = 8
    #: Entries in IAXpeers and SIPpeers.
    peers: int = 20
    #: Lines of ``Command: large output``.
    command_lines: int = 2000
    #: Calls take this many times as long as the recorded ones.
    time_scale: float = 1.0
    #: How every Originate ends: one of ``technologies.OUTCOMES``, or ``failed``.  Empty: its
    #: headers decide, see ``telephony.outcome_of``.
    outcome: str = ""
    #: How long an answered call lasts; None: as recorded; ``orders.FOREVER``: until hung up.
    talk: float | None = None

    @property
    def dialect(self) -> Dialect:
        """The generation it speaks like."""
        return DIALECTS[self.speak]
