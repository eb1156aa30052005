# SPDX-License-Identifier: GPL-2.0-or-later
"""ActionFilter: which actions a client with filters may send (spec section 8)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Callable, Protocol

from amiproxy.routing.facts import (
    BRIDGE_HEADERS,
    CHANNEL_HEADERS,
    LINKEDID_HEADERS,
    UNIQUEID_HEADERS,
)

if TYPE_CHECKING:
    from amiproxy.message import Message

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


class ActionSettings(Protocol):
    """What a filter of actions reads of a user."""

    @property
    def channel(self) -> str:
        """Prefix of the channels that are the user's, in any case; "" = all."""

    @property
    def out_context(self) -> str:
        """The one context actions may name; "" = all."""

    @property
    def accountcode(self) -> str:
        """The account every Originate is made on; "" = as the client says."""


class ActionFilter:
    """The filters of one user, for actions."""

    def __init__(self, user: ActionSettings, local: str) -> None:
        """Filter as *user* says; *local* is ``filterlocal``: off, allow, allowwith, enforce."""
        self._channel = user.channel.lower()
        self._out_context = user.out_context
        self._account = user.accountcode
        self._local = local

    def outgoing(self, message: Message, knows: Callable[[str], bool]) -> Message | None:
        """Return the action *message* as it may go to Asterisk, or None if it is refused.

        *knows* says whether the client knows the channel or bridge of a unique id.
        Every header counts, not only the first of a name, and what Asterisk may read
        differently from the proxy is refused: line ends and NULs in a line.
        """
        if self._channel or self._out_context:
            if _ambiguous(message.raw):
                return None
            checked = self._checked(message, knows)
            if checked is None:
                return None
            message = checked
        if self._account:
            if message.has("Account"):
                message = message.replacing("Account", self._account)
            elif message.action == "originate":
                message = message.with_header("Account", self._account)
        return message

    def _checked(self, message: Message, knows: Callable[[str], bool]) -> Message | None:
        """Return *message*, its Local channel rewritten if necessary; None if it is refused."""
        originate = _is_originate(message)
        for header, value in message.headers():
            name = header.lower()
            if not value:
                continue  # for Asterisk it is not there
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
            elif not self._may_name(name, value, message, knows):
                return None
        return message

    def _may_name(
        self, name: str, value: str, message: Message, knows: Callable[[str], bool]
    ) -> bool:
        """Return whether the header *name* of an action names no call of another user's."""
        if name in _NEW_IDS:
            return not ("/" in value or _GENERATED.search(value) or knows(value))
        if name == "dahdichannel":  # in DAHDIHangup and its kin: a number
            return f"dahdi/{value}-".lower().startswith(self._channel)
        if name in _ACTION_BRIDGES:  # a client that may name a channel in it may name it
            return knows(value) or message.has("Channel")
        return name not in _ACTION_IDS or knows(value)

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


def _ambiguous(raw: bytes) -> bool:
    """Return whether Asterisk may see other lines in *raw* than the proxy does.

    For it a bare LF ends a line, and a NUL ends the line or the whole message.
    """
    return b"\0" in raw or raw.count(b"\n") != raw.count(b"\r\n")


def _is_originate(message: Message) -> bool:
    """Return whether *message* is an Originate, whichever Action header counts."""
    actions = [value.lower() for value in message.all("Action") if value]
    return bool(actions) and all(action == "originate" for action in actions)
