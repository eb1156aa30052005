# SPDX-License-Identifier: GPL-2.0-or-later
"""Bounds: which channels, devices and contexts are a user's own, as a value."""

from __future__ import annotations

import re
from typing import NamedTuple

from amiproxy.routing.named import device_named

_GOSUB = re.compile(r"[,^|]")
# Variables of a channel by whose contents Asterisk goes on in another context:
# TRANSFER_CONTEXT, GOTO_ON_BLINDXFR, CONNECTED_LINE_SEND_SUB, DYNAMIC_FEATURES...
_JUMP = re.compile(r"context|goto|macro|gosub|_sub\b|_sub_args|features|parking|transfer_exten")
# Variables that name the channel to which a parked call comes back.
_DIALLED = re.compile("blindtransfer|attendedtransfer")


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

    def has_device(self, kind: str, value: str) -> bool:
        """Return whether the *value* of a header of an action names a device of the user's.

        *kind* says how: see :data:`amiproxy.asterisk.actions.DEVICES`.
        """
        if not self.channel:
            return True
        device = device_named(kind, value)
        if not device:
            return False
        if device.startswith("/"):
            device = self.channel.partition("/")[0] + device
        # As the names of its channels begin; with its hyphen a prefix means one device alone.
        channel = f"{device.lower()}-"
        exact = self.channel.endswith("-")
        return channel == self.channel if exact else channel.startswith(self.channel)

    def may_dial(self, destination: str) -> bool:
        """Return whether the user may have ``technology/address`` called.

        A Local channel has to enter the user's context, unless the prefix of their channels
        names a context itself: ``local/5@x``.
        """
        return self.has_channel(destination) and self._calls_own(destination)

    def may_return_to(self, name: str) -> bool:
        """Return whether a call may come back to the channel *name*, whose device is dialled."""
        # As Asterisk makes the one of the other (ast_channel_name_to_dial_string).
        return self.has_channel(name) and self._calls_own(name.rpartition("-")[0] or name)

    def _calls_own(self, destination: str) -> bool:
        """Return whether *destination*, which begins as it must, is the user's own."""
        if is_local(destination):
            bounded = self.context and "@" not in self.channel
            return not bounded or local_context(destination) == self.context
        return not self.channel.partition("/")[2] or not _names_another_device(
            destination, len(self.channel)
        )

    def has_gosub(self, location: str) -> bool:
        """Return whether ``context,exten,priority`` names the user's context.

        Without a context Asterisk takes the one of the new channel, whatever that is.
        """
        parts = _GOSUB.split(location)
        return not self.context or (len(parts) > 2 and parts[0] == self.context)

    def has_variable(self, name: str) -> bool:
        """Return whether the user may set the variable *name*, which is in lower case."""
        if self.limited and _DIALLED.search(name) is not None:
            return False
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


def _names_another_device(destination: str, prefix: int) -> bool:
    """Return whether *destination* is to a device that stands behind the first *prefix* characters.

    In ``PJSIP/100@trunk`` that is ``trunk``, and 100 what is dialled there; in
    ``PJSIP/100/sip:5@host`` it is 100 (chan_pjsip.c, request).  SIP looks for the first ``@``
    of all.
    """
    at = destination.find("@")
    if at < prefix:
        return False
    technology = destination.partition("/")[0]
    return "/" not in destination[len(technology) + 1 : at] or technology.strip().lower() == "sip"
