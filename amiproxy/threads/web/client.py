# SPDX-License-Identifier: GPL-2.0-or-later
"""Answer the requests of one HTTP client: the part that waits for Asterisk.

What a request asks for is decided in amiproxy/web/urls.py, whether a browser may ask it
in amiproxy/web/origin.py; here the action is carried out and its answer becomes a response.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING

from amiproxy import replies
from amiproxy.basics.deadline import Deadline
from amiproxy.httpmessages import BadRequest, Request, Response
from amiproxy.threads.sessions.collector import Collector
from amiproxy.threads.sessions.tallies import ACTIONS, Tallied
from amiproxy.threads.web import gate, resources
from amiproxy.threads.web.asker import ANSWER_TIME, Asker, Wish
from amiproxy.threads.web.authorization import FAILED, Authorization
from amiproxy.threads.web.question import Question, as_response, completed, failure
from amiproxy.threads.web.sessions import LIFE
from amiproxy.threads.web.visit import Stream, Visit
from amiproxy.web import accept, answers, origin, problems, urls
from amiproxy.web.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from amiproxy.formats import Format
    from amiproxy.message import Message
    from amiproxy.settings.config import Config
    from amiproxy.settings.listenerspec import ListenerSpec
    from amiproxy.threads.net.transport import Transport
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.web.resources import Route
    from amiproxy.threads.web.sessions import WebSession, WebSessions
    from amiproxy.web.urls import Asked

log = logging.getLogger("amiproxy.web")

_PAGE_POLICY = (
    "Content-Security-Policy",
    "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
)


@dataclasses.dataclass
class WebClient:
    """Answers the requests of one connection.  Belongs to its thread.

    *transport* is asked for its peer, whether it is TLS, and whether it is over; nothing is
    read from it or sent.
    *mark_authenticated* is called when a request has brought a log-in or the proxy key.
    """

    _context: ProxyContext
    _sessions: WebSessions
    _transport: Transport
    _address: str
    _spec: ListenerSpec
    _mark_authenticated: Callable[[], None]
    _authenticated: bool = False  # the last request has brought a log-in or the proxy key
    _asker: Asker = dataclasses.field(init=False)
    # The session of the last request that was to leave none, and the settings it was made by.
    _own: Collector | None = None
    _config: Config | None = None
    # The headers of the last request, mostly those of the next, and whether a browser sent them.
    _headers: tuple[tuple[str, str], ...] | None = None
    _is_page: bool = False

    def __post_init__(self) -> None:
        self._asker = Asker(self._context, self._transport)

    def respond(self, request: Request) -> Response | Stream:
        """Return the answer to *request*, whatever it is."""
        turnstile = self._context.turnstile
        turnstile.take(turnstile.first)
        self._asker.usual = Deadline(ANSWER_TIME)
        # Most are for actions.
        is_action = request.target.startswith("/?")
        route = None if is_action else resources.find(self._context, self._spec, request)
        response = self._answer(request) if route is None else self._visit(route, request)
        turnstile.end()
        head = response.head if isinstance(response, Stream) else response
        label = ACTIONS if route is None else route.label
        self._context.tallies.note(Tallied.REQUEST, label, str(head.status))
        # Unauthenticated connections are counted (authlimit): none may stay by asking in vain.
        close = self._spec.guarded and not self._authenticated
        cors = self._context.config.http_cors
        if isinstance(response, Stream):
            head = completed(response.head, request, cors, close=close)
            return dataclasses.replace(response, head=head)
        return completed(response, request, cors, close=close)

    def _answer(self, request: Request) -> Response:
        formats = self._context.formats
        target = urls.parse_target(request, self._context.limits.headers)
        style = ""
        output: Format | None = None
        try:
            if request.method not in urls.ALLOWED:
                raise urls.wrong_method(request.method)
            if request.method == "OPTIONS":
                return Response(204, headers=urls.ALLOW)
            style = target.style or ""
            if request.headers is not self._headers:
                self._headers, self._is_page = request.headers, origin.from_browser(request)
            is_page = self._is_page
            may_be_page = is_page or request.has("accept-language")
            if may_be_page and target.style is not None and not self._spec.guarded:
                gate.check_name(self._context, request, tls=self._is_tls)
            asked = urls.read(request, target, self._context.limits, formats)
            default = self._context.output_format(self._spec).name
            output = accept.choose_format(asked.format, request.header("accept"), formats, default)
            if asked.message is None:
                kind = "text/html; charset=utf-8"
                return Response(200, kind, answers.page(style), (_PAGE_POLICY,))
            if is_page:
                gate.check_page(self._context, request, asked.message, tls=self._is_tls)
            self._authenticated = False  # who fails now is a stranger, whatever came before
            return self._perform(Question(request, target, asked, asked.message, output))
        except BadRequest as error:
            log.info("%s: %d %s", self._transport.peer, error.status, error)
            return failure(error, output or self._output_of_errors(target, request), style)

    def _visit(self, route: Route, request: Request) -> Response | Stream:
        """Return the answer of the resource at *route*."""
        self._authenticated = False

        def mark_authenticated() -> None:
            self._authenticated = True
            self._mark_authenticated()

        visit = Visit(
            self._context,
            self._sessions,
            request,
            self._transport,
            self._asker,
            self._address,
            self._spec,
            mark_authenticated,
        )
        try:
            return resources.answer(route, visit)
        except BadRequest as error:
            log.info("%s: %d %s", self._transport.peer, error.status, error)
            if route.tells_problems:
                return problems.response(error)
            return failure(error, self._output_of_errors(urls.parse_target(request), request), "")

    @property
    def _is_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return bool(self._transport.tls_version)

    def _output_of_errors(self, target: urls.Target, request: Request) -> Format:
        """Return the format for what is wrong with *request*, as far as it can be known."""
        formats = self._context.formats
        asked = target.format
        if asked not in formats or not formats[asked].is_output:
            asked = ""
        default = self._context.output_format(self._spec).name
        return accept.choose_format(asked, request.header("accept"), formats, default)

    # -- ask -------------------------------------------------------------------------------

    def _perform(self, question: Question) -> Response:
        """Ask as the web session that the request belongs to, or as one of its own."""
        action = question.message.action
        key = urls.cookie(question.request, urls.COOKIE) if question.may_last else ""
        if not key:
            return self._perform_alone(question, None)
        with self._sessions.using(key) as session:
            if session is None or action == "login":
                return self._perform_alone(question, session)
            if session.serves(guarded=self._spec.guarded) or action in ("challenge", "logoff"):
                return self._perform_in_session(session, question)
        # Nobody's yet: a proxy key or Basic credentials are for this request alone.
        return self._perform_alone(question, None)

    def _perform_alone(self, question: Question, earlier: WebSession | None) -> Response:
        """Ask as a session of its own, which lasts if that begins one.

        *earlier* is the session whose cookie came with a log-in.  A session is one user's from
        its beginning to its end: it stays if the same user has logged in again.  Any
        other log-in, even one that fails, ends it, or who knew its id before would know it then,
        and what was kept for one user would reach the next.
        """
        context, message = self._context, question.message
        # The answer to a challenge (MD5) comes with a further request: it must be known again.
        begins = question.may_last and message.action in ("login", "challenge")
        keeps_events = begins or message.action == "waitevent"
        if keeps_events or question.asked.until_event:
            collector = self._collector(question.output, keep_events=keeps_events)
            collector.hears = True
        else:
            collector = self._plain_collector(question.output)
        context.registry.add(collector)
        lasting: WebSession | None = None
        try:
            if question.target.wants_digest or question.request.has("authorization"):
                self._identify(collector, question)
            if earlier is not None:
                collector.challenge = earlier.take_challenge(context.turnstile, self._asker.is_gone)
            answer = self._ask(collector, message, question.asked)
            if begins and answer.complete and not answer.is_error:
                if earlier is not None and earlier.is_of(collector):
                    answer = Answer((replies.already_authenticated(message),), complete=True)
                    lasting = earlier
                else:
                    ended, earlier = earlier, None
                    lasting = self._begin_session(collector, ended)
            cookie = () if lasting is None else self._cookie(lasting)
            return self._response(answer, collector, question, cookie)
        finally:
            if earlier is not None and earlier is not lasting:
                self._sessions.remove(earlier)
            if lasting is None or lasting.collector is not collector:
                context.registry.discard(collector)

    def _plain_collector(self, output: Format) -> Collector:
        """Return the session of a request that is to leave nothing, as answers in *output* want it.

        It is that of the last one, if that has left nothing: to make one takes longer than to look.
        """
        own, config = self._own, self._context.config
        if own is None or self._config is not config or not own.begin_again(output):
            own, self._config = self._collector(output, keep_events=False), config
            self._own = own
        return own

    def _collector(self, output: Format, *, keep_events: bool) -> Collector:
        """Return a new session, whose answers are in the format *output*."""
        context = self._context
        return Collector(
            self._transport.peer,
            self._address,
            guarded=self._spec.guarded,
            output=output,
            filter_local=context.config.filter_local,
            keep_events=keep_events,
            connection=self._transport,
        )

    def _begin_session(self, collector: Collector, earlier: WebSession | None) -> WebSession:
        """Begin a web session of *collector*, which takes the place of *earlier*."""
        if earlier is not None:
            self._sessions.remove(earlier)
        session = self._sessions.add(collector, self._address)
        if session is None:
            raise BadRequest(503, "There are too many web sessions")
        collector.connection = None
        return session

    def _perform_in_session(self, session: WebSession, question: Question) -> Response:
        """Ask as *session*, whose cookie came with the request."""
        collector = session.collector
        answer = self._ask(collector, question.message, question.asked, session)
        return self._response(answer, collector, question, self._cookie(session))

    def _identify(self, collector: Collector, question: Question) -> None:
        """Log in with the request's credentials, if that is what it has.

        Raises:
            BadRequest: 401, they are wrong, or missing where they are asked for.

        """
        wants_digest = question.target.wants_digest
        authorization = Authorization(self._sessions.nonces, self._context.config.http_digest)
        claim = authorization.claim(question.request, wants_digest=wants_digest)
        if claim is None:
            return
        collector.proof = claim.proof
        asked = question.asked._replace(until_event="")
        answer = self._ask(collector, claim.block, asked)
        collector.proof = None
        if not collector.authenticated:
            told = answer.messages[0].get("Message") if answer.messages else ""
            text = claim.failure if told in ("", FAILED) else told
            raise authorization.refusal(text, wants_digest=claim.is_digest)
        if not claim.spend():
            raise authorization.refusal("The nonce was used", wants_digest=True, stale=True)

    def _ask(
        self,
        collector: Collector,
        message: Message,
        asked: Asked,
        session: WebSession | None = None,
    ) -> Answer:
        """Carry *message* out and wait for the whole answer; in a *session* one at a time."""
        if asked.style and not urls.names_action(message):
            return Answer((replies.error(message, "Missing action in request"),), complete=True)
        wish = Wish(asked.until_event, asked.wait)
        answer, is_over = self._asker.ask(collector, message, wish, session)
        if is_over and session is not None:
            self._sessions.remove(session)
        return answer

    def _cookie(self, session: WebSession) -> tuple[tuple[str, str], ...]:
        """Return the headers that give the client the cookie of *session*."""
        age = int(LIFE) if not session.collector.ended else 0
        value = f'{urls.COOKIE}="{session.id}"; Version=1; Max-Age={age}; Path=/; HttpOnly'
        secure = "; Secure" if self._is_tls else ""
        return (("Set-Cookie", f"{value}; SameSite=Strict{secure}"),)

    # -- answer ----------------------------------------------------------------------------

    def _response(
        self,
        answer: Answer,
        collector: Collector,
        question: Question,
        headers: tuple[tuple[str, str], ...],
    ) -> Response:
        """Return *answer* to *question* as an HTTP response."""
        if collector.authenticated:
            self._authenticated = True
            self._mark_authenticated()
        return as_response(answer, collector, question, headers)
