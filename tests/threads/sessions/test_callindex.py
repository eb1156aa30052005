# SPDX-License-Identifier: GPL-2.0-or-later
"""CallIndex: prefixes of channels come and go with their users."""

from __future__ import annotations

from amiproxy.access.user import User
from amiproxy.message import Message
from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.calltable import CallTable
from amiproxy.threads.sessions.callindex import CallIndex
from amiproxy.wire.routed import Routed


def _filter(channel: str) -> SessionFilter:
    return SessionFilter(User(name="u", secret="x", channel=channel), "off")


def _found(index: CallIndex, channel: str) -> set[SessionFilter]:
    message = Message.of("Event: Newstate", f"Channel: {channel}", "Uniqueid: 1.1")
    CallTable().note(message)
    found = index.select([Routed(message)], "pbx1")
    assert found is not None
    return set(found)


def test_a_prefix_is_found_as_long_as_anybody_has_it() -> None:
    """Prefixes of one length, equal ones among them, and a longer one."""
    index = CallIndex()
    first, same, other, longer = map(_filter, ("SIP/1", "sip/1", "SIP/2", "SIP/100"))
    for each in (first, same, other, longer):
        each.enter(index)

    assert _found(index, "SIP/100-1") == {first, same, longer}
    first.leave()
    assert _found(index, "SIP/100-1") == {same, longer}
    same.leave()
    assert _found(index, "SIP/100-1") == {longer}
    assert _found(index, "SIP/2-1") == {other}
    longer.leave()
    other.leave()
    assert _found(index, "SIP/100-1") == set()
    assert index.is_empty


def test_only_lengths_that_there_are_are_tried() -> None:
    """Each one costs each event a look."""
    index = CallIndex()
    filters = [_filter(channel) for channel in ("SIP/1", "SIP/1", "SIP/2", "PJSIP/1")]
    lengths = []
    for each in filters:
        each.enter(index)
        lengths.append(index._lengths)  # noqa: SLF001 - it shows in nothing but time
    for each in filters:
        each.leave()
        lengths.append(index._lengths)  # noqa: SLF001 - as above

    assert lengths == [(5,), (5,), (5,), (5, 7), (5, 7), (5, 7), (7,), ()]
