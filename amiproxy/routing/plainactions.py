# SPDX-License-Identifier: GPL-2.0-or-later
"""Plain actions: blocks in which one search shows that nothing in them needs a closer look.

That is the quick way of what ``upstream.prepare`` does exactly; nearly all that clients ask goes
it.  Whatever is odd, or means more than to be passed on, does not.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from amiproxy.asterisk.actions import ACTIONS
from amiproxy.message import END
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.pending import PendingAction
from amiproxy.routing.upstream import SPECIAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.limits import Limits
    from amiproxy.routing.actionids import ActionIds
    from amiproxy.routing.pending import Asker

#: A header that neither the proxy nor ``problem`` reads: what begins with Proxy is the proxy's own,
#: Server says where the action goes.  Its name decides where it ends: the search never turns back.
_OTHER = rb"(?!(?i:proxy|server:|action:|actionid:))[\w-]+: [^\r\n\0]*\r\n"

#: Action first, as every Asterisk reads it; perhaps one ActionID, which is not empty.
_BLOCK = re.compile(
    rb"(?i:Action): (\w+)\r\n(?:%b)*(?:(?i:ActionID): ([!-\xff][^\r\n\0]*)\r\n(?:%b)*)?\r\n"
    % (_OTHER, _OTHER)
)

#: As Asterisk spells them, by their bytes in lower case: actions that the proxy does not treat
#: in a way of their own on their way to Asterisk.
PLAIN: Mapping[bytes, str] = MappingProxyType(
    {name.lower().encode(): name for name in ACTIONS if name.lower() not in SPECIAL}
)

#: Finds out whether bytes are one plain block; groups are the action, and what ActionID gives.
find = _BLOCK.fullmatch

_UNIQUE = AutoFilter.UNIQUE  # looked up in the class it would cost more than the comparison


class PlainAction(PendingAction):
    """A plain action: all that is not set here is as for any action that nothing is known of."""

    def __init__(self, asker: Asker, raw: bytes, wire_id: str, given: str | None) -> None:
        """*raw* of the session *asker* goes upstream with the ActionID *wire_id*."""
        self.owner, self.asker = asker.number, asker
        self.raw, self.wire_id, self.given = raw, wire_id, given
        self.private = asker.mode is _UNIQUE


def prepare(
    found: re.Match[bytes], ids: ActionIds, asker: Asker, limits: Limits
) -> PlainAction | None:
    """Return what ``find`` has *found* as Asterisk is to get it; None: it may be too long."""
    block, value = found.string, found[2]
    if value is None:
        given, wire_id = None, ids.make(asker.number, None)
        raw = block[:-2] + b"ActionID: " + wire_id.encode() + END
    else:
        given = value.decode("latin-1")
        wire_id = ids.make(asker.number, given)
        begin, end = found.span(2)
        raw = block[:begin] + wire_id.encode("latin-1") + block[end:]
    if len(raw) - len(END) > limits.line or raw.count(b"\n") - 1 > limits.headers:
        return None
    return PlainAction(asker, raw, wire_id, given)
