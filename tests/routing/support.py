# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of the call filters share."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class User:
    """What a call filter reads of a user."""

    channel: str = ""
    out_context: str = ""
    in_context: str = ""
    accountcode: str = ""
    more_events: bool = False
    filters: frozenset[str] = frozenset()
