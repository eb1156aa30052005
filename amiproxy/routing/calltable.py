# SPDX-License-Identifier: GPL-2.0-or-later
"""CallTable: Newchannel and Newstate of every live channel of one Asterisk.

A filtered client that sees a call late is sent these two first, so that its picture
is whole (spec section 8).  One table a server; only that server's thread uses it, so
it needs no lock.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Callable, ClassVar, Optional

from amiproxy.basics.bounded import BoundedDict
from amiproxy.message import Message
from amiproxy.routing.facts import CALL_BRIDGE, LATE, PROVES_NOTHING, Facts, facts_of
from amiproxy.routing.linkedids import Linkedids
from amiproxy.routing.links import Links

#: Channels, bridges and ids of gone channels kept per server; beyond that the oldest
#: are dropped.  Asterisk reports each Hangup, so only what got lost is dropped.
MAX_CHANNELS = 20_000

#: Bytes of the messages kept per server, enough for that many usual ones; beyond that the
#: oldest are dropped.  Larger messages than MAX_KEPT are not kept: usual ones have 1 KB.
MAX_BYTES = 16 * 1024 * 1024
MAX_KEPT = 16 * 1024

#: Channels remembered of a bridge that joins the parties of one call.
MAX_IN_BRIDGE = 8

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


_NO_LINKS = Links(())
_NOBODY: BoundedDict[str, None] = BoundedDict(1)

#: Newchannel and latest Newstate of a channel, as far as they are kept.
_Call = tuple[Optional[Message], Optional[Message]]


def _size(call: _Call | None) -> int:
    """Return how many bytes the messages of *call* have."""
    if call is None:
        return 0
    newchannel, newstate = call
    return (len(newchannel.raw) if newchannel else 0) + (len(newstate.raw) if newstate else 0)


def _kept(message: Message) -> Message | None:
    """Return *message* without what was found in it, which takes more memory; None if large."""
    return Message(message.raw) if len(message.raw) <= MAX_KEPT else None


class CallTable:
    """What one Asterisk reported of its live channels, in the order it came."""

    def __init__(self, most: int = MAX_CHANNELS, most_bytes: int = MAX_BYTES) -> None:
        """Make an empty table for *most* channels, as many bridges and gone channels.

        Of the messages of live channels *most_bytes* bytes are kept.
        """
        self._most_bytes = most_bytes
        self.size = 0  #: bytes of the messages of live channels
        # Unique id -> (Newchannel or None, latest Newstate or None); a channel older
        # than our connection has no Newchannel.
        self._calls: OrderedDict[str, _Call] = OrderedDict()
        self._most = most
        # Channels that hung up.  Their ids still occur: as Linkedid of the channels that
        # go on talking, and in the Cdr and CEL that follow the Hangup.
        self._gone: BoundedDict[str, None] = BoundedDict(most)
        self._linkedids = Linkedids(most)
        # Bridge id -> the channels in it, as a set in the order they came.
        self._bridges: BoundedDict[str, BoundedDict[str, None]] = BoundedDict(most)

    def __len__(self) -> int:
        """Return how many live channels are known."""
        return len(self._calls)

    def clear(self) -> None:
        """Forget everything: the connection to this Asterisk was lost."""
        self._calls.clear()
        self.size = 0
        self._gone.clear()
        self._linkedids.clear()
        self._bridges.clear()

    def keep(self, message: Message) -> None:
        """Record *message* while no client filters by calls.

        Instead of :meth:`note`, and cheaper: most messages change nothing here and are
        not examined.
        """
        if message.raw.startswith(_CHANGES):
            facts = facts_of(message)
            self._begin(facts)
            self._update(message, facts)

    def note(self, message: Message) -> Links:
        """Record *message*, and return and keep with it what it means for calls.

        Call this once for each message, in the order Asterisk sent them, with the
        message as clients get it (with its ``Server:`` header).
        """
        facts = facts_of(message)
        if facts.uids or facts.bridges:
            links = self._links(facts, self._begin(facts))
            if facts.name in self._UPDATES:
                self._update(message, facts)
        else:
            links = _NO_LINKS
        message.links = links
        return links

    def _begin(self, facts: Facts) -> tuple[str, ...]:
        """Note to which call the channel of *facts* belongs now; return the ids that this ends."""
        uid, linkedid = facts.own_uid, facts.own_link
        if facts.name == "newchannel":
            self._gone.pop(uid, None)  # Asterisk uses the id again
        if not linkedid or self._linkedids.of.get(uid) == linkedid:
            return ()
        name = facts.name
        # A CEL may come before what happened before it, or after.
        stale = name in PROVES_NOTHING or (name == "cel" and uid in self._linkedids.of)
        if stale or not uid or uid in self._gone:
            return ()
        ended = self._linkedids.join(uid, linkedid)
        return (ended,) if ended and not self._is_live(ended) else ()

    def _links(self, facts: Facts, ended: tuple[str, ...]) -> Links:
        """Return the links of a message that is not in the table yet; it has *ended* some ids."""
        uids = facts.uids
        for uid in uids:
            if self._is_over(uid):
                uids = tuple([each for each in uids if not self._is_over(each)])
                break
        live = uids if facts.uids else facts.bridges
        name = facts.name
        past = facts.uids if name in LATE else ()
        if name in PROVES_NOTHING:
            return Links(live, past=past)
        if name == "bridgeenter" and facts.bridge_type == CALL_BRIDGE:
            if uids:
                live = uids = uids + self._others_in(facts.bridges, uids)
            return Links(live, uids + facts.bridges, ended, self._replays(facts, uids))
        if name == "hangup":
            ended += self._ended_with(facts.own_uid)
        elif name == "bridgedestroy":
            ended += facts.bridges
        return Links(live, uids, ended, self._replays(facts, uids), past)

    def _is_over(self, uid: str) -> bool:
        """Return whether the channel *uid* has hung up, and all that belonged to its call."""
        return uid in self._gone and uid not in self._linkedids.channels

    def _is_live(self, uid: str) -> bool:
        """Return whether a channel with this *uid* is known to live."""
        return uid in self._calls or uid in self._linkedids.of

    def _ended_with(self, uid: str) -> tuple[str, ...]:
        """Take the channel *uid*, which has hung up, out of its call; return the ids this ends."""
        linkedid = self._linkedids.leave(uid)
        ended = () if uid in self._linkedids.channels else (uid,)
        is_over = linkedid not in ("", uid) and not self._is_live(linkedid)
        return (*ended, linkedid) if is_over else ended

    def _others_in(self, bridges: tuple[str, ...], uids: tuple[str, ...]) -> tuple[str, ...]:
        """Return the channels that are in *bridges* already, without those in *uids*.

        The Bridge event of Asterisk before 12 names both channels, today's
        BridgeEnter only the one that enters: this is what links the two.
        """
        others: dict[str, None] = {}
        for bridge in bridges:
            others.update(self._bridges.get(bridge, _NOBODY))
        return tuple([uid for uid in others if uid not in self._gone and uid not in uids])

    def _replays(
        self, facts: Facts, uids: tuple[str, ...]
    ) -> tuple[tuple[str, tuple[Message, ...]], ...]:
        """Return what the table has of each of *uids*, without the message of *facts* itself."""
        calls = self._calls
        found = []
        for uid in uids:
            call = calls.get(uid)
            if call is None:
                continue
            newchannel, newstate = call
            if uid == facts.own_uid:
                if facts.name == "newchannel":
                    continue  # the message itself is the Newchannel
                if facts.name == "newstate":
                    newstate = None  # and here the Newstate
            found.append((uid, tuple([each for each in (newchannel, newstate) if each])))
        return tuple(found)

    # -- changing the table -------------------------------------------------------------------

    def _update(self, message: Message, facts: Facts) -> None:
        """Change the table as *message* says."""
        update = self._UPDATES.get(facts.name)
        if update is not None and (facts.own_uid or facts.name == "bridgedestroy"):
            update(self, message, facts)

    def _add(self, message: Message, facts: Facts) -> None:
        self._keep_call(facts.own_uid, (_kept(message), None))

    def _keep_call(self, uid: str, call: _Call) -> None:
        """Remember *call* of the channel *uid*; if that is too much the oldest ones go."""
        calls = self._calls
        self.size += _size(call) - _size(calls.get(uid))
        calls[uid] = call
        while len(calls) > self._most or self.size > self._most_bytes:
            _, oldest = calls.popitem(last=False)
            self.size -= _size(oldest)

    def _change_state(self, message: Message, facts: Facts) -> None:
        uid = facts.own_uid
        if uid not in self._gone:
            self._keep_call(uid, (self._calls.get(uid, (None, None))[0], _kept(message)))

    def _hang_up(self, _message: Message, facts: Facts) -> None:
        self.size -= _size(self._calls.pop(facts.own_uid, None))
        self._gone[facts.own_uid] = None
        self._linkedids.leave(facts.own_uid)

    def _rename(self, message: Message, facts: Facts) -> None:
        """Give a channel its new name, in what will be replayed too.

        A Rename ends a masquerade (a transfer, a pickup, an optimised-away Local
        channel before Asterisk 12): the id stays, the channel's name moves.
        """
        uid, name = facts.own_uid, message.get("Newname")
        call = self._calls.get(uid)
        if call is not None and name:
            newchannel, newstate = call
            renamed = (
                newchannel and _kept(newchannel.replacing("Channel", name)),
                newstate and _kept(newstate.replacing("Channel", name)),
            )
            self._keep_call(uid, renamed)

    def _enter_bridge(self, _message: Message, facts: Facts) -> None:
        if facts.bridge_type == CALL_BRIDGE:
            for bridge in facts.bridges:
                members = self._bridges.get(bridge)
                if members is None:
                    members = self._bridges[bridge] = BoundedDict(MAX_IN_BRIDGE)
                members[facts.own_uid] = None

    def _leave_bridge(self, _message: Message, facts: Facts) -> None:
        for bridge in facts.bridges:
            members = self._bridges.get(bridge)
            if members is not None:
                members.pop(facts.own_uid, None)

    def _destroy_bridge(self, _message: Message, facts: Facts) -> None:
        for bridge in facts.bridges:
            self._bridges.pop(bridge, None)

    # Event in lower case -> what it changes.
    _UPDATES: ClassVar[dict[str, Callable[[CallTable, Message, Facts], None]]] = {
        "newchannel": _add,
        "newstate": _change_state,
        "hangup": _hang_up,
        "rename": _rename,
        "bridgeenter": _enter_bridge,
        "bridgeleave": _leave_bridge,
        "bridgedestroy": _destroy_bridge,
    }
