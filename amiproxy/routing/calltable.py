# SPDX-License-Identifier: GPL-2.0-or-later
"""CallTable: Newchannel and Newstate of every live channel of one Asterisk.

A filtered client to whom a call becomes visible late is sent these two first, so
that its picture is whole (spec section 8).  One table a server; only that server's
thread touches it, so it needs no lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.basics.bounded import BoundedDict
from amiproxy.routing.facts import CALL_BRIDGE, PROVES_NOTHING, Facts, facts_of

if TYPE_CHECKING:
    from amiproxy.message import Message

#: Channels, bridges and ids of gone channels kept per server; beyond that the oldest
#: are dropped.  Asterisk reports each Hangup, so only what got lost is dropped; a
#: channel takes some 2 KB.
MAX_CHANNELS = 20_000

# How messages begin that change the table, as Asterisk writes them.
_CHANGES = (
    b"Event: Newchannel\r",
    b"Event: Newstate\r",
    b"Event: Hangup\r",
    b"Event: Rename\r",
    b"Event: BridgeEnter\r",
    b"Event: BridgeLeave\r",
    b"Event: BridgeDestroy\r",
)

_REPLAYED = frozenset(("newchannel", "newstate"))


class CallTable:
    """What one Asterisk reported of its live channels, in the order it came."""

    def __init__(self, most: int = MAX_CHANNELS) -> None:
        """Make an empty table for *most* channels, as many bridges and gone channels."""
        # Unique id -> (Newchannel or None, latest Newstate or None); a channel older
        # than our connection has no Newchannel.
        self._calls: BoundedDict[str, tuple[Message | None, Message | None]] = BoundedDict(most)
        # Hung up channels.  Their ids still turn up: as Linkedid of those who go on
        # talking, and in the Cdr that follows the Hangup.
        self._gone: BoundedDict[str, None] = BoundedDict(most)
        # Bridge id -> the channels in it, as a set in the order they came.
        self._bridges: BoundedDict[str, dict[str, None]] = BoundedDict(most)

    def __len__(self) -> int:
        """Return how many live channels are known."""
        return len(self._calls)

    def clear(self) -> None:
        """Forget all: the connection to this Asterisk was lost."""
        self._calls.clear()
        self._gone.clear()
        self._bridges.clear()

    def keep(self, message: Message) -> None:
        """Take notice of *message*, cheaply, when there is no client who filters.

        Instead of :meth:`note`: most messages change nothing here and are not examined.
        """
        if message.raw.startswith(_CHANGES):
            self.note(message)

    def note(self, message: Message) -> Facts:
        """Take notice of *message* and return its facts, ready for the filters.

        Call it once for each message, in the order Asterisk sent them, with the
        message as clients will get it (with its ``Server:`` header).
        """
        facts = facts_of(message)
        if not facts.uids and not facts.bridges:
            return facts
        if facts.name == "newchannel":
            self._gone.pop(facts.own_uid, None)
        live = facts.uids
        for uid in live:
            if uid in self._gone:
                live = tuple([uid for uid in live if uid not in self._gone])
                break
        facts.live = live if facts.uids else facts.bridges
        if facts.name not in PROVES_NOTHING:
            self._link(facts, live)
            self._update(message, facts)
        return facts

    def _link(self, facts: Facts, live: tuple[str, ...]) -> None:
        """Add to *facts* whom the message links, and the replay; *live* are its live ids."""
        facts.learn = live
        if facts.name == "bridgeenter" and facts.bridge_type == CALL_BRIDGE:
            if live:
                live += self._others_in(facts.bridges, live)
                facts.live = live
            facts.learn = live + facts.bridges
        calls = self._calls
        replay = []
        for uid in live:
            call = calls.get(uid)
            if call is not None:
                newchannel, newstate = call
                if uid == facts.own_uid and facts.name in _REPLAYED:
                    # The message itself is one of the two.
                    newstate = None
                    if facts.name == "newchannel":
                        continue
                replay.append((uid, tuple([m for m in (newchannel, newstate) if m])))
        facts.replay = tuple(replay)

    def _others_in(self, bridges: tuple[str, ...], live: tuple[str, ...]) -> tuple[str, ...]:
        """Return the channels that are in the *bridges* already, those in *live* left out.

        The Bridge event of Asterisk before 12 names both channels, today's
        BridgeEnter only the one that comes: this is what links the two.
        """
        others: dict[str, None] = {}
        for bridge in bridges:
            others.update(self._bridges.get(bridge, {}))
        return tuple([uid for uid in others if uid not in self._gone and uid not in live])

    def _update(self, message: Message, facts: Facts) -> None:
        """Change the table as *message* says."""
        uid = facts.own_uid
        name = facts.name
        if name == "bridgedestroy":
            for bridge in facts.bridges:
                self._bridges.pop(bridge, None)
        if not uid:
            return
        if name == "newchannel":
            self._calls[uid] = (message, None)
        elif name == "newstate" and uid not in self._gone:
            self._calls[uid] = (self._calls.get(uid, (None, None))[0], message)
        elif name == "hangup":
            self._calls.pop(uid, None)
            self._gone[uid] = None
        elif name == "rename":
            self._rename(uid, message.get("Newname"))
        elif name == "bridgeenter" and facts.bridge_type == CALL_BRIDGE:
            for bridge in facts.bridges:
                self._bridges.setdefault(bridge, {})[uid] = None
        elif name == "bridgeleave":
            for bridge in facts.bridges:
                self._bridges.get(bridge, {}).pop(uid, None)

    def _rename(self, uid: str, name: str) -> None:
        """Let *uid* have the new *name*, in what will be replayed too.

        Renames end a masquerade (a transfer, a pickup, an optimised-away Local
        channel before Asterisk 12): the id stays, the channel's name moves.
        """
        call = self._calls.get(uid)
        if call is not None and name:
            newchannel, newstate = call
            self._calls[uid] = (
                newchannel and newchannel.replacing("Channel", name),
                newstate and newstate.replacing("Channel", name),
            )
