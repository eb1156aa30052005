# SPDX-License-Identifier: GPL-2.0-or-later
"""Bounds: which channels, devices and contexts are a user's own, as a value."""

from __future__ import annotations

import re
from typing import NamedTuple

_GOSUB = re.compile(r"[,^|]")
# Variables of a channel by whose contents Asterisk goes on in another context:
# TRANSFER_CONTEXT, GOTO_ON_BLINDXFR, CONNECTED_LINE_SEND_SUB, DYNAMIC_FEATURES...
_JUMP = re.compile(r"context|goto|macro|gosub|_sub\b|_sub_args|features|parking|transfer_exten")


class Bounds(NamedTuple):
    """What a user may act on; "" does not limit."""

    #: Prefix of the channels that are the user's, in lower case.
    channel: str
    #: The one context that actions may name.
    context: str

    @property
    def limited(self) -> bool:
        """Whether anything is not the user's own."""
        return bool(self.channel or self.context)

    def has_channel(self, name: str) -> bool:
        """Return whether the channel *name* is the user's; ``&`` would join it to another."""
        return not self.channel or (name.lower().startswith(self.channel) and "&" not in name)

    def has_device(self, name: str) -> bool:
        """Return whether a mailbox, agent or endpoint is called as the user's device is."""
        device = self.channel.partition("/")[2]
        found = name.lower().partition("@")[0]
        return found + "-" == device if device.endswith("-") else found.startswith(device)

    def may_dial(self, destination: str) -> bool:
        """Return whether the user may have ``technology/address`` called.

        A Local channel has to enter the user's context, unless the prefix of their channels
        names a context itself: ``local/5@x``.
        """
        if not self.has_channel(destination):
            return False
        if not self.context or "@" in self.channel or not is_local(destination):
            return True
        return local_context(destination) == self.context

    def has_gosub(self, location: str) -> bool:
        """Return whether ``context,exten,priority`` names the user's context.

        Without a context Asterisk takes the one of the new channel, whatever that is.
        """
        parts = _GOSUB.split(location)
        return not self.context or (len(parts) > 2 and parts[0] == self.context)

    def has_variable(self, name: str) -> bool:
        """Return whether the user may set the variable *name*, which is in lower case."""
        return not self.context or _JUMP.search(name) is None


def is_local(channel: str) -> bool:
    """Return whether *channel* is one that enters the dialplan: ``Local/exten@context``."""
    return channel.partition("/")[0].strip().lower() == "local"


def local_context(channel: str) -> str:
    """Return the context of a Local *channel*.

    As Asterisk takes it apart (main/core_local.c): ``Local/exten@context/options``,
    the first ``/`` ends the address, the first ``@`` begins the context.
    """
    address = channel.partition("/")[2].partition("/")[0]
    return address.partition("@")[2]
