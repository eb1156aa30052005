# SPDX-License-Identifier: GPL-2.0-or-later
"""What an HTTP request asks for: the block for Asterisk, and how it is to be answered.

Pure: a request in, a value or :class:`BadRequest` out.  The rules stand in
docs/http.md.  Field names and values become header lines, so whatever could end a
line is refused here: it would inject actions (spec 12.7).
"""

from __future__ import annotations

import base64
import binascii
import codecs
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from amiproxy.formats import Limits, Refused
from amiproxy.message import Message
from amiproxy.web.messages import BadRequest, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from amiproxy.formats import Format, Reader

#: Paths and the style of their answers: "" is ours, the others are Asterisk's own
#: HTTP interface ("AJAM": main/manager.c, rawman, mxml and manager).
PATHS: Mapping[str, str] = {
    "/": "",
    "/rawman": "rawman",
    "/mxml": "mxml",
    "/manager": "manager",
    "/asterisk/rawman": "rawman",
    "/asterisk/mxml": "mxml",
    "/asterisk/manager": "manager",
}

ALLOWED = ("GET", "HEAD", "POST", "OPTIONS")
ALLOW = (("Allow", ", ".join(ALLOWED)),)
#: Methods that exist (RFC 9110, RFC 5789) and do nothing here; others are not known at all.
_KNOWN = frozenset({"PUT", "DELETE", "PATCH", "TRACE", "CONNECT"})

#: Fields that speak to us and not to Asterisk.  The case of ``format`` counts:
#: ``Format`` is a header of Asterisk's own (Action: Monitor).
FORMAT_FIELD = "format"
UNTIL_FIELD = "x-until-event"
MAXTIME_FIELD = "x-maxtime"

LONGEST_WAIT = 600.0  # seconds; a client's wish must not hold a thread for ever

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"

_FORBIDDEN = frozenset("\r\n\0")


@dataclass(frozen=True)
class Asked:
    """What a request wants."""

    style: str  #: "" for ours, or the AJAM style
    message: Message | None  #: the block; None: the page that tells how to use this
    format: str = ""  #: output format by name; "": not said
    until_event: str = ""  #: the answer ends with this event
    wait: float | None = None  #: seconds it may take; None: not said


def check_method(request: Request) -> None:
    """See to it that the method is one of ours.

    Raises:
        BadRequest: 405 or 501.

    """
    if request.method in ALLOWED:
        return
    status = 405 if request.method in _KNOWN else 501
    raise BadRequest(status, f"Use {', '.join(ALLOWED)}", ALLOW)


def split_target(target: str) -> tuple[str, str]:
    """Return (path, query) of a request target, in origin or absolute form."""
    scheme, mark, rest = target.partition("://")
    if mark and scheme.lower() in ("http", "https"):
        host = len(rest.split("/", 1)[0].split("?", 1)[0])
        target = rest[host:]
        if not target.startswith("/"):
            target = "/" + target
    path, _, query = target.partition("?")
    return unquote_to_bytes(path).decode("latin-1"), query.partition("#")[0]


def style_of(request: Request) -> str:
    """Return the style of answer that the path asks for.

    Raises:
        BadRequest: 404, there is nothing at this path.

    """
    path, _ = split_target(request.target)
    style = PATHS.get(path)
    if style is None:
        raise BadRequest(404, "There is nothing here: use /?Action=...")
    return style


def read(request: Request, limits: Limits, json_reader: Callable[[Limits], Reader] | None) -> Asked:
    """Return what *request*, a GET, HEAD or POST, asks for.

    *json_reader* is the reader of the json handler, if there is one.

    Raises:
        BadRequest: 400, 404 or 415; the text tells what to do.

    """
    style = style_of(request)
    fields = _fields(request)
    lines: tuple[str, ...] = ()
    if request.method == "POST":
        kind = _kind(request)
        if kind == _JSON:
            lines = _read_json(request.body, limits, json_reader).lines
        elif kind != _FORM:
            raise BadRequest(415, f"Send {_FORM} or {_JSON}")
    elif not fields and style in ("", "manager"):
        return Asked(style, None)
    wishes, lines = _sort_lines(lines, style)
    ours, rest = _sort(fields, style)
    ours = {**_from_headers(request), **wishes, **ours}
    if request.has("proxykey"):
        rest.append(("ProxyKey", request.header("proxykey")))
    message = Message.of(*lines, *(f"{name}: {value}" for name, value in checked(rest)))
    _check_block(message, limits)
    return Asked(
        style,
        message,
        ours.get(FORMAT_FIELD, "").lower(),
        ours.get(UNTIL_FIELD, ""),
        _wait(ours.get(MAXTIME_FIELD, "")),
    )


def format_field(request: Request) -> str:
    """Return the format that URL or form ask for, or ``""``: errors are answered in it, too."""
    found = (value for name, value in _fields(request) if name == FORMAT_FIELD)
    return next(found, "").lower()


def _fields(request: Request) -> list[tuple[str, str]]:
    """Return the fields of the URL, then those of a form."""
    fields = list(parse_fields(split_target(request.target)[1]))
    if request.method == "POST" and _kind(request) == _FORM:
        fields += parse_fields(request.body.decode("latin-1"))
    return fields


def _kind(request: Request) -> str:
    """Return the media type of the body."""
    return request.header("content-type").partition(";")[0].strip().lower() or _FORM


def parse_fields(text: str) -> Iterable[tuple[str, str]]:
    """Yield (name, value) of urlencoded *text*, in order, repeated ones too.

    ``+`` is a blank and ``%26`` an ampersand in a value; a percent sign that
    begins no code stays; a field without ``=`` has an empty value.
    """
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            yield _decode(name), _decode(value)


def checked(fields: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Yield *fields* as they are, having looked at each.

    Raises:
        BadRequest: 400, a field would be another line than it says.

    """
    for name, value in fields:
        if _FORBIDDEN & (set(name) | set(value)):
            raise BadRequest(400, "CR, LF and NUL are not allowed in names and values")
        if not name.strip() or ":" in name:
            raise BadRequest(400, "A field has no name, or a colon in its name")
        yield name, value


def credentials(request: Request) -> tuple[str, str] | None:
    """Return (user, secret) of Basic authentication (RFC 7617), or None."""
    scheme, _, text = request.header("authorization").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(text.strip(), validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        return None
    user, colon, secret = decoded.partition(":")
    if not colon or _FORBIDDEN & set(decoded):
        return None
    return user, secret


def cookie(request: Request, name: str) -> str:
    """Return the value of cookie *name*, without quotes, or ``""``."""
    for part in request.header("cookie").replace(",", ";").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value.strip().strip('"')
    return ""


def choose_format(asked: str, accept: str, outputs: Mapping[str, Format], default: str) -> str:
    """Return the name of the output format to answer in.

    *asked* is the ``format`` field; then *accept*, the Accept header, counts;
    what it does not settle is *default*.  A browser (it accepts text/html) gets
    the default: its wish for application/xml means pages, not data.

    Raises:
        BadRequest: 400, *asked* is no output format.

    """
    if asked:
        if asked not in outputs:
            raise BadRequest(400, f"Unknown format; there are: {', '.join(sorted(outputs))}")
        return asked
    names = [default, *(name for name in outputs if name != default)]
    for media in _by_preference(accept):
        if media in ("*/*", "text/html", "application/xhtml+xml"):
            return default
        for name in names:
            if name in outputs and _matches(media, outputs[name].content_type):
                return name
    return default


def _matches(media: str, content_type: str) -> bool:
    own = content_type.partition(";")[0].strip().lower()
    if media.endswith("/*"):
        return own.startswith(media[:-1])
    own_kind, kind = own.partition("/")[2], media.partition("/")[2]
    if own == media:
        return True
    # text/xml and application/xml, NDJSON and JSON are two names each of one thing.
    json_names = {"json", "x-ndjson", "ndjson", "x-json-stream"}
    return (own_kind == kind == "xml") or (own_kind in json_names and kind in json_names)


def _by_preference(accept: str) -> list[str]:
    ranked = []
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
        if media and weight > 0:
            ranked.append((weight, media))
    ranked.sort(key=lambda pair: -pair[0])
    return [media for _, media in ranked]


def _decode(text: str) -> str:
    raw = text.replace("+", " ").encode("latin-1", "replace")
    return unquote_to_bytes(raw).decode("latin-1")


def _sort(
    fields: Iterable[tuple[str, str]], style: str
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Part the fields that speak to us from the block's; the first of a name counts."""
    ours: dict[str, str] = {}
    rest = []
    for name, value in fields:
        key = _wish(name, style)
        if key:
            ours.setdefault(key, value)
        else:
            rest.append((name, value))
    return ours, rest


def _sort_lines(lines: Sequence[str], style: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Part, as :func:`_sort`, the lines that a JSON body means."""
    ours: dict[str, str] = {}
    rest = []
    for line in lines:
        name, _, value = line.partition(":")
        key = _wish(name, style)
        if key:
            ours.setdefault(key, value.strip())
        else:
            rest.append(line)
    return ours, tuple(rest)


def _wish(name: str, style: str) -> str:
    """Return what a field of *name* wishes from us; "" if it is for Asterisk."""
    if name == FORMAT_FIELD:
        return "" if style else FORMAT_FIELD
    return name.lower() if name.lower() in (UNTIL_FIELD, MAXTIME_FIELD) else ""


def _from_headers(request: Request) -> dict[str, str]:
    names = (UNTIL_FIELD, MAXTIME_FIELD)
    return {name: request.header(name) for name in names if request.has(name)}


def _wait(text: str) -> float | None:
    """Return the seconds that *text*, milliseconds, means; None if it says nothing."""
    if not text:
        return None
    # isdecimal() alone would take other alphabets' digits.
    if not (text.isascii() and text.isdecimal() and len(text) < 12 and int(text) > 0):
        raise BadRequest(400, "X-Maxtime is a number of milliseconds, 1 or more")
    return min(int(text) / 1000, LONGEST_WAIT)


def _read_json(
    body: bytes, limits: Limits, json_reader: Callable[[Limits], Reader] | None
) -> Message:
    if json_reader is None:
        raise BadRequest(415, f"There is no json handler here; send {_FORM}")
    # A byte order mark is no part of the text (RFC 8259, section 8.1); some clients send it.
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        # JSON is UTF-8.  Left to itself the module would look for the codecs of others,
        # which may be out of reach for the user we run as.
        parsed = json.loads(body.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        raise BadRequest(400, "The body is no JSON") from None
    if not isinstance(parsed, dict):
        raise BadRequest(400, "The body must be one JSON object")
    # The handler takes one object a line.  In JSON a raw line end is always
    # between two tokens: it makes no difference there.
    line = body.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"
    found = json_reader(limits).feed(line)
    if len(found) != 1:
        raise BadRequest(400, "The body must be one JSON object with at least one header")
    if isinstance(found[0], Refused):
        raise BadRequest(400, found[0].reply.get("Message") or "Invalid JSON input")
    return found[0]


def _check_block(message: Message, limits: Limits) -> None:
    """See to it that the block is one, and within what Asterisk bears (spec 12.17)."""
    if not (message.get("Action").strip() or message.get("ProxyAction").strip()):
        raise BadRequest(400, "No Action and no ProxyAction: use /?Action=Ping")
    lines = message.lines
    if len(lines) > limits.headers:
        raise BadRequest(400, f"{len(lines)} fields, no more than {limits.headers} are allowed")
    longest = max(map(len, lines))
    if longest > limits.line:
        raise BadRequest(400, f"A line of {longest} bytes, no more than {limits.line} are allowed")
