# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions, and ProxyActions, as one JSON document in and one out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

from amiproxy.asterisk.actions import ACTIONS
from amiproxy.basics.characters import text_of
from amiproxy.httpmessages import Response
from amiproxy.rest import actionanswer
from amiproxy.rest.endpoints import Answer, Endpoint, Parameter
from amiproxy.rest.parameters import unknown_parameter
from amiproxy.rest.schemas import ANSWERED, HEADERS, SECONDS
from amiproxy.settings.typos import question
from amiproxy.threads.actions.local import LOCAL_ACTIONS
from amiproxy.threads.actions.login import LOGIN_ACTIONS
from amiproxy.threads.actions.proxyactions import PROXY_ACTIONS
from amiproxy.threads.rest import refused
from amiproxy.threads.rest.limits import ACTIONS_A_SECOND, pace
from amiproxy.threads.rest.serverrows import unknown_server
from amiproxy.threads.sessions.destinations import destinations
from amiproxy.threads.state.looking import reached
from amiproxy.threads.web.asker import Wish
from amiproxy.web import origin, urls
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.formats import Format
    from amiproxy.message import Message
    from amiproxy.rest.actionanswer import Trouble
    from amiproxy.threads.rest.asking import Asking
    from amiproxy.web import answers as web

#: What an action may be called.
_NAME = re.compile(r"[\w.-]{1,80}", re.ASCII)

_SECONDS = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?")

#: What ends a line, or does so in Asterisk.
_BREAKS = frozenset("\r\n\0")

#: Seconds that somebody may have an answer take.
_LONGEST_WAIT = 600

#: Headers that the path, or a header of HTTP, stands for.
_ONLY_IN_THE_PATH = ("action", "proxyaction", "proxykey")

_POST = (("Allow", "POST, OPTIONS"),)

#: What is asked at another path: actions about the session, which here ends with its request.
_ELSEWHERE = {
    "login": "POST /v1/session",
    "logoff": "DELETE /v1/session",
    "challenge": "POST /v1/session",
    "events": "/events",
    "filter": "/events",
    "waitevent": "GET /v1/events",
}
assert _ELSEWHERE.keys() == {*LOGIN_ACTIONS, *LOCAL_ACTIONS}


def _action(asking: Asking) -> Response:
    name = asking.args["action"]
    if not _NAME.fullmatch(name):
        raise Problem("bad-request", "The name of an action has letters, digits, dots and dashes")
    if elsewhere := _ELSEWHERE.get(name.lower()):
        raise Problem("bad-request", f"A session ends with its request here: use {elsewhere}")
    ours, message = _read(asking, f"Action: {name}", ("server", "wait"))
    if asking.visit.request.method != "POST" and _may_change(asking, message):
        raise Problem("method", f"Use POST: {name} may change something", _POST)
    server, message = _addressed(asking, message, ours.get("server", ""))
    found, output = _answered(asking, message, ours.get("wait", "")), _output(asking)
    if trouble := actionanswer.trouble(found):
        if trouble.kind == "not-permitted":
            raise refused.of_action(asking.context, asking.session.user, message)
        _raise(trouble, found, output, server)
    return Response(200, "application/json", actionanswer.document(found, output, server))


def _proxy_action(asking: Asking) -> Response:
    name = asking.args["proxyaction"]
    record = PROXY_ACTIONS.get(name.lower())
    if record is None:
        nearest = question(name[:40], PROXY_ACTIONS)
        raise Problem("not-found", f"There is no such ProxyAction{nearest}: see docs/clients.md")
    if problem := refused.of_proxyaction(asking.session.user, record):
        raise problem
    if asking.visit.request.method != "POST" and not record.read_only:
        raise Problem("method", f"Use POST: {record.name} changes something", _POST)
    _, message = _read(asking, f"ProxyAction: {record.name}", ())
    found, output = _answered(asking, message), _output(asking)
    if trouble := actionanswer.trouble(found):
        _raise(trouble, found, output)
    return Response(200, "application/json", actionanswer.document(found, output))


def _read(asking: Asking, first: str, ours: Sequence[str]) -> tuple[dict[str, str], Message]:
    """Return the fields that speak to the proxy, those of *ours*, and the block of the others.

    *first* is its first line.

    Raises:
        Problem: 400 or 415, it is none.

    """
    request, limits = asking.visit.request, asking.context.limits
    said: dict[str, str] = {}
    fields: list[tuple[str, str]] = []
    for name, value in asking.visit.fields:
        if name.lower() not in ours:
            fields.append((name, value))
        elif said.setdefault(name.lower(), value) != value:
            raise Problem("bad-request", f"The parameter {name} is given twice", parameter=name)
    lines = [first]
    if request.method == "POST":
        if fields:
            raise unknown_parameter(fields[0][0], ours)
        if asking.json:  # it is in order, or this raises
            lines += urls.read_json(request.body, limits, _output(asking)).lines
    for name in [*(line.partition(":")[0] for line in lines[1:]), *(name for name, _ in fields)]:
        if name.strip().lower() in _ONLY_IN_THE_PATH:
            raise Problem(
                "bad-request", f"{name.strip()} is not among the headers: the path says it"
            )
    return said, urls.block(lines, fields, limits)


def _may_change(asking: Asking, message: Message) -> bool:
    """Return whether *message*, which came as a GET, may change anything."""
    return origin.changes_state(asking.visit.request, message, read_only_proxyactions=())


def _addressed(asking: Asking, message: Message, wanted: str) -> tuple[str, Message]:
    """Return the server that *message* goes to, and it as it goes there; *wanted* is its name.

    Where none is named it goes to the first one that is connected, and says so: what is lost
    meanwhile must not send it to another one than is told.

    Raises:
        Problem: 400, 404 or 503, there is no such server, or it is not connected.

    """
    router, user = asking.context.router, asking.session.user
    named = {each.strip() for each in (wanted, *message.all("Server")) if each.strip()}
    if len(named) > 1:
        raise Problem("bad-request", "The parameter server and the header Server differ")
    name = next(iter(named), "")
    if name:
        if not _BREAKS.isdisjoint(name):
            raise unknown_server(name)
        message = message.setting("Server", name)
    found = destinations(router.servers, user, message)
    if isinstance(found, str):
        if name and not _is_known(asking, name):
            raise unknown_server(name)
        raise Problem("server-lost", f"{text_of(found)}; it was not sent", carried_out="no")
    first = found[0]
    if not name and len(router.servers) > 1:
        message = message.setting("Server", first.target or first.link.scope)
    return text_of(first.target or first.link.name), message


def _is_known(asking: Asking, name: str) -> bool:
    """Return whether there is a server called *name* for who asks."""
    router, user = asking.context.router, asking.session.user
    direct = router.named(name)
    if direct:
        return bool(reached(asking.session, direct))
    behind = [(each, each.behind.find(name)) for each in router.servers]
    return any(
        inner is not None and (user is None or user.reaches(inner.words | each.names))
        for each, inner in behind
    )


def _answered(asking: Asking, message: Message, wait: str = "") -> web.Answer:
    """Have *message* carried out; return the answer.

    Raises:
        Problem: 400, *wait* is no number of seconds; 429, its client asks too often.

    """
    seconds = float(wait) if _SECONDS.fullmatch(wait) else 0.0
    if wait and not 0 < seconds <= _LONGEST_WAIT:
        raise Problem("bad-request", f"wait is a number of seconds, at most {_LONGEST_WAIT}")
    pace(asking.context, asking.session, "actions", ACTIONS_A_SECOND)
    answer, _ = asking.visit.asker.ask(asking.session, message, Wish(wait=seconds or None))
    return answer


def _raise(
    trouble: Trouble, answer: web.Answer, output: Format, server: str | None = None
) -> NoReturn:
    """Answer with *trouble*, and with what was said.

    Raises:
        Problem: it is that.

    """
    members: dict[str, Any] = {} if server is None else {"server": server}
    if trouble.carried_out:
        members["carried_out"] = trouble.carried_out
    if answer.messages:
        members["response"] = actionanswer.member(answer.messages[0], output)
    retry = (("Retry-After", "1"),) if trouble.kind in ("too-many", "stopping") else ()
    raise Problem(trouble.kind, trouble.detail, retry, **members)


def _output(asking: Asking) -> Format:
    return asking.context.formats["json"]


_ACTION = Parameter("action", "what Asterisk calls it; ListCommands lists them")
_READING = Parameter(
    "action",
    "one that changes nothing; in any case",
    {"enum": [name for name in ACTIONS if name.lower() in origin.READ_ONLY - _ELSEWHERE.keys()]},
)
_PROXY_ACTION = Parameter(
    "proxyaction",
    "one of docs/clients.md; in any case",
    {"enum": [each.name for each in PROXY_ACTIONS.values()]},
)
_READING_PROXY = Parameter(
    "proxyaction",
    "one that changes nothing; in any case",
    {"enum": [each.name for each in PROXY_ACTIONS.values() if each.read_only]},
)
_ASKED = (
    Parameter("server", "where it goes to, by name; without: to the first that is connected"),
    Parameter("wait", "seconds that it may take; 30 without", SECONDS),
)
_HEADERS = "each is a header of the action"
_ANSWERED = {200: Answer("The whole answer; of a list all of it", ANSWERED)}
_TROUBLES = ("asterisk-error", "not-permitted", "too-many", "unknown-server", "server-lost",
             "no-answer", "stopping")  # fmt: skip
_PROXY_TROUBLES = ("failed", "not-permitted", "not-found", "too-many")

ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/actions/{action}",
        _action,
        "Send an action to one server; its headers are the body, an array is a repeated header",
        _ASKED,
        (_ACTION,),
        HEADERS,
        answers=_ANSWERED,
        problems=_TROUBLES,
        further=_HEADERS,
        body_is_optional=True,
    ),
    Endpoint(
        "GET",
        "/v1/actions/{action}",
        _action,
        "Send an action that changes nothing to one server; the query's other fields are headers",
        _ASKED,
        (_READING,),
        answers=_ANSWERED,
        problems=(*_TROUBLES, "method"),
        further=_HEADERS,
    ),
    Endpoint(
        "POST",
        "/v1/proxyactions/{proxyaction}",
        _proxy_action,
        "Call a ProxyAction; its headers are the body",
        (),
        (_PROXY_ACTION,),
        HEADERS,
        answers=_ANSWERED,
        problems=_PROXY_TROUBLES,
        body_is_optional=True,
    ),
    Endpoint(
        "GET",
        "/v1/proxyactions/{proxyaction}",
        _proxy_action,
        "Call a ProxyAction that changes nothing; the query's fields are headers",
        (),
        (_READING_PROXY,),
        answers=_ANSWERED,
        problems=(*_PROXY_TROUBLES, "method"),
        further=_HEADERS,
    ),
)
