# SPDX-License-Identifier: GPL-2.0-or-later
"""Which device the value of an action's header names, for each kind of asterisk/actions.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Callable

from amiproxy.asterisk import actions

if TYPE_CHECKING:
    from collections.abc import Mapping

# What may join several devices, mailboxes or addresses in one value.
_SEVERAL = re.compile(r"[&,|]")
# What may stand behind a name in an address, to say where else it is.
_ELSEWHERE = re.compile(r"[/@:;?]")
_USER = re.compile(r"(?:[a-z]+:)*([^/@:;?]*)")


def device_named(kind: str, value: str) -> str:
    """Return the device that *value* names: ``PJSIP/101``, or ``/101`` of any technology.

    *kind* is one of the values of :data:`amiproxy.asterisk.actions.DEVICES`.  "" if it is
    several, or none.
    """
    if _SEVERAL.search(value):
        return ""
    read = _READERS.get(kind)
    if read is not None:
        return read(value)
    return value if "/" in value else f"{kind}/{value}"


def _name(value: str) -> str:
    """``101@default``: the mailbox or agent of a device."""
    return f"/{value.partition('@')[0]}"


def _device(value: str) -> str:
    return value if "/" in value else ""


def _target(value: str) -> str:
    """``pjsip:101``: where a message goes, if it is to that device and not through it."""
    technology, colon, name = value.partition(":")
    return f"{technology}/{name}" if colon and not _ELSEWHERE.search(name) else ""


def _sender(value: str) -> str:
    """``"Name" <sip:101@host>``, or the address alone."""
    before, bracket, address = value.rpartition("<")
    if "<" in before or value.count(">") != len(bracket):
        return ""
    user = _USER.match(address.partition(">")[0].strip().lower())
    return f"/{user.group(1)}" if user else ""


def _foreign(_value: str) -> str:
    return ""


_READERS: Mapping[str, Callable[[str], str]] = {
    actions.NAME: _name,
    actions.DEVICE: _device,
    actions.TARGET: _target,
    actions.SENDER: _sender,
    actions.FOREIGN: _foreign,
}
