# SPDX-License-Identifier: GPL-2.0-or-later
"""How answers are put together.  Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.events import write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.protocol import Request

LIST_BUFFER = 256  # idText of most lists
CONFERENCE_BUFFER = 80  # id_text of ConfbridgeList
STATUS_BUFFER = 150  # idText of CoreStatus and CoreSettings


def response(request: Request, kind: str, *lines: str) -> bytes:
    """Return an answer of *kind*; the ActionID is its second line."""
    return write([f"Response: {kind}", *id_line(request), *lines])


def id_line(request: Request) -> list[str]:
    """Return the ActionID line for an answer to *request*; none without one."""
    return [f"ActionID: {request.action_id}"] if request.action_id else []


def success(request: Request, text: str) -> bytes:
    """Return a plain success."""
    return response(request, "Success", f"Message: {text}")


def error(request: Request, text: str) -> bytes:
    """Return an error."""
    return response(request, "Error", f"Message: {text}")


def listing(
    request: Request,
    text: str,
    items: Iterable[list[str]],
    complete: str,
    *more: str,
    marks: bool = True,
    count: bool = True,
) -> bytes:
    """Return a list: the response, *items* (header lines each), the end.

    *complete* is the event that ends it, *more* its last headers.  *marks* and
    *count*: whether ``EventList`` and ``ListItems`` headers are there.
    """
    start = ["EventList: start"] if marks else []
    parts = [response(request, "Success", *start, f"Message: {text}")]
    parts += [write(item) for item in items]
    end = ["EventList: Complete"] if marks else []
    if count:
        end.append(f"ListItems: {len(parts) - 1}")
    parts.append(write([f"Event: {complete}", *id_line(request), *end, *more]))
    # The response and the end are written without a buffer between.
    return parts[0] + cut_ids(b"".join(parts[1:-1]), request, LIST_BUFFER) + parts[-1]


def cut_ids(answer: bytes, request: Request, size: int) -> bytes:
    """Return *answer* with its ActionIDs as a buffer of *size* bytes leaves them.

    Asterisk puts them in fixed buffers; one that is too long loses its end and
    its CRLF, and so destroys the next header (recording b8).
    """
    line = f"ActionID: {request.action_id}\r\n".encode("latin-1")
    return answer if len(line) < size else answer.replace(line, line[: size - 1])
