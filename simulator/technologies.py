# SPDX-License-Identifier: GPL-2.0-or-later
"""What depends on the channel driver: scripts of calls, phones, members of the queue."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: How a call can end, and what else the dialplan does with the caller.
OUTCOMES = ("answered", "busy", "noanswer", "queue", "voicemail")
#: What the phones of a technology with ``phones`` can do besides calls.
PHONE_EVENTS = ("register", "unregister", "qualify")


@dataclass(frozen=True)
class Technology:
    """A channel driver.  In devices, ``{}`` is the number of a phone.

    *scripts*: what the names of its scripts begin with (``simulator/data``); of those of
    Local channels, without the second half of each, if it has none of its own.
    *phones*: its phones register, and have events when they do.
    *agents*: the two devices that a queue calls.  *caller*, *queue_caller*: who makes calls.
    *member*: interface and state interface of the members in QueueStatus, the first of which has
    the number *first_member*.
    """

    name: str
    caller: str
    queue_caller: str
    agents: tuple[str, str] = ("Local/201@agents", "Local/202@agents")
    member: tuple[str, str] = ("Local/{}@agents/n", "Custom:agent{}")
    first_member: int = 201
    scripts: str = ""
    phones: bool = False

    @property
    def members(self) -> tuple[str, str]:
        """The first two members of the queue."""
        first = self.first_member
        return self.member[0].format(first), self.member[0].format(first + 1)


# The keys are the values of ``--technology``.
TECHNOLOGIES: Mapping[str, Technology] = MappingProxyType(
    {
        "Local": Technology("Local", "PJSIP/{}", "Local/{}@phones/n"),
        "PJSIP": Technology(
            "PJSIP",
            "PJSIP/{}",
            "PJSIP/{}",
            agents=("PJSIP/103", "PJSIP/104"),
            member=("PJSIP/{}", "PJSIP/{}"),
            first_member=103,
            scripts="pjsip_",
            phones=True,
        ),
        "SIP": Technology("SIP", "SIP/{}", "SIP/{}", member=("SIP/{}", "SIP/{}")),
        "IAX2": Technology("IAX2", "IAX2/{}", "IAX2/{}", member=("IAX2/{}", "IAX2/{}")),
    }
)
_BY_NAME = {name.lower(): technology for name, technology in TECHNOLOGIES.items()}
_OTHER = Technology("", "", "")


def technology_of(channel: str) -> Technology:
    """Return the technology of a *channel* or device, such as ``PJSIP/101``."""
    return _BY_NAME.get(channel.partition("/")[0].lower(), _OTHER)
