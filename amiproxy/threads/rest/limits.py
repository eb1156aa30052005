# SPDX-License-Identifier: GPL-2.0-or-later
"""How often one client may ask for what costs others: actions, snapshots."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from amiproxy.threads.web.rates import Rates, owner
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.session import ClientSession

ACTIONS_A_SECOND = 20
SNAPSHOTS_A_SECOND = 2


def pace(context: ProxyContext, session: ClientSession, what: str, most: int) -> None:
    """Note that *session* does *what*, which it may do *most* times a second.

    Raises:
        Problem: 429, it does so more often.

    """
    rates = context.made.setdefault(f"rates of {what}", Rates(most))
    assert isinstance(rates, Rates)
    seconds = rates.take(owner(session))
    if seconds:
        text = f"At most {most} {what} a second are answered for one user or network"
        raise Problem("too-many", text, (("Retry-After", str(math.ceil(seconds))),))
