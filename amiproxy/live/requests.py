# SPDX-License-Identifier: GPL-2.0-or-later
"""What live clients say: one JSON object a message, read as a value.

Members that nobody knows are ignored, those that are wrong are told.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, Union

from amiproxy.blocks import block
from amiproxy.formats import Refused
from amiproxy.routing.eventids import read_id
from amiproxy.routing.selection import Selection
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amiproxy.limits import Limits
    from amiproxy.live.documents import Id
    from amiproxy.message import Message

#: How many patterns of events, servers, kinds, fields, or values of a field one may name.
MOST = 64
_LONGEST_ID = 255
_PATTERN = re.compile(r"[^\s*\x00-\x1f\x7f]{0,80}\*?")
#: What is the same number to every reader.
_WHOLE = re.compile("-?(?:0|[1-9][0-9]{0,14})")
_WORD = re.compile(r"[^\x00-\x1f\x7f]{1,255}")


class Number(str):
    """A number, as it is written: 1.10 is not 1.1 in a dialplan."""

    __slots__ = ()


class Subscription(NamedTuple):
    """What a client wants to be told, from now on and nothing else.

    *kinds* of rows, of which *where* has the values of fields that are wanted; *since*: the id of
    the last event that it knows, "" if it wants none that it has missed.
    """

    events: Selection
    kinds: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = {}
    since: str = ""


class Ask(NamedTuple):
    """An action that Asterisk, or the proxy, is to carry out."""

    message: Message


class Ping(NamedTuple):
    """A client asks whether the proxy is there."""


class Asked(NamedTuple):
    """A request and its id, as it is given back; None: it has none."""

    id: Id
    wanted: Union[Subscription, Ask, Ping]


class WrongError(Exception):
    """A message that cannot be carried out; *id* is that of the message, if it has one."""

    def __init__(self, request_id: Id, problem: Problem) -> None:
        super().__init__(str(problem))
        self.id, self.problem = request_id, problem


def read(text: str, limits: Limits) -> Asked:
    """Return what the message *text* asks.

    Raises:
        WrongError: it asks nothing that can be done.

    """
    members = _members(text)
    request_id = _id(members.get("id"))
    kind = members.get("type")
    try:
        if kind is None and "id" not in members and _is_action(members):
            message = _block([*_lines(members)], limits)
            return Asked(message.get("ActionID") or None, Ask(message))
        if kind == "action":
            return Asked(request_id, Ask(_action(members, limits)))
        if kind == "subscribe":
            return Asked(request_id, _subscription(members))
        if kind == "ping":
            return Asked(request_id, Ping())
        told = 'Say what it is: "type" is action, subscribe or ping; or send an object with Action'
        raise Problem("bad-request", told)
    except Problem as problem:
        raise WrongError(request_id, problem) from None


def of_fields(fields: Iterable[tuple[str, str]]) -> Subscription | None:
    """Return what the *fields* of a URL want to be told; None: nothing so far.

    Raises:
        Problem: one of them is wrong.

    """
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(name, []).extend(each.strip() for each in value.split(","))
    given = {name: [each for each in values if each] for name, values in found.items()}
    events = [*given.get("events", ()), *given.get("event", ())]
    # Both words of /events will do, too: nobody is to wait for rows because of a word.
    kinds = [*given.get("state", ()), *given.get("snapshot", ())]
    since = "".join(given.get("since", ())[:1])
    if not (events or kinds):
        return None
    where = {name[6:]: values for name, values in given.items() if name.startswith("where.")}
    members: dict[str, Any] = {"events": events, "state": kinds, "where": where}
    if since:
        members["since"] = since
    return _subscription({**members, "server": given.get("server", [])})


# -- one message ------------------------------------------------------------------------------


def _members(text: str) -> dict[str, Any]:
    try:
        found = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_constant,
        )
    except ValueError as error:
        told = str(error) if isinstance(error, _Twice) else "The message is no JSON"
        raise WrongError(None, Problem("bad-request", told)) from None
    except RecursionError:
        raise WrongError(None, Problem("bad-request", "The message is nested too deep")) from None
    if not isinstance(found, dict):
        raise WrongError(None, Problem("bad-request", "A message is one JSON object"))
    return found


class _Twice(ValueError):
    """A name stands twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice("A name stands twice in one object of the message; use an array")
    return found


def _constant(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _id(value: Any) -> Id:
    """Return an id as it is given back."""
    if value is None:
        return None
    if isinstance(value, Number) and _WHOLE.fullmatch(value):
        return int(value)
    if not isinstance(value, str) or isinstance(value, Number) or len(value) > _LONGEST_ID:
        told = f"id is a string of at most {_LONGEST_ID} characters, or a whole number of 15 digits"
        raise WrongError(None, Problem("bad-request", told))
    return value


def _is_action(members: Mapping[str, Any]) -> bool:
    return any(name.lower() in ("action", "proxyaction") for name in members)


# -- actions ----------------------------------------------------------------------------------


def _action(members: Mapping[str, Any], limits: Limits) -> Message:
    headers = members.get("action")
    if not isinstance(headers, dict) or not _is_action(headers):
        raise Problem("bad-request", 'action is an object of headers, {"Action": "Ping"}')
    lines = [*_lines(headers)]
    server = members.get("server")
    if server is not None:
        named = _texts("server", server, _WORD)
        if len(named) != 1:
            raise Problem("bad-request", "server is the name of one server")
        if not any(name.lower() == "server" for name in headers):
            lines.append(b"Server: " + _encoded(named[0]))
    return _block(lines, limits)


def _lines(headers: Mapping[str, Any]) -> Iterable[bytes]:
    """Yield the lines that *headers* mean; an array is a header that is repeated."""
    for name, value in headers.items():
        if not name or ":" in name or name.startswith(":"):
            raise Problem("bad-request", "A header has no name, or one with a colon")
        for each in value if isinstance(value, list) else [value]:
            yield _encoded(f"{name}: {_text(name, each)}")


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    told = f"The value of {name[:80]} is to be a string, a number, a boolean, or an array of these"
    raise Problem("bad-request", told)


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Problem("bad-request", "The message has half a surrogate pair") from None


def _block(lines: Sequence[bytes], limits: Limits) -> Message:
    """Return the action of *lines*, which nobody can add further lines to."""
    found = block(lines, limits)
    if found is None or isinstance(found, Refused):
        told = "There is no header" if found is None else found.reason
        raise Problem("bad-request", told)
    return found


# -- subscriptions ------------------------------------------------------------------------------


def _subscription(members: Mapping[str, Any]) -> Subscription:
    patterns = _texts("events", members.get("events", []), _PATTERN)
    servers = _texts("server", members.get("server", []), _WORD)
    servers += _texts("servers", members.get("servers", []), _WORD)
    kinds = _texts("state", members.get("state", []), _WORD)
    where = members.get("where", {})
    if not isinstance(where, dict) or len(where) > MOST:
        told = 'where is an object of fields and their values: {"queue": ["support"]}'
        raise Problem("bad-request", told)
    wanted = {name: tuple(_texts("where", value, _WORD)) for name, value in where.items()}
    if servers:
        wanted.setdefault("server", tuple(servers))
    since = members.get("since")
    if since is not None and (not isinstance(since, str) or read_id(since) is None):
        raise Problem("bad-request", "since is no event id: take the last id or at that was told")
    return Subscription(Selection.of(patterns, servers), tuple(kinds), wanted, since or "")


def _texts(name: str, value: Any, form: re.Pattern[str]) -> list[str]:
    """Return *value*, a text or an array of them, each of which *form* matches."""
    found = value if isinstance(value, list) else [value]
    if len(found) > MOST:
        raise Problem("bad-request", f"{name} has more than {MOST} entries")
    for each in found:
        is_text = isinstance(each, str) and not isinstance(each, Number)
        if not (is_text and each and form.fullmatch(each)):
            raise Problem("bad-request", f"{name} is an array of names" + _HINTS.get(name, ""))
    return found


_HINTS = {"events": ': "Hangup", or with a * at the end: "Dial*", "*" for all'}
