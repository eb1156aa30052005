# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults that a simulated Asterisk can have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Faults:
    """Faults of a simulated Asterisk; they may be changed while it runs.

    Times are seconds.
    """

    #: Close as soon as the connection is accepted.
    close_on_accept: bool = False
    #: Reset (RST) as soon as the connection is accepted.
    reset_on_accept: bool = False
    #: Accept, and never send anything.
    silent: bool = False
    #: Send this in place of the banner.
    garbage: bytes = b""
    #: Wait before the banner.
    banner_delay: float = 0.0
    #: Wait before a login is answered.
    login_delay: float = 0.0
    #: Refuse every login with this text.
    login_error: str = ""
    #: Keep the connection after a refused login (Asterisk closes it).
    keep_refused: bool = False
    #: Wait before a login is refused (Asterisk: 1 s).
    refusal_delay: float = 0.0
    #: Never answer a login.
    mute_login: bool = False
    #: Read actions after the login, and answer none.
    mute: bool = False
    #: Read nothing after the login.
    deaf: bool = False
    #: Refuse every action, as during ``core stop gracefully``.
    shutting_down: bool = False
