# SPDX-License-Identifier: GPL-2.0-or-later
"""How a simulated Asterisk misbehaves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Faults:
    """What goes wrong; may be changed at any time and counts from then on.

    Times are seconds.
    """

    #: Close as soon as the connection is accepted.
    close_on_accept: bool = False
    #: Reset (RST) as soon as the connection is accepted.
    reset_on_accept: bool = False
    #: Accept, and never say a word.
    silent: bool = False
    #: Send this in place of the banner.
    garbage: bytes = b""
    #: Wait before the banner.
    banner_delay: float = 0.0
    #: Wait before a log-in is answered.
    login_delay: float = 0.0
    #: Refuse every log-in with this text.
    login_error: str = ""
    #: Keep the connection after a refused log-in (Asterisk closes).
    keep_refused: bool = False
    #: How long a refused log-in takes (Asterisk: 1 s).
    refusal_delay: float = 0.0
    #: Never answer a log-in.
    mute_login: bool = False
    #: Read actions after the log-in and answer none.
    mute: bool = False
    #: Do not even read after the log-in.
    deaf: bool = False
    #: Answer every action as ``core stop gracefully`` does.
    shutting_down: bool = False
