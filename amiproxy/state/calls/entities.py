# SPDX-License-Identifier: GPL-2.0-or-later
"""Channel, Bridge and Call, which know each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amiproxy.state.values import known

if TYPE_CHECKING:
    from amiproxy.state.calls.blocks import Block

LOCAL = "Local/"
_START = "s"  # the extension of a context that nobody dials
UP, RINGING = "6", "5"

#: Types of bridges (BridgeType) that are no parties' talk, and the one that is.
BASIC, PARKING, AGENTS = "basic", "parking", "agent_hold"


class Party(NamedTuple):
    """Who somebody in a call is."""

    number: str | None
    name: str | None
    device: str | None


NOBODY = Party(None, None, None)


def device_of(name: str) -> str:
    """Return the device that the channel *name* was made of: PJSIP/101 of PJSIP/101-0000002a."""
    return name.rpartition("-")[0] or name


class Channel:
    """One channel of Asterisk.  Times are the proxy's; None: not so, or not known since when."""

    __slots__ = (
        "answered",
        "application",
        "block",
        "bridge",
        "call",
        "conference",
        "data",
        "dial",
        "dialled_by",
        "dials",
        "entered",
        "first_exten",
        "held",
        "link",
        "muted",
        "number",
        "other",
        "parked",
        "queue",
        "queued",
        "since",
        "started",
    )

    def __init__(self, block: Block, number: int, started: float, since: float) -> None:
        self.block = block
        #: Its Linkedid, as far as is known: bridges change it, and no event says so.  Asterisk 11
        #: never tells it.
        self.link = block.linkedid or block.uniqueid
        #: Counts the channels as they came.
        self.number = number
        self.started = started
        #: When its state became so.
        self.since = since
        self.answered: float | None = None
        self.application = self.data = ""
        self.bridge: Bridge | None = None
        #: When it entered its bridge.
        self.entered = 0.0
        #: When it put its peer on hold.
        self.held: float | None = None
        self.muted: bool | None = None
        #: When it was parked, or joined a conference: Asterisk 11, which has no bridges for that.
        self.parked: float | None = None
        self.conference: float | None = None
        #: The queue it is or was a caller of, and since when it waits there.
        self.queue = ""
        self.queued: float | None = None
        #: The first extension it was at: what it dialled.
        self.first_exten = ""
        self.pass_through(block.exten)
        #: Who dials it now; whom it dials now; the unique id of who dialled it.
        self.dial: Channel | None = None
        self.dials: dict[str, Channel] | None = None
        self.dialled_by = ""
        #: The other half, if it is a Local channel.
        self.other: Channel | None = None
        self.call: Call | None = None

    def pass_through(self, exten: str) -> None:
        """Note that it is at *exten*: the first one is what it dialled, but the start of all."""
        if not self.first_exten and exten != _START:
            self.first_exten = exten

    @property
    def uniqueid(self) -> str:
        """Its key.  Any text: clients may choose it."""
        return self.block.uniqueid

    @property
    def is_local(self) -> bool:
        """Whether it is one half of a Local channel."""
        return self.block.name.startswith(LOCAL)

    @property
    def is_shown(self) -> bool:
        """Whether it is no remainder of a channel that another took over (Asterisk 11)."""
        return not self.block.name.endswith(("<ZOMBIE>", "<MASQ>"))

    @property
    def age(self) -> tuple[float, bool, int]:
        """What sorts the channels of a call, the one it began with first."""
        block = self.block
        return self.started, block.uniqueid != block.linkedid, self.number

    @property
    def party(self) -> Party:
        """Who is there."""
        block = self.block
        return Party(known(block.caller_number), known(block.caller_name), device_of(block.name))


class Bridge:
    """What channels are joined by."""

    __slots__ = ("channels", "facts", "key", "since")

    def __init__(self, key: str, since: float) -> None:
        self.key = key
        self.since = since
        #: Type, technology, creator, name; "" as long as they are not known.
        self.facts: tuple[str, ...] = ("", "", "", "")
        self.channels: dict[str, Channel] = {}

    @property
    def type(self) -> str:
        """Its BridgeType."""
        return self.facts[0]

    @property
    def technology(self) -> str:
        """Its BridgeTechnology."""
        return self.facts[1]

    @property
    def joins(self) -> bool:
        """Whether its channels are of one call.  Those of conferences and the like are not."""
        return self.facts[0] == BASIC


class Call:
    """Channels that belong together, as far as is known."""

    __slots__ = (
        "cause", "channels", "dialled", "key", "loose", "number", "queue", "started", "told",
        "was_from", "was_said", "was_to",
    )  # fmt: skip

    def __init__(self, key: str, number: int, started: float) -> None:
        self.key = key
        #: Counts the calls as they began.
        self.number = number
        self.started = started
        self.channels: dict[str, Channel] = {}
        #: Whether somebody was told of it.
        self.told = False
        #: Something that held channels together is gone: they may be two calls now.
        self.loose = False
        #: Where a blind transfer sent it.
        self.dialled = ""
        self.queue = ""
        #: The last Cause of a Hangup in it that says something.
        self.cause: int | None = None
        #: Parties that have left, for when it has ended, and what filters judge them by.
        self.was_from = self.was_to = NOBODY
        self.was_said: tuple[tuple[Block, str], ...] = ()
