# SPDX-License-Identifier: GPL-2.0-or-later
"""The answer to an action as one JSON document, and what is wrong with one that is no answer."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from amiproxy import replies
from amiproxy.basics.characters import text_of
from amiproxy.formats import written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.formats import Format
    from amiproxy.message import Message
    from amiproxy.web.answers import Answer

#: The proxy's own words; behind a proxy, with where they were said.
_AT = r"(?: \(at [^()]+\))?"
_LOST = re.compile(rf"(?:No Asterisk server connected|Server .* is (?:not connected|paused)){_AT}")
_LATE = re.compile(rf"Server .* did not answer in time{_AT}")
_CLOSED = re.compile(rf"Server .* is not open to this user{_AT}")

#: In ``CarriedOut``: an error of the proxy says whether Asterisk may have done it all the same.
_CARRIED_OUT = {"perhaps": "unknown", "no": "no"}
UNKNOWN, NO = "unknown", "no"


class Trouble(NamedTuple):
    """Why there is no good answer: a kind of problem, and whether the action was carried out."""

    kind: str
    detail: str
    carried_out: str  #: "" where that needs no word


def document(answer: Answer, output: Format, server: str | None = None) -> bytes:
    """Return *answer* as a document; *output* writes messages as JSON, one a line."""
    first, *rest = (written(output, each).rstrip() for each in answer.messages)
    last = b"null"
    if rest and ends_list(answer.messages[-1]):
        last = rest.pop()
    head = b"" if server is None else b'"server":%b,' % json.dumps(server).encode()
    return b'{%b"response":%b,"items":[%b],"complete":%b}\n' % (
        head, first, b",\n".join(rest), last,
    )  # fmt: skip


def member(message: Message, output: Format) -> Any:
    """Return *message* as a member of a problem document."""
    return json.loads(written(output, message))


def ends_list(message: Message) -> bool:
    """Return whether *message* is the event behind the last item of a list."""
    values = message.values
    if "eventlist" in values:
        return values["eventlist"].lower() in ("complete", "cancelled")
    return values.get("event", "").lower().endswith("complete")


def trouble(answer: Answer) -> Trouble | None:
    """Return what is wrong with *answer*, None: it is what was asked for."""
    messages = answer.messages
    if any(each is replies.SHUTTING_DOWN for each in messages):
        return Trouble("stopping", "The proxy stops: it may have been carried out", UNKNOWN)
    if not (answer.complete and messages):
        text = "Asterisk did not answer in time: whether it was carried out is unknown"
        return Trouble("no-answer", text, UNKNOWN)
    last = messages[-1]
    if last.get("Response").lower() == "error" and (found := _of_the_proxy(messages)):
        return found
    said = messages[0].get("Response") or messages[0].get("ProxyResponse")
    if said.lower() in ("error", "failure"):
        told = text_of(messages[0].get("Message")) or "It says no more"
        kind = "asterisk-error" if messages[0].has("Response") else "failed"
        return Trouble(kind, told, "")
    return None


def _of_the_proxy(messages: Sequence[Message]) -> Trouble | None:
    """Return the error of a proxy that *messages* end with, None where it is Asterisk's."""
    last = messages[-1]
    text = last.get("Message")
    carried_out = _CARRIED_OUT.get(last.get("CarriedOut"), NO)
    for pattern, kind in (
        (_LOST, "server-lost"),
        (_LATE, "no-answer"),
        (_CLOSED, "unknown-server"),
    ):
        if pattern.fullmatch(text):
            return Trouble(kind, text_of(text), "" if kind == "unknown-server" else carried_out)
    if not last.own:
        return None
    if text == "Action Filtered":
        return Trouble("not-permitted", "", "")
    if text == "Too many actions are unanswered":
        return Trouble("too-many", text, NO)
    return Trouble("bad-request", text_of(text), "")
