# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client of the proxy was sent, beside what Asterisk sent a direct client."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.asterisk.decoding import Lines

_MOST = 12  # differences that are told


class WrongServerError(Exception):
    """What does not bear the one ``Server:`` header that it should."""


def without_server(seen: Sequence[Lines], server: str) -> list[Lines]:
    """Return *seen* as Asterisk wrote it: each message ends with the header of *server*."""
    mark = f"Server: {server}".encode()
    for one in seen:
        if one[-1] != mark or mark in one[:-1]:
            raise WrongServerError(one)
    return [one[:-1] for one in seen]


class Comparison(NamedTuple):
    """Two clients during one flow."""

    #: Messages of the direct client.
    events: int
    #: What is different, in words: nothing, if it is empty.
    differences: list[str]


def compared(direct: Sequence[Lines], seen: Sequence[Lines]) -> Comparison:
    """Compare the same events, in the same order, byte by byte."""
    if list(direct) == list(seen):
        return Comparison(len(direct), [])
    matcher = difflib.SequenceMatcher(None, direct, seen, autojunk=False)
    told = [
        f"{what} at {begin}: direct {_shown(direct[begin:end])}, proxy {_shown(seen[first:last])}"
        for what, begin, end, first, last in matcher.get_opcodes()
        if what != "equal"
    ]
    return Comparison(len(direct), told[:_MOST])


def _shown(messages: Sequence[Lines]) -> str:
    return " | ".join(b"; ".join(one).decode("latin-1")[:600] for one in messages[:3]) + (
        f" ... {len(messages)}" if len(messages) > 3 else ""
    )
