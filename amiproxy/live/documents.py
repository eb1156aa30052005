# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON documents that live clients are sent: one object each, in UTF-8, without a line end.

docs/live.md describes them.  Their members are only ever added to.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amiproxy.httpmessages import BadRequest
    from amiproxy.message import Message

#: What a client calls a request: a string or a number, None: nothing.
Id = Union[str, int, None]

_HEADER = b"\r\nServer: "


def compact(members: Mapping[str, Any]) -> bytes:
    """Return *members* as JSON."""
    text = json.dumps(members, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace")  # half a surrogate pair, which a client has sent


def document(kind: str, **members: Any) -> bytes:
    """Return the document of *kind* with *members*."""
    return compact({"type": kind, **members})


def text(value: str) -> bytes:
    """Return *value*, which may be any, as a string of JSON."""
    return json.dumps(value).encode()


def seconds(moment: float) -> float:
    """Return the monotonic *moment* as unix seconds."""
    return round(time.time() - time.monotonic() + moment, 3)


def now() -> float:
    """Return the time, in unix seconds."""
    return round(time.time(), 3)


def server_of(message: Message) -> str:
    """Return which server *message* is from: the last line that says so is the proxy's."""
    raw = message.raw
    at = raw.rfind(_HEADER)
    if at < 0:
        return ""
    begin = at + len(_HEADER)
    return raw[begin : raw.index(b"\r\n", begin)].decode("utf-8", "replace")


def event(server: str, event_id: str, moment: float, members: bytes) -> bytes:
    """Return the document of one event; *members* are its headers, as an object of JSON."""
    name = text(server) if server else b"null"
    return b'{"type":"event","id":"%b","server":%b,"time":%.3f,"event":%b}' % (
        event_id.encode("ascii"),
        name,
        moment,
        members,
    )


def answer(request_id: Id, server: str | None, parts: Sequence[bytes], *, is_list: bool) -> bytes:
    """Return the document of a whole answer; *parts* are its messages, as objects of JSON.

    *is_list*: the last one says that the list is complete.
    """
    response = parts[0] if parts else b"null"
    items, complete = parts[1:], b"null"
    if is_list and items:
        complete, items = items[-1], items[:-1]
    return b'{"type":"answer","id":%b,"server":%b,"response":%b,"items":[%b],"complete":%b}' % (
        json.dumps(request_id).encode(),
        json.dumps(server).encode(),
        response,
        b",".join(items),
        complete,
    )


def error(request_id: Id, problem: BadRequest) -> bytes:
    """Return the document of a *problem* with the request *request_id*."""
    from amiproxy.web import problems  # noqa: PLC0415 - it is seldom told

    return document("error", id=request_id, problem=problems.document(problem))
