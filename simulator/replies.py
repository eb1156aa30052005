# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds answers.  Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.events import write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.protocol import Action

LIST_BUFFER = 256  # idText of most lists
CONFERENCE_BUFFER = 80  # id_text of ConfbridgeList
STATUS_BUFFER = 150  # idText of CoreStatus and CoreSettings


def response(action: Action, kind: str, *lines: str) -> bytes:
    """Return an answer of *kind*; its second line is the ActionID."""
    return write([f"Response: {kind}", *id_line(action), *lines])


def id_line(action: Action) -> list[str]:
    """Return the ActionID line of an answer to *action*, or no line if it has none."""
    return [f"ActionID: {action.action_id}"] if action.action_id else []


def success(action: Action, text: str) -> bytes:
    """Return a plain success."""
    return response(action, "Success", f"Message: {text}")


def error(action: Action, text: str) -> bytes:
    """Return an error."""
    return response(action, "Error", f"Message: {text}")


def listing(
    action: Action,
    text: str,
    items: Iterable[list[str]],
    complete: str,
    *more: str,
) -> bytes:
    """Return a list: the response, *items* (header lines each), the end.

    *complete* is the event that ends it, *more* the last headers of that event.
    """
    parts = [response(action, "Success", "EventList: start", f"Message: {text}")]
    parts += [write(item) for item in items]
    end = ["EventList: Complete", f"ListItems: {len(parts) - 1}"]
    parts.append(write([f"Event: {complete}", *id_line(action), *end, *more]))
    return cut_items(parts, action, LIST_BUFFER)


def cut_items(messages: list[bytes], action: Action, size: int) -> bytes:
    """Return a whole list with the ActionIDs of its items as :func:`cut_ids` cuts them.

    Asterisk uses the buffer for the items only, not for the response and the end.
    """
    first, items, last = messages[:1], messages[1:-1], messages[1:][-1:]
    return b"".join([*first, cut_ids(b"".join(items), action, size), *last])


def cut_ids(answer: bytes, action: Action, size: int) -> bytes:
    """Return *answer* with its ActionIDs cut by a buffer of *size* bytes.

    Asterisk puts them in fixed buffers.  An ActionID that is too long loses its end
    and its CRLF, which destroys the next header (recording b8).
    """
    line = f"ActionID: {action.action_id}\r\n".encode("latin-1")
    return answer if len(line) < size else answer.replace(line, line[: size - 1])
