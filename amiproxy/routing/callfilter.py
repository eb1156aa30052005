# SPDX-License-Identifier: GPL-2.0-or-later
"""SessionFilter: may this message pass to, or from, this client (spec section 8).

Each logged-in client has one.  The threads of all servers and the client's own use it;
the caller holds the session's lock, so it needs none.  What the client may see and do
by class (rights, event filters) is decided elsewhere.
"""

from __future__ import annotations

import re
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from amiproxy.basics.bounded import BoundedDict
from amiproxy.routing.calltable import Links
from amiproxy.routing.facts import (
    BRIDGE_HEADERS,
    CHANNEL_HEADERS,
    LINKEDID_HEADERS,
    UNIQUEID_HEADERS,
    Facts,
    facts_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amiproxy.message import Message

#: Unique ids remembered per client and server; beyond that the oldest are dropped (C: 1024).
MAX_KNOWN = 4096


class CallFilter(NamedTuple):
    """One word of a user's ``filters``."""

    #: Names of events, in lower case.
    events: frozenset[str]
    #: What these events are called in ``astmanproxy -t``.
    description: str
    #: True: only these events pass, and those of other such words; False: these do not pass.
    only: bool = True


#: The words of ``filters``, in lower case.  The events are those of Asterisk before 12
#: and today's.  A new word is a row here and a line in the sample users file.
CALL_FILTERS: Mapping[str, CallFilter] = MappingProxyType(
    {
        "cdronly": CallFilter(frozenset(("cdr",)), "Cdr"),
        "brionly": CallFilter(
            frozenset(
                (
                    "bridge",
                    "bridgecreate",
                    "bridgedestroy",
                    "bridgeenter",
                    "bridgeleave",
                    "bridgemerge",
                    "link",  # 1.2 and 1.4
                    "unlink",
                )
            ),
            "Bridge",
        ),
        "xfronly": CallFilter(
            frozenset(("attendedtransfer", "blindtransfer", "transfer")), "Transfer"
        ),
        "novar": CallFilter(
            frozenset(("set", "setvar", "varset")), "variables being set", only=False
        ),
    }
)

# Headers of actions that name a channel or device.  Asterisk also accepts a channel's
# unique id there; an id does not begin like the user's channels, so it is refused, as
# is the pattern that Hangup accepts (/^SIP.*$/).
_ACTION_CHANNELS = frozenset(
    name.lower()
    for name in (
        *CHANNEL_HEADERS,
        "AnnounceChannel",  # Park
        "Caller",  # QueueWithdrawCaller, QueueChangePriorityCaller
        "ChannelPrefix",  # AOCMessage
        "ExtraChannel",  # Redirect
        "TimeoutChannel",  # Park
    )
) - {"from"}  # in MessageSend: a sender, in others no channel

# Headers of actions that name a channel by its unique id only.
_ACTION_IDS = frozenset(name.lower() for name in (*UNIQUEID_HEADERS, *LINKEDID_HEADERS))

# Headers of actions that name a bridge, to hang up or show the channels in it.
_ACTION_BRIDGES = frozenset(name.lower() for name in BRIDGE_HEADERS)

# Headers of Originate with an id for the new channel.
_NEW_IDS = frozenset(("channelid", "otherchannelid"))

# An id as Asterisk makes it: [SystemName-]seconds.number (main/channel.c).
_GENERATED = re.compile(r"(?:\A|-)[0-9]+\.[0-9]+\Z")

# Headers of actions that name a context.
_ACTION_CONTEXTS = frozenset(("context", "extracontext"))


class _Verdict(Enum):
    """What an event is to a client whose filters go by calls."""

    WITHHELD = "the client does not get it"
    PASSING = "the client gets it: it names nothing that speaks against it"
    OWN = "the client gets it: it belongs to one of the client's calls"


# By name: an Enum's attributes take time to look up.
_WITHHELD, _PASSING, _OWN = _Verdict


class FilterSettings(Protocol):
    """What a filter reads of a user, see amiproxy.access.user."""

    @property
    def channel(self) -> str:
        """Prefix of the channels that are the user's, in any case; "" = all."""

    @property
    def out_context(self) -> str:
        """The one context actions may name; "" = all."""

    @property
    def in_context(self) -> str:
        """The one context events may name; "" = all."""

    @property
    def accountcode(self) -> str:
        """The account every Originate is made on; "" = as the client says."""

    @property
    def more_events(self) -> bool:
        """Whether events that belong to no channel pass, too."""

    @property
    def filters(self) -> frozenset[str]:
        """Keys of CALL_FILTERS."""


def _events(rows: Iterable[CallFilter]) -> frozenset[str]:
    """Return the events of all *rows*."""
    return frozenset().union(*(row.events for row in rows))


class SessionFilter:
    """The filters of one user, and what one client knows of each server's calls."""

    def __init__(self, user: FilterSettings, local: str, *, most_ids: int = MAX_KNOWN) -> None:
        """Filter as *user* says; *local* is ``filterlocal``: off, allow, allowwith, enforce.

        Of each server *most_ids* unique ids are remembered.
        """
        self._channel = user.channel.lower()
        # Each channel of a message stands behind a line feed in facts.channels.
        self._needle = "\n" + self._channel if self._channel else ""
        self._in_context = user.in_context
        self._out_context = user.out_context
        self._account = user.accountcode
        self._more_events = user.more_events
        self._local = local
        chosen = [row for name, row in CALL_FILTERS.items() if name in user.filters]
        self._only = _events(row for row in chosen if row.only)
        self._withheld = _events(row for row in chosen if not row.only)
        # Whether the filters go by calls, and not just by single events: ids count.
        self._by_call = bool(self._channel or self._in_context)
        # Scope -> ids of the calls the client knows there, oldest first.
        self._known: dict[str, BoundedDict[str, None]] = {}
        self._most_ids = most_ids

    @property
    def active(self) -> bool:
        """Whether any message of an Asterisk may be withheld."""
        return bool(self._by_call or self._only or self._withheld)

    def forget(self, scope: str) -> None:
        """Forget the calls of the server *scope*: its connection was lost."""
        self._known.pop(scope, None)

    def incoming(self, message: Message, scope: str, answer: bool) -> tuple[Message, ...]:
        """Return what the client gets for *message*: nothing, or replays and the message.

        *scope* tells the servers apart, whose unique ids may be the same.  *answer*
        says that *message* belongs to an action of this client: it passes, and makes no
        call known, because a list of all channels would make all calls known.

        What goes by calls needs what the server's call table noted: a message without
        it came before the client logged in, and is withheld.

        Ask last, for messages that pass everything else: what is returned here counts
        as sent.  Replayed messages have to pass the other checks themselves.
        """
        if answer or message.own:
            return (message,)
        facts = message.facts
        if type(facts) is not Facts:
            facts = facts_of(message)
        if facts.response:
            return (message,) if self._foreign_answer(message) else ()
        if not self._by_call:
            return (message,) if self._wants(facts.name) else ()
        links = message.links
        if type(links) is not Links or facts.name in self._withheld:
            return ()
        known = self._known.get(scope)
        if known is None:
            known = self._known[scope] = BoundedDict(self._most_ids)
        verdict = self._verdict(facts, links, known)
        replay = _learn(links, known) if verdict is _OWN else ()
        if verdict is _WITHHELD or not self._wants(facts.name):
            return ()
        # A client of Cdrs alone wants no Newchannel, but its calls are followed.
        return (*replay, message) if replay and not self._only else (message,)

    def _wants(self, name: str) -> bool:
        """Return whether events of this *name* are of the kinds that the user wants."""
        return name not in self._withheld and (not self._only or name in self._only)

    def _verdict(self, facts: Facts, links: Links, known: BoundedDict[str, None]) -> _Verdict:
        """Return what an event is to a client that knows the ids *known*."""
        contexts = facts.contexts
        elsewhere = self._in_context and contexts and self._in_context not in contexts
        if elsewhere and any(contexts):
            # A channel that left the context still ends for a client that saw it begin.
            return _OWN if facts.name == "hangup" and facts.own_uid in known else _WITHHELD
        if self._needle and self._needle in facts.channels:
            return _OWN
        for uid in links.live:  # a loop: any() takes three times as long
            if uid in known:
                return _OWN
        if elsewhere or (facts.uids and self._needle):
            # Where the context is empty, as a dialled channel's may be, known calls only.
            return _WITHHELD
        if facts.uids:
            return _OWN if contexts else _PASSING
        nameless = self._more_events and not (self._needle and facts.channels)
        return _PASSING if nameless else _WITHHELD

    def _foreign_answer(self, message: Message) -> bool:
        """Return whether an answer that is not to this client passes.

        To a filtered client it is like an event without unique id, and it never
        passes if it certainly belongs to another client.
        """
        if self._by_call:
            return self._more_events and not message.has("ActionID")
        return not self._only

    def outgoing(self, message: Message) -> Message | None:
        """Return the action *message* as it may go to Asterisk, or None if it is refused.

        Every header counts, not only the first of a name, and what Asterisk may read
        differently from the proxy is refused: line ends and NULs in a line.
        """
        if self._channel or self._out_context:
            if _ambiguous(message.raw):
                return None
            checked = self._checked(message)
            if checked is None:
                return None
            message = checked
        if self._account:
            if message.has("Account"):
                message = message.replacing("Account", self._account)
            elif message.action == "originate":
                message = message.with_header("Account", self._account)
        return message

    def _checked(self, message: Message) -> Message | None:
        """Return *message*, its Local channel rewritten if necessary; None if it is refused."""
        originate = _is_originate(message)
        for header, value in message.headers():
            name = header.lower()
            if not value:
                continue  # to Asterisk it is not there
            if self._out_context and name in _ACTION_CONTEXTS and value != self._out_context:
                return None
            if not self._channel:
                continue
            if name in _ACTION_CHANNELS:
                if value.lower().startswith(self._channel):
                    continue
                local = self._local_channel(value) if originate and name == "channel" else None
                if local is None:
                    return None
                if local != value:
                    message = message.replacing("Channel", local)
            elif not self._may_name(name, value, message):
                return None
        return message

    def _may_name(self, name: str, value: str, message: Message) -> bool:
        """Return whether the header *name* of an action names no call of another user's."""
        if name in _NEW_IDS:
            return not ("/" in value or _GENERATED.search(value) or self.knows(value))
        if name == "dahdichannel":  # in DAHDIHangup and its kin: a number
            return f"dahdi/{value}-".lower().startswith(self._channel)
        if name in _ACTION_BRIDGES:  # who may name a channel in it may name the bridge
            return self.knows(value) or message.has("Channel")
        return name not in _ACTION_IDS or self.knows(value)

    def knows(self, uid: str) -> bool:
        """Return whether the client knows the channel or bridge *uid* of any server."""
        return any(uid in known for known in self._known.values())

    def _local_channel(self, channel: str) -> str | None:
        """Return the ``Local/...`` *channel* an Originate may have instead, or None.

        As Asterisk takes it apart (main/core_local.c): ``Local/exten@context/options``,
        the first ``/`` ends the address, the first ``@`` begins the context.
        """
        technology, _, rest = channel.partition("/")
        if technology.lower() != "local":
            return None
        if self._local == "allow":
            return channel
        if not self._out_context or self._local not in ("allowwith", "enforce"):
            return None
        address, slash, options = rest.partition("/")
        exten, _, context = address.partition("@")
        if context == self._out_context:
            return channel
        if self._local == "allowwith" or "@" in options:
            return None
        return f"{technology}/{exten}@{self._out_context}{slash}{options}"


def _learn(links: Links, known: BoundedDict[str, None]) -> list[Message]:
    """Note in *known* the ids of an event of an own call; return what must be sent before it."""
    replay: list[Message] = []
    for uid, messages in links.replays:
        if uid not in known:
            replay += messages
    for uid in links.learned:
        if uid not in known:
            known[uid] = None
    for uid in links.ended:
        known.pop(uid, None)
    return replay


def _ambiguous(raw: bytes) -> bool:
    """Return whether Asterisk may see other lines in *raw* than the proxy does.

    For it a bare LF ends a line, and a NUL ends the line or the whole message.
    """
    return b"\0" in raw or raw.count(b"\n") != raw.count(b"\r\n")


def _is_originate(message: Message) -> bool:
    """Return whether *message* is an Originate, whichever Action header counts."""
    actions = [value.lower() for value in message.all("Action") if value]
    return bool(actions) and all(action == "originate" for action in actions)
