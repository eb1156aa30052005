# SPDX-License-Identifier: GPL-2.0-or-later
"""What an HTTP request asks for: the block for Asterisk, and how it is to be answered.

A request in, a value or :class:`BadRequest` out.  The rules are in docs/http.md.
Field names and values become header lines, so whatever could end a line is refused
here: it would inject actions (spec 12.7).
"""

from __future__ import annotations

import base64
import binascii
import codecs
from typing import TYPE_CHECKING, NamedTuple, Optional, TypeVar

from amiproxy.formats import Refused
from amiproxy.httpmessages import BadRequest, Request
from amiproxy.limits import Limits
from amiproxy.message import Message
from amiproxy.web.paths import parse_fields, path_and_query, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amiproxy.formats import Format

#: Styles of answers of Asterisk's own HTTP interface ("AJAM": main/manager.c).
_AJAM = ("rawman", "mxml", "manager")
_PREFIXES = ("", "/asterisk")
#: Its paths where who asks logs in by Digest, and the style of their answers.
DIGEST_PATHS = {f"{prefix}/a{style}": style for prefix in _PREFIXES for style in _AJAM}
#: All paths and their styles: "" is ours.  As in Asterisk, case does not count, nor one slash
#: at the end.
PATHS: Mapping[str, str] = {
    "/": "",
    **{f"{prefix}/{style}": style for prefix in _PREFIXES for style in _AJAM},
    **DIGEST_PATHS,
}

#: The cookie of a web session.
COOKIE = "mansession_id"

#: What an answer 401 says of how to log in.
CHALLENGE = (("WWW-Authenticate", 'Basic realm="astmanproxy", charset="UTF-8"'),)

ALLOWED = ("GET", "HEAD", "POST", "OPTIONS")
ALLOW = (("Allow", ", ".join(ALLOWED)),)
#: Methods that exist (RFC 9110, RFC 5789) and do nothing here; all others are unknown.
_KNOWN = frozenset({"PUT", "DELETE", "PATCH", "TRACE", "CONNECT"})

#: Fields that speak to us and not to Asterisk.  The case of ``format`` counts:
#: ``Format`` is a header of Asterisk's own (Action: Monitor).
FORMAT_FIELD = "format"
UNTIL_FIELD = "x-until-event"
MAXTIME_FIELD = "x-maxtime"

#: Headers without which a request has no body.
_LENGTHS = ("content-length", "transfer-encoding")

#: Those that a header of the request may hold as well.
_AS_HEADERS = (UNTIL_FIELD, MAXTIME_FIELD)

LONGEST_WAIT = 600.0  # seconds; no client may hold a thread for ever

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"

_FORBIDDEN = frozenset("\r\n\0")

_Field = TypeVar("_Field")


#: How often more fields may come than an action may have headers before they are not parsed.
_CROWD = 4

#: Charsets that a body may be in.  All are read byte by byte: of these AMI has no notion.
_CHARSETS = {
    _FORM: ("utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "latin-1"),
    _JSON: ("utf-8", "utf8", "us-ascii", "ascii"),
}


class Target(NamedTuple):
    """Where a request goes and the fields it brings, taken apart once."""

    style: Optional[str]  #: "" for ours, or the AJAM style; None: there is nothing at this path
    fields: tuple[tuple[str, str], ...]  #: (name, value) of the URL, then those of a form
    wants_digest: bool = False  #: who asks there logs in by Digest
    is_crowded: bool = False  #: there were so many fields that they were not parsed

    @property
    def has_page(self) -> bool:
        """Whether a page with a form is there for who asks nothing."""
        return self.style in ("", "manager") and not self.wants_digest

    @property
    def format(self) -> str:
        """The format that URL or form ask for, or ``""``: errors are answered in it, too."""
        found = (value for name, value in self.fields if name == FORMAT_FIELD)
        return next(found, "").lower()


class Asked(NamedTuple):
    """What a request wants."""

    style: str  #: "" for ours, or the AJAM style
    message: Optional[Message]  #: the block; None: the page that explains how to use this
    format: str = ""  #: output format by name; "": not given
    until_event: str = ""  #: the answer ends with this event
    wait: Optional[float] = None  #: seconds it may take; None: not given


def wrong_method(method: str) -> BadRequest:
    """Return the error of a request whose *method* is not ALLOWED: 405 or 501."""
    status = 405 if method in _KNOWN else 501
    return BadRequest(status, f"Use {', '.join(ALLOWED)}", ALLOW)


def parse_target(request: Request, most: int = Limits.headers) -> Target:
    """Return path and fields of *request*, whose target has origin or absolute form.

    *most* is how many headers an action may have.
    """
    path, query = path_and_query(request.target)
    path = path.lower()
    form = ""
    if request.method == "POST" and _kind(request) == _FORM:
        form = request.body.removeprefix(codecs.BOM_UTF8).decode("latin-1")
    style, wants_digest = PATHS.get(path), path in DIGEST_PATHS
    if query.count("&") + form.count("&") > _CROWD * most:
        return Target(style, (), wants_digest, is_crowded=True)
    return Target(style, (*parse_fields(query), *parse_fields(form)), wants_digest)


def wants_digest(request: Request) -> bool:
    """Return whether *request* goes to a path where who asks logs in by Digest."""
    return path_of(request) in DIGEST_PATHS


def read(
    request: Request,
    target: Target,
    limits: Limits,
    formats: Mapping[str, Format],
) -> Asked:
    """Return what *request*, a GET, HEAD or POST, asks for; *target* is what it was parsed to.

    A JSON body is read by the handler ``json`` of *formats*, if there is one.

    Raises:
        BadRequest: 400, 404, 411 or 415; the text tells the client what to do.

    """
    style, fields = target.style, target.fields
    if style is None:
        raise BadRequest(404, "There is nothing here: use /?Action=...")
    if target.is_crowded:
        raise BadRequest(400, f"Too many fields, at most {limits.headers} are allowed")
    if not fields:
        if request.method != "POST" and target.has_page:
            return Asked(style, None)
        if not (style or request.body or any(map(request.has, _LENGTHS))):
            raise BadRequest(411, "There is no Action: a body needs Content-Length to be read")
    json_lines: tuple[str, ...] = ()
    if request.method == "POST" and _check_body(request) == _JSON:
        json_lines = read_json(request.body, limits, formats.get("json")).lines
    wishes = {name: request.header(name) for name in _AS_HEADERS if request.has(name)}
    said, lines = _part(map(_name_and_value, json_lines), json_lines, style)
    ours, rest = _part(fields, fields, style)
    wishes.update({**said, **ours})
    if request.has("proxykey"):
        rest.append(("ProxyKey", request.header("proxykey")))
    return Asked(
        style,
        block(lines, rest, limits, may_lack_action=bool(style)),
        wishes.get(FORMAT_FIELD, "").lower(),
        wishes.get(UNTIL_FIELD, ""),
        _seconds(wishes.get(MAXTIME_FIELD, "")),
    )


def _part(
    fields: Iterable[tuple[str, str]], kept: Iterable[_Field], style: str
) -> tuple[dict[str, str], list[_Field]]:
    """Part *fields*, names and values, into what speaks to us, by name, and the rest.

    What stands for each among the rest is in *kept*.  Of those that speak to us the first of a
    name counts.
    """
    wishes: dict[str, str] = {}
    rest = []
    for (name, value), field in zip(fields, kept):
        key = name.lower()
        if key in _AS_HEADERS or (name == FORMAT_FIELD and not style):
            wishes.setdefault(key, value)
        else:
            rest.append(field)
    return wishes, rest


def block(
    lines: list[str],
    fields: Iterable[tuple[str, str]],
    limits: Limits,
    *,
    may_lack_action: bool = False,
) -> Message:
    """Return the block of *lines* and *fields*.

    Raises:
        BadRequest: 400, a field would become another line than it says; there is no
            action, unless it *may_lack_action*; or it is more than Asterisk accepts (spec 12.17).

    """
    for name, value in fields:
        line = f"{name}: {value}"
        if "\r" in line or "\n" in line or "\0" in line:
            raise BadRequest(400, "CR, LF and NUL are not allowed in names and values")
        if not name.strip() or ":" in name:
            raise BadRequest(400, "A field has no name, or a colon in its name")
        lines.append(line)
    message = Message.of(*lines)
    if not (may_lack_action or names_action(message)):
        raise BadRequest(400, "No Action and no ProxyAction: use /?Action=Ping")
    if len(lines) > limits.headers:
        text = f"Too many fields: {len(lines)}, at most {limits.headers} are allowed"
        raise BadRequest(400, text)
    longest = max(map(len, lines), default=0)
    if longest > limits.line:
        text = f"Line too long: {longest} bytes, at most {limits.line} are allowed"
        raise BadRequest(400, text)
    return message


def names_action(message: Message) -> bool:
    """Return whether *message* has an Action or a ProxyAction."""
    values = message.values
    return bool(values.get("action", "").strip() or values.get("proxyaction", "").strip())


def _name_and_value(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.strip()


def _seconds(text: str) -> float | None:
    """Return the seconds that *text*, milliseconds, means, at most LONGEST_WAIT; "": None."""
    if not text:
        return None
    # isdecimal() alone would take other alphabets' digits.
    if not (text.isascii() and text.isdecimal() and len(text) < 12 and int(text) > 0):
        raise BadRequest(400, "X-Maxtime is a number of milliseconds, 1 or more")
    return min(int(text) / 1000, LONGEST_WAIT)


def _kind(request: Request) -> str:
    """Return the media type of the body."""
    return request.header("content-type").partition(";")[0].strip().lower() or _FORM


def _check_body(request: Request) -> str:
    """Return the media type of the body.

    Raises:
        BadRequest: 415, it cannot be read.

    """
    kind = _kind(request)
    if kind not in _CHARSETS:
        raise BadRequest(415, f"Send {_FORM} or {_JSON}")
    for parameter in request.header("content-type").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if (
            name.strip().lower().rstrip("*") == "charset"
            and value.strip().strip("\"'").lower() not in _CHARSETS[kind]
        ):
            raise BadRequest(415, "Send UTF-8")
    if request.header("content-encoding").strip().lower() not in ("", "identity"):
        raise BadRequest(415, "Send the body as it is, without Content-Encoding")
    return kind


def read_json(body: bytes, limits: Limits, json_format: Format | None) -> Message:
    """Return the block that *body*, one JSON object, means to the handler *json_format*.

    Raises:
        BadRequest: 400, it means none; 415, there is no such handler.

    """
    if json_format is None or json_format.reader is None:
        raise BadRequest(415, f"There is no json handler here; send {_FORM}")
    # A byte order mark is not part of the text (RFC 8259, section 8.1); some clients send it.
    body = body.removeprefix(codecs.BOM_UTF8)
    # The handler takes one object a line.  In JSON a raw line end is always between two
    # tokens, where a tab makes no difference; in a string neither is allowed.
    line = body.replace(b"\r", b"\t").replace(b"\n", b"\t") + b"\n"
    found = json_format.reader(limits).feed(line)
    if len(found) != 1:
        raise BadRequest(400, "The body must be one JSON object with at least one header")
    if isinstance(found[0], Refused):
        raise BadRequest(400, found[0].reply.get("Message") or "Invalid JSON input")
    return found[0]


def credentials(request: Request) -> tuple[str, str] | None:
    """Return (user, secret) of Basic authentication (RFC 7617); None: there is none."""
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
