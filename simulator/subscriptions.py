# SPDX-License-Identifier: GPL-2.0-or-later
"""The actions Events, Filter and WaitEvent: which events a session gets, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator import events
from simulator.replies import error, id_line, response, success

if TYPE_CHECKING:
    from simulator.protocol import Action
    from simulator.session import Session


def set_events(session: Session, action: Action) -> bytes:
    """Set the event mask of the session."""
    mask = action.get("EventMask")
    if not mask:
        return error(action, "Invalid event mask")
    session.mask = events.mask_of(mask)
    return response(action, "Success", f"Events: {'On' if session.mask else 'Off'}")


def add_filter(session: Session, action: Action) -> bytes:
    """Add an event filter to the session; no action removes it."""
    if action.get("Operation").lower() != "add":
        return error(action, "Unknown operation")
    text = action.get("Filter")
    criteria = action.get("MatchCriteria")
    wrong = "Filter was formatted incorrectly.  Check the syntax of the filter given."
    if criteria:
        text = events.criteria(criteria, text)
    if not text:
        return error(action, wrong)
    if not session.filters.add(text):
        return error(action, "Filter did not compile.  Check the syntax of the filter given.")
    return success(action, "Success")


def wait_event(session: Session, action: Action) -> bytes:
    """Block the session until an event comes, or until the timeout."""
    timeout = action.get("Timeout")
    seconds = float(timeout) if timeout.isdigit() else 86400.0
    session.wait_for_event(seconds)
    session.write(success(action, "Waiting for Event completed."))
    session.deliver()
    return events.write(["Event: WaitEventComplete", *id_line(action)])
