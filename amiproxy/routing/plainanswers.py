# SPDX-License-Identifier: GPL-2.0-or-later
"""Plain answers: a read that brings one Response after the other, in the order of what was asked.

That is the quick way of what ``Ledger.classify`` does exactly, for one message each; nearly all
that Asterisk answers goes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amiproxy.message import END
from amiproxy.wire.routed import PROXY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.routing.pending import PendingAction

#: How Asterisk begins its answers.
_SUCCESS, _ERROR = b"Response: Success\r\nActionID: ", b"Response: Error\r\nActionID: "
_ID = len(b"\r\nActionID: ")

#: What only the beginning of a list holds, in lower case (``answers.starts_list``).
_LIST = (b"eventlist", b"will follow")


class PlainAnswer(NamedTuple):
    """The whole answer to *action*: *raw* is as its client gets it."""

    action: PendingAction
    raw: bytes
    is_success: bool


def plain_answers(wire: bytes, asked: Iterable[PendingAction]) -> list[PlainAnswer]:
    """Return the answers in *wire*, whole messages, to the first of *asked*; none if one is odd.

    Where nothing but an answer of one message can come to an action, and nobody else than its
    client is told when it does.
    """
    found: list[PlainAnswer] = []
    lower = wire.lower()
    if _LIST[0] in lower or _LIST[1] in lower:
        return found
    parts = wire.split(END)
    parts.pop()
    for part, action in zip(parts, asked):
        is_success = part.startswith(_SUCCESS)
        if not is_success and not part.startswith(_ERROR):
            return []
        if action.owner == PROXY or action.held_back or action.refused or action.witness:
            return []
        begin, wire_id = len(_SUCCESS if is_success else _ERROR), action.wire_id.encode("latin-1")
        rest = part[begin + len(wire_id) :]
        # A longer ActionID begins alike.
        if not part.startswith(wire_id, begin) or (rest and not rest.startswith(b"\r\n")):
            return []
        given = action.given
        if given is None:
            raw = part[: begin - _ID] + rest + END
        else:
            raw = part[:begin] + given.encode("latin-1", "replace") + rest + END
        found.append(PlainAnswer(action, raw, is_success))
    return found if len(found) == len(parts) else []
