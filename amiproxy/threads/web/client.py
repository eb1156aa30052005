# SPDX-License-Identifier: GPL-2.0-or-later
"""Answer the requests of one HTTP client: the part that waits for Asterisk.

What a request asks for is amiproxy/web/urls.py's to say, whether a browser may ask it
amiproxy/web/origin.py's; here it is asked, and the answer gets its status.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import re
import socket
import time
from typing import TYPE_CHECKING

from amiproxy import replies
from amiproxy.message import Message
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.threads.actions import dispatch
from amiproxy.threads.sessions.collector import Collector
from amiproxy.threads.web.sessions import LIFE
from amiproxy.web import answers, origin, urls
from amiproxy.web.messages import BadRequest, Request, Response

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence

    from amiproxy.formats import Format, Limits, Reader
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.session import Wait
    from amiproxy.threads.web.sessions import WebSession, WebSessions

log = logging.getLogger("amiproxy.web")

#: Seconds an answer may take if the request does not say (spec section 11).
ANSWER_TIME = 30.0

#: Seconds a waitevent waits at the most; a minute without request ends a session.
LONGEST_WAITEVENT = 50.0

COOKIE = "mansession_id"

_SAFE = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
_PAGE_POLICY = (
    "Content-Security-Policy",
    "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
)
_CHALLENGE = (("WWW-Authenticate", 'Basic realm="astmanproxy", charset="UTF-8"'),)

#: The proxy's own words where no Asterisk can be asked (spec 12.2).
_UNAVAILABLE = re.compile(r"No Asterisk server connected|Server .* is not connected")


class WebClient:
    """Answers the requests of one connection.  Belongs to its thread."""

    def __init__(
        self,
        context: ProxyContext,
        sessions: WebSessions,
        peer: str,
        address: str,
        known: Callable[[], None] | None,
        *,
        tls: bool,
    ) -> None:
        self._context = context
        self._sessions = sessions
        self._peer = peer
        self._address = address
        self._known = known
        self._stranger = True  # no request has brought a log-in yet
        self._tls = tls

    def respond(self, request: Request) -> Response:
        """Return the answer to *request*, whatever it is."""
        context = self._context
        response = self._answer(request)
        cors = origin.cors_headers(request, context.config.http_cors)
        return dataclasses.replace(
            response,
            headers=_SAFE + cors + response.headers,
            # Strangers are counted (authlimit): none may stay by asking in vain.
            close=context.guarded and self._stranger,
        )

    def _answer(self, request: Request) -> Response:
        output = self._output_of_errors(request)
        style = ""
        try:
            urls.check_method(request)
            if request.method == "OPTIONS":
                return Response(204, headers=urls.ALLOW)
            style = urls.style_of(request)
            self._check_name(request)
            asked = urls.read(request, self._context.limits, _json_reader(self._context.formats))
            output = self._output(asked.format, request)
            if asked.message is None:
                kind = "text/html; charset=utf-8"
                return Response(200, kind, answers.page(style), (_PAGE_POLICY,))
            self._check_page(request, asked.message)
            return self._perform(request, asked, asked.message, output)
        except BadRequest as error:
            log.info("%s: %d %s", self._peer, error.status, error)
            return failure(error, output, style)

    # -- may it ask -----------------------------------------------------------------------

    def _check_name(self, request: Request) -> None:
        """Refuse a browser that was led here by somebody else's name."""
        context = self._context
        if context.guarded:
            return  # it has no log-in for that name
        if origin.is_rebound(request, _own_names(), context.config.http_cors):
            raise BadRequest(403, "This name is not known to be the proxy's: add it to httpcors")

    def _check_page(self, request: Request, message: Message) -> None:
        """Refuse what a page of somebody else's may not do."""
        cors = self._context.config.http_cors
        if origin.changes_state(request, message) and origin.is_foreign(
            request, cors, tls=self._tls
        ):
            raise BadRequest(403, "Another site's page may not do this: add its origin to httpcors")

    def _output_of_errors(self, request: Request) -> Format:
        """Return the format for what is wrong with *request*, as far as it can be told."""
        try:
            return self._output(urls.format_field(request), request)
        except BadRequest:
            return self._output("", request)

    def _output(self, asked: str, request: Request) -> Format:
        outputs = {name: form for name, form in self._context.formats.items() if form.is_output}
        default = self._context.output_format().name
        accept = request.header("accept")
        return outputs[urls.choose_format(asked, accept, outputs, default)]

    # -- ask -------------------------------------------------------------------------------

    def _perform(
        self, request: Request, asked: urls.Asked, message: Message, output: Format
    ) -> Response:
        """Ask as the web session that the request belongs to, or as one of its own."""
        with self._sessions.using(urls.cookie(request, COOKIE)) as session:
            if asked.style and session is not None:
                return self._perform_in_session(session, asked, message, output)
        # The answer to a challenge (MD5) comes with a further request: it must be known again.
        begins = bool(asked.style) and message.action in ("login", "challenge")
        collector = self._collector(output, keep_events=begins or message.action == "waitevent")
        registry = self._context.router.registry
        registry.add(collector)
        kept = False
        try:
            refused = self._identify(collector, request, asked)
            if refused is not None:
                return refused
            result = self._ask(collector, message, asked)
            if begins and result.answered:
                session = self._sessions.add(collector, self._address)
                if session is None:
                    raise BadRequest(503, "There are too many web sessions")
                kept = True
                return self._response(result, collector, asked, output, _cookie(session, self._tls))
            return self._response(result, collector, asked, output)
        finally:
            if not kept:
                registry.discard(collector)

    def _perform_in_session(
        self, session: WebSession, asked: urls.Asked, message: Message, output: Format
    ) -> Response:
        collector = session.collector
        result = self._ask(collector, message, asked, session.asking)
        if message.action == "logoff":
            self._sessions.remove(session)
        return self._response(result, collector, asked, output, _cookie(session, self._tls))

    def _collector(self, output: Format, *, keep_events: bool) -> Collector:
        context = self._context
        return Collector(
            self._peer,
            self._address,
            context.router.ids,
            guarded=context.guarded,
            output=output,
            filter_local=context.config.filter_local,
            keep_events=keep_events,
        )

    def _identify(
        self, collector: Collector, request: Request, asked: urls.Asked
    ) -> Response | None:
        """Log in with the request's credentials; return the answer if they are wrong."""
        given = urls.credentials(request)
        if given is None:
            if request.header("authorization").lower().startswith("basic"):
                raise BadRequest(401, "Authentication failed", _CHALLENGE)
            return None
        log_in = Message.of("Action: Login", f"Username: {given[0]}", f"Secret: {given[1]}")
        result = self._ask(collector, log_in, dataclasses.replace(asked, until_event=""))
        if collector.authenticated:
            return None
        return failure(
            BadRequest(401, result.text or "Authentication failed", _CHALLENGE),
            collector.output,
            asked.style,
        )

    def _ask(
        self,
        collector: Collector,
        message: Message,
        asked: urls.Asked,
        turn: threading.Lock | None = None,
    ) -> _Result:
        """Ask *message* and wait for the whole answer; *turn* is held meanwhile."""
        began = time.monotonic()
        deadline = began + (ANSWER_TIME if asked.wait is None else asked.wait)
        waits: list[Wait] = []

        def perform() -> None:
            dispatch.handle(self._context, collector, message)
            wait = _taken(collector)
            if wait is not None:
                waits.append(wait)
                collector.say(
                    replies.reply(
                        message, "Response: Success", "Message: Waiting for Event completed."
                    )
                )

        with turn or contextlib.nullcontext():
            left = max(0.0, deadline - time.monotonic())
            answer = collector.ask(perform, until_event=asked.until_event, timeout=left)
            if collector.mode is not AutoFilter.UNIQUE:
                # Only answers to whom asked make sense here.
                collector.set_mode(AutoFilter.UNIQUE)
        messages = list(answer.messages)
        if waits:
            # In nobody's turn: another request of the same session may come meanwhile.
            longest = LONGEST_WAITEVENT if asked.wait is None else asked.wait
            end = min(waits[0].deadline, began + longest)
            messages += collector.wait_events(max(0.0, end - time.monotonic()))
            messages.append(replies.reply(message, "Event: WaitEventComplete"))
        return _Result(message, tuple(messages), answer.complete)

    # -- answer ----------------------------------------------------------------------------

    def _response(
        self,
        result: _Result,
        collector: Collector,
        asked: urls.Asked,
        output: Format,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Response:
        """Return *result* as an HTTP answer."""
        if collector.authenticated:
            self._stranger = False
            if self._known is not None:
                self._known()
        messages: Sequence[Message] = result.messages
        status = result.status(allowed=collector.allowed, until=bool(asked.until_event))
        if status == 504:
            messages = (*messages, replies.error(result.request, "Asterisk did not answer in time"))
        if asked.style:
            if status == 401:
                # As Asterisk: these programs know no other way to be told.
                status = 200
                if result.request.action != "login":
                    messages = [replies.error(result.request, "Permission denied")]
            elif result.request.action == "login":
                messages = messages[:1]
            kind, body = answers.encode_ajam(messages, asked.style)
            return Response(status, kind, body, headers)
        if status == 401:
            headers += _CHALLENGE
        # SetOutputFormat answers in the new format.
        chosen = collector.output if result.request.has("ProxyAction") else output
        return _encoded(status, messages, chosen, headers)


@dataclasses.dataclass(frozen=True)
class _Result:
    """What an action was answered with."""

    request: Message
    messages: tuple[Message, ...]
    complete: bool

    @property
    def answered(self) -> bool:
        """Whether the response has come, and is no error."""
        return self.complete and not self._is_error

    @property
    def text(self) -> str:
        """The reason that the response gives."""
        return self.messages[0].get("Message") if self.messages else ""

    @property
    def _is_error(self) -> bool:
        first = self.messages[0] if self.messages else Message.of("")
        return (first.get("Response") or first.get("ProxyResponse")).lower() == "error"

    def status(self, *, allowed: bool, until: bool) -> int:
        """Return the HTTP status; *until* tells that an event was waited for."""
        if not self.messages:
            return 504
        if replies.SHUTTING_DOWN in self.messages:
            return 503
        last = self.messages[-1]
        if last.get("Response").lower() == "error" and _UNAVAILABLE.fullmatch(last.get("Message")):
            return 503
        if self._is_error and (not allowed or self.request.action == "login"):
            return 401
        if not self.complete and not (until and self.messages[0].has("Response")):
            return 504
        return 200


def failure(error: BadRequest, output: Format, style: str) -> Response:
    """Return *error* as an answer, in the format or style that was asked for."""
    message = replies.error(None, str(error))
    if style:
        kind, body = answers.encode_ajam([message], style)
        return Response(error.status, kind, body, error.headers)
    return _encoded(error.status, [message], output, error.headers)


def _encoded(
    status: int, messages: Sequence[Message], output: Format, headers: tuple[tuple[str, str], ...]
) -> Response:
    try:
        kind, body = answers.encode(messages, output)
    except BaseException as error:  # noqa: BLE001 - whatever a stranger's handler raises
        log.error("handler %s: cannot write a message: %s", output.name, type(error).__name__)
        return Response(500, "text/plain", b"The output handler failed\n", headers)
    return Response(status, kind, body, headers)


def _taken(collector: Collector) -> Wait | None:
    """Take the WaitEvent that was just begun: it is waited for here."""
    with collector.lock:
        wait, collector.waiting_for_event = collector.waiting_for_event, None
    return wait


def _cookie(session: WebSession, tls: bool) -> tuple[tuple[str, str], ...]:
    age = int(LIFE) if not session.collector.ended else 0
    secure = "; Secure" if tls else ""
    value = f'{COOKIE}="{session.id}"; Version=1; Max-Age={age}; Path=/; HttpOnly; SameSite=Strict'
    return (("Set-Cookie", value + secure),)


def _json_reader(formats: Mapping[str, Format]) -> Callable[[Limits], Reader] | None:
    form = formats.get("json")
    return None if form is None else form.reader


@functools.lru_cache(maxsize=1)
def _own_names() -> frozenset[str]:
    """Return the names this host knows itself by; the first call may ask the resolver."""
    return frozenset({socket.gethostname(), socket.getfqdn()})
