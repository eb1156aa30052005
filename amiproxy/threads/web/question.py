# SPDX-License-Identifier: GPL-2.0-or-later
"""A request that was found to ask for something, and the response that its answer becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amiproxy import replies
from amiproxy.httpmessages import Response
from amiproxy.web import answers, origin, urls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.formats import Format
    from amiproxy.httpmessages import BadRequest, Request
    from amiproxy.message import Message
    from amiproxy.threads.sessions.collector import Collector
    from amiproxy.web.answers import Answer
    from amiproxy.web.urls import Asked

#: What each response says, if it says nothing else.
_SAFE: tuple[tuple[str, str], ...] = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
)


class Question(NamedTuple):
    """A request, and what it was found to ask for."""

    request: Request
    target: urls.Target
    asked: Asked
    message: Message
    output: Format

    @property
    def may_last(self) -> bool:
        """Whether it may belong to a web session: at Asterisk's paths, but not by Digest."""
        return bool(self.asked.style) and not self.target.wants_digest


#: Actions that are served, or refused in their own words, before a log-in.
_BEFORE_LOGIN = ("login", "challenge")


def as_response(
    answer: Answer,
    collector: Collector,
    question: Question,
    headers: tuple[tuple[str, str], ...],
) -> Response:
    """Return *answer* to *question* as an HTTP response; *collector* is who has asked."""
    message, asked = question.message, question.asked
    messages: Sequence[Message] = answer.messages
    status = answer.status(message.action, allowed=collector.allowed, until=bool(asked.until_event))
    if status == 504 and not answer.complete:
        messages = (*messages, replies.error(message, "Asterisk did not answer in time"))
    if asked.style:
        if status == 401:
            # As Asterisk: these programs know no other way to be told.
            status = 200
            if message.action not in _BEFORE_LOGIN and urls.names_action(message):
                messages = [replies.error(message, "Permission denied")]
        elif message.action == "login":
            messages = messages[:1]
        return answers.respond_ajam(status, messages, asked.style, headers)
    if status == 401:
        headers += urls.CHALLENGE
    # SetOutputFormat answers in the new format.
    return answers.respond(status, messages, collector.output, headers)


def failure(error: BadRequest, output: Format, style: str) -> Response:
    """Return *error* as a response, in the format or style that was asked for."""
    message = replies.error(None, str(error))
    if style:
        return answers.respond_ajam(error.status, [message], style, error.headers)
    return answers.respond(error.status, [message], output, error.headers)


def completed(
    response: Response, request: Request, cors: Sequence[str], *, close: bool
) -> Response:
    """Return *response* to *request* with the headers that each has.

    *cors* are the origins whose pages may read it; *close*: the connection ends with it.
    """
    headers = _SAFE
    if response.headers:
        own = {name for name, _ in response.headers}
        headers = tuple([each for each in _SAFE if each[0] not in own])
    if cors:
        headers += origin.cors_headers(request, cors)
    headers += response.headers
    return Response(response.status, response.content_type, response.body, headers, close)
