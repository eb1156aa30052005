# SPDX-License-Identifier: GPL-2.0-or-later
"""WaitEvent: an Action: WaitEvent of a client with a connection of its own."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.basics.deadline import Deadline
    from amiproxy.message import Message


@dataclasses.dataclass
class WaitEvent:
    """An Action: WaitEvent that is not over."""

    request: Message
    deadline: Deadline
    told: bool = False  # the client has been sent something since
