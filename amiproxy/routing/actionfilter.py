# SPDX-License-Identifier: GPL-2.0-or-later
"""ActionFilter: which actions a client with filters may send (spec section 8)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Callable, Protocol

from amiproxy.asterisk.actions import DEVICES, EVERYBODY, FREE, REACH, TARGET
from amiproxy.basics.boolean import parse_bool
from amiproxy.routing import dialplan, headers, runs
from amiproxy.routing.account import account_problem
from amiproxy.routing.bounds import Bounds, is_local, local_context
from amiproxy.routing.classes import SYSTEM

if TYPE_CHECKING:
    from amiproxy.asterisk.actions import Reach
    from amiproxy.message import Message

# Headers of actions that name a channel or device.  Asterisk also accepts a channel's
# unique id there; an id does not begin like the user's channels, so it is refused, as
# is the pattern that Hangup accepts (/^SIP.*$/).
_ACTION_CHANNELS = frozenset(
    name.lower()
    for name in (
        *headers.CHANNELS,
        *headers.INTERFACES,
        "AnnounceChannel",  # Park
        "Caller",  # QueueWithdrawCaller, QueueChangePriorityCaller
        "ChannelPrefix",  # AOCMessage
        "ExtraChannel",  # Redirect
        "TimeoutChannel",  # Park
    )
)

# Headers of actions that name a channel by its unique id only.
_ACTION_IDS = frozenset(name.lower() for name in (*headers.UNIQUEIDS, *headers.LINKEDIDS))

# Headers of actions that name a bridge, to hang up or show the channels in it.
_ACTION_BRIDGES = frozenset(name.lower() for name in headers.BRIDGES)

# Headers of Originate with an id for the new channel.
_NEW_IDS = frozenset(("channelid", "otherchannelid"))

# An id as Asterisk makes it: [SystemName-]seconds.number (main/channel.c).
_GENERATED = re.compile(r"(?:\A|-)[0-9]+\.[0-9]+\Z")

# Headers of actions that name a context.
_ACTION_CONTEXTS = frozenset(("context", "extracontext"))

# Headers by which something is run, or a call goes on.
_ACTION_RUNS = frozenset(
    ("application", "command", "predialgosub", "receive", "variable", "variables")
)

# All headers that are looked at.
_LOOKED_AT = (
    _ACTION_CHANNELS | _ACTION_IDS | _ACTION_BRIDGES | _NEW_IDS | _ACTION_CONTEXTS | _ACTION_RUNS
) | {"dahdichannel", *DEVICES}

# Actions that may have a channel receive digits.
_DIGITS = frozenset(("playdtmf", "sendflash"))

# Actions that read the database, as the function DB does, which needs the class system: it
# holds passwords.
_DATABASE = frozenset(("dbget", "dbgettree"))

# The action that sets a variable of everybody's, if no channel is named.
_GLOBAL = "setvar"


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

    @property
    def write(self) -> int:
        """The classes of actions that the user may send."""


class ActionFilter:
    """The filters of one user, for actions."""

    def __init__(self, user: ActionSettings, local: str) -> None:
        """Filter as *user* says; *local* is ``filterlocal``: off, allow, allowwith, enforce."""
        self._bounds = Bounds(user.channel.lower(), user.out_context)
        self._account = user.accountcode
        self._local = local
        self._privileged = bool(user.write & SYSTEM)

    def outgoing(self, message: Message, knows: Callable[[str], bool]) -> Message | str:
        """Return the action *message* as it may go to Asterisk, or why it is refused.

        *knows* says whether the client knows the channel or bridge of a unique id.
        Every header counts, not only the first of a name, and what Asterisk may read
        differently from the proxy is refused: line ends and NULs in a line, two actions.
        The reason is for the log, and holds nothing that the client wrote.
        """
        if self._bounds.limited:
            problem = self._problem(message, knows)
            if problem is not None:
                return problem
            message = self._completed(message)
        if self._account:
            problem = account_problem(message)
            if problem is not None:
                return problem
            if message.action == "originate" or message.has("Account"):
                message = message.setting("Account", self._account)
        return message

    def _problem(self, message: Message, knows: Callable[[str], bool]) -> str | None:
        """Return why the user's channel or context does not let *message* pass, or None."""
        if _ambiguous(message.raw):
            return "a line end or NUL in a line"
        raw = message.raw
        if raw.lower().count(b"action:") > 1 and len(_actions(message)) > 1:
            return "more than one action"
        reach = REACH.get(message.action)
        problem = None if reach is None else self._reach_problem(reach, message)
        if problem is not None:
            return problem
        evaluated = b"${" in raw
        for header, value in message.headers():
            name = header.lower()
            # Without a value it is for Asterisk not there.
            if value and (evaluated or name in _LOOKED_AT):
                problem = self._header_problem(name, value, message, knows)
                problem = problem or self._device_problem(name, value, message)
                problem = problem or self._run_problem(name, value, message)
                if problem is not None:
                    return problem
        return None

    def _reach_problem(self, reach: Reach, message: Message) -> str | None:
        """Return why *message* reaches more than the user's own, by what it does not name."""
        if self._is_about_everybodys_data(message):
            return "a variable of everybody's, or the database"
        if not self._bounds.channel:
            return None
        if reach.kind == EVERYBODY:
            return "an action on what is everybody's"
        for header in reach.needed:
            if not message.get(header):
                return f"without {header} it is everybody's"
        return None

    def _is_about_everybodys_data(self, message: Message) -> bool:
        """Return whether *message* sets or shows variables of no named channel, or the database."""
        if message.action in _DATABASE:
            return not self._privileged
        if message.get("Channel"):
            return False
        asked = message.get("Variables") or message.get("AllVariables")
        return message.action == _GLOBAL or bool(
            self._bounds.channel and message.action == "status" and asked
        )

    def _header_problem(
        self, name: str, value: str, message: Message, knows: Callable[[str], bool]
    ) -> str | None:
        """Return why the header *name* names what is not the user's own, or None."""
        bounds = self._bounds
        if bounds.context and name in _ACTION_CONTEXTS and value != bounds.context:
            return "another context"
        if name == "predialgosub" and not bounds.has_gosub(value):
            return "another context"
        if name == "receive" and bounds.context and message.action in _DIGITS:
            return None if parse_bool(value) is False else "digits that could transfer the call"
        if name in _ACTION_CHANNELS:
            return None if self._may_use(name, value, message) else "another's channel"
        if bounds.channel and not self._may_name(name, value, message, knows):
            return "another's call"
        return None

    def _device_problem(self, name: str, value: str, message: Message) -> str | None:
        """Return why the header *name* names another's device, or what belongs to it, or None."""
        kind = DEVICES.get(name)
        if kind is None or name in _ACTION_CHANNELS or message.action in FREE:
            return None
        return None if self._bounds.has_device(kind, value) else f"another's {name}"

    def _may_use(self, name: str, value: str, message: Message) -> bool:
        """Return whether the header *name* names a channel that is the user's."""
        if name == "destination" and self._bounds.has_device(TARGET, value):
            return True
        if name == "interface":
            return self._bounds.may_dial(value)
        if name == "timeoutchannel" or (name == "channel2" and message.action == "park"):
            return self._bounds.may_return_to(value)
        if name == "channel" and message.action == "originate":
            return self._bounds.may_dial(value) or self._local_channel(value) is not None
        return self._bounds.has_channel(value)

    def _run_problem(self, name: str, value: str, message: Message) -> str | None:
        """Return why the header *name* has something run beyond the user's own, or None."""
        bounds, privileged, action = self._bounds, self._privileged, message.action
        if not dialplan.is_evaluated(action, name):
            return None
        if name == "variables" or (name == "variable" and action == "getvar"):
            return runs.reading_problem(value, privileged=privileged)
        if name == "variable":
            return runs.setting_problem(value, bounds, privileged=privileged)
        if name == "application" and action == "originate":
            data = message.all("Data") or [""]
            found = (
                runs.application_problem(value, each, bounds, privileged=privileged)
                for each in data
            )
            return next(filter(None, found), None)
        if name == "command" and action == "agi":
            return runs.agi_problem(value, bounds, privileged=privileged)
        return runs.embedded_problem(value, privileged=privileged)

    def _completed(self, message: Message) -> Message:
        """Return *message* with the context that Asterisk would take from elsewhere."""
        originate = message.action == "originate"
        if originate:
            for value in message.all("Channel"):
                local = None if self._bounds.may_dial(value) else self._local_channel(value)
                if local is not None and local != value:
                    message = message.replacing("Channel", local)
        context = self._bounds.context
        if not context or message.get("Context") or not _needs_context(message, originate):
            return message
        return message.setting("Context", context)

    def _may_name(
        self, name: str, value: str, message: Message, knows: Callable[[str], bool]
    ) -> bool:
        """Return whether the header *name* of an action names no call of another user's."""
        if name in _NEW_IDS:
            return not ("/" in value or _GENERATED.search(value) or knows(value))
        if name == "dahdichannel":  # in DAHDIHangup and its kin: a number
            return f"dahdi/{value}-".lower().startswith(self._bounds.channel)
        if name in _ACTION_BRIDGES:  # BridgeKick takes out the channel that it names
            return knows(value) or (message.action == "bridgekick" and bool(message.get("Channel")))
        return name not in _ACTION_IDS or knows(value)

    def _local_channel(self, channel: str) -> str | None:
        """Return the ``Local/...`` *channel* an Originate may have instead, or None."""
        context = self._bounds.context
        if not is_local(channel):
            return None
        if self._local == "allow":
            return channel
        if not context or self._local not in ("allowwith", "enforce"):
            return None
        if local_context(channel) == context:
            return channel
        technology, _, rest = channel.partition("/")
        address, slash, options = rest.partition("/")
        if self._local == "allowwith" or "@" in options:
            return None
        return f"{technology}/{address.partition('@')[0]}@{context}{slash}{options}"


def _needs_context(message: Message, originate: bool) -> bool:
    """Return whether Asterisk carries *message*, which names no context, out in some other."""
    if originate:
        # Asterisk refuses one without Priority, but does not look if it is asynchronous.
        chosen = message.get("Priority") or message.get("Async")
        return bool(chosen) and not message.get("Application")
    reach = REACH.get(message.action)
    return reach is not None and bool(reach.context)


def _ambiguous(raw: bytes) -> bool:
    """Return whether Asterisk may see other lines in *raw* than the proxy does.

    For it a bare LF ends a line, and a NUL ends the line or the whole message.
    """
    return b"\0" in raw or raw.count(b"\n") != raw.count(b"\r\n")


def _actions(message: Message) -> set[str]:
    """Return the different actions that *message* asks for."""
    return {value.lower() for value in message.all("Action") if value}
