# SPDX-License-Identifier: GPL-2.0-or-later
"""The messages of an answer in, its HTTP status and body out.

The body in our own format is what its handler writes; for Asterisk's HTTP interface it
is as main/manager.c has it (xml_translate; recorded from Asterisk 22).
"""

from __future__ import annotations

import html
import logging
import re
from typing import TYPE_CHECKING, NamedTuple

from amiproxy import replies
from amiproxy.errors import HandlerError
from amiproxy.formats import documented
from amiproxy.httpmessages import Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from amiproxy.formats import Format
    from amiproxy.message import Message

log = logging.getLogger("amiproxy.web")

Headers = tuple[tuple[str, str], ...]

#: The proxy's own words where no Asterisk can be asked (spec 12.2).
_UNAVAILABLE = re.compile(
    r"(?:No Asterisk server connected|Server .* is not connected)(?: \(at [^()]+\))?"
)

#: And where one has not answered (``actiontimeout``).
_LATE = re.compile(r"Server .* did not answer in time(?: \(at [^()]+\))?")

#: What XML 1.0 cannot hold, not even escaped.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")

#: What Asterisk takes away at both ends of a value in XML.
_BLANKS = "".join(map(chr, range(33)))

#: No style and no script: the page's policy (threads/web/client.py) allows neither.
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title></head>
<body>
<h1>{title}</h1>
{before}<form action="{form}" method="post">
{hidden}<p><label>Action <input name="{field}" value="Ping" required></label></p>
<p><label>ActionID <input name="ActionID"></label> (may be empty)</p>
<p><button>Send</button></p>
</form>
<h2>Examples</h2>
<ul>
{examples}</ul>
{after}</body></html>
"""


def _examples(rows: Sequence[tuple[str, str, str]]) -> str:
    return "".join(f'<li><a href="{link}">{name}</a>: {text}</li>\n' for link, name, text in rows)


#: The answer is shown as text, for people: a browser saves CSV.
_OWN_PAGE = _PAGE.format(
    title="astmanproxy",
    before="<p>Send one action to Asterisk and read its answer. Back leads here again.</p>\n",
    form="./",
    hidden='<input type="hidden" name="format" value="standard">\n',
    field="Action",
    examples=_examples(
        (
            ("./?Action=CoreStatus&amp;format=standard", "CoreStatus", "how Asterisk is"),
            ("./?Action=CoreShowChannels&amp;format=standard", "CoreShowChannels", "calls"),
            ("./?Action=QueueStatus&amp;format=standard", "QueueStatus", "queues and agents"),
            ("./?ProxyAction=ListServers&amp;format=standard", "ListServers", "the Asterisks"),
            ("./?ProxyAction=ListSessions&amp;format=standard", "ListSessions", "the clients"),
        )
    ),
    after="""<h2>From programs</h2>
<p>The headers of an action are the fields of a URL, or of a form that is posted:</p>
<pre>/?Action=QueueStatus&amp;Queue=support&amp;format=json</pre>
<p><code>format</code>, or the <code>Accept</code> header, names the format of the answer:
<code>standard</code>, <code>json</code>, <code>xml</code> or <code>csv</code>.</p>
""",
)

_AJAM_PAGE = _PAGE.format(
    title="Asterisk Manager Interface",
    before="""<h2>Log in</h2>
<p>Only where the proxy requires it, and before anything else.</p>
<form action="manager" method="post">
<input type="hidden" name="action" value="login">
<p><label>User <input name="username" autocomplete="username" required></label></p>
<p><label>Secret <input name="secret" type="password" autocomplete="current-password"></label></p>
<p><button>Log in</button></p>
</form>
<h2>Send an action</h2>
""",
    form="manager",
    hidden="",
    field="action",
    examples=_examples(
        (
            ("manager?action=corestatus", "CoreStatus", "how Asterisk is"),
            ("manager?action=coreshowchannels", "CoreShowChannels", "calls"),
            ("manager?action=queuestatus", "QueueStatus", "queues and agents"),
            ("manager?action=logoff", "Logoff", "end the session"),
        )
    ),
    after="",
)


class Answer(NamedTuple):
    """What an action was answered with; *complete* is false where time ran out."""

    messages: tuple[Message, ...]
    complete: bool

    @property
    def is_error(self) -> bool:
        """Whether the response says Error."""
        if not self.messages:
            return False
        first = self.messages[0]
        return (first.get("Response") or first.get("ProxyResponse")).lower() == "error"

    def status(self, action: str, *, allowed: bool, until: bool) -> int:
        """Return the HTTP status of this answer to *action*, its name in lower case.

        *allowed*: the client had logged in, or need not; *until*: an event was waited for.
        """
        messages = self.messages
        if not messages:
            return 200 if self.complete else 504
        for message in messages:
            if message is replies.SHUTTING_DOWN:
                return 503
        if b"error" in messages[-1].raw.lower():  # else none of it need be looked at
            last = messages[-1].values
            is_error = last.get("response", "").lower() == "error"
            if is_error and (status := _of_the_proxy(last.get("message", ""))):
                return status
        if (not allowed or action == "login") and self.is_error:
            return 401
        if not self.complete and not (until and self.messages[0].has("Response")):
            return 504
        return 200


def _of_the_proxy(text: str) -> int:
    """Return the status of an error of the proxy's own with *text*, 0: it is Asterisk's."""
    if _UNAVAILABLE.fullmatch(text):
        return 503
    return 504 if _LATE.fullmatch(text) else 0


def page(style: str) -> bytes:
    """Return the page that explains how to use this, with a form for one action."""
    return (_AJAM_PAGE if style else _OWN_PAGE).encode()


def respond(
    status: int, messages: Sequence[Message], output: Format, headers: Headers = ()
) -> Response:
    """Return *messages* in the format *output* as a response; 500 if its handler fails."""
    try:
        body = documented(output, messages)
    except HandlerError as error:
        log.error("%s", error)
        return Response(500, "text/plain", b"The output handler failed\n", headers)
    is_document = output.document is not None or len(messages) == 1
    content_type = output.document_type if is_document else output.content_type
    if not body.isascii():
        content_type = _with_charset(content_type, body)
    return Response(status, content_type, body, headers)


def _with_charset(content_type: str, body: bytes) -> str:
    """Return *content_type*, with a charset if *body*, which is not ASCII, needs one.

    Plain text and CSV do not name their encoding, and a browser takes them for
    Windows-1252; so UTF-8 is named, unless *body* is something else.
    """
    if content_type not in ("text/plain", "text/csv"):
        return content_type
    try:
        body.decode()
    except UnicodeDecodeError:
        return content_type
    return content_type + "; charset=utf-8"


def respond_ajam(
    status: int, messages: Sequence[Message], style: str, headers: Headers = ()
) -> Response:
    """Return *messages* as Asterisk's own *style* writes them, as a response."""
    if style == "rawman":
        body = b"".join([message.raw for message in messages])
        content_type = "text/plain" if body.isascii() else _with_charset("text/plain", body)
    elif style == "mxml":
        content_type, body = "text/xml", _mxml(messages)
    else:
        content_type, body = "text/html; charset=utf-8", _table(messages)
    return Response(status, content_type, body, headers)


def _mxml(messages: Iterable[Message]) -> bytes:
    lines = ["<ajax-response>\n"]
    for message in messages:
        attributes = "".join(
            f" {name}='{html.escape(value)}'" for name, value in _attributes(message)
        )
        lines.append(f"<response type='object' id='unknown'><generic{attributes} /></response>\n")
    lines.append("</ajax-response>\n")
    return "".join(lines).encode()


def _attributes(message: Message) -> Iterator[tuple[str, str]]:
    """Yield the headers as XML attributes: a repeated name gets -2, -3 and so on."""
    counts: dict[str, int] = {}
    opaque = []
    for line in message.lines:
        name, colon, value = line.partition(":")
        if not colon:
            opaque.append(line)
            continue
        key = re.sub("[^a-z0-9]", "_", name.lower()) or "_"
        if key[0].isdigit():
            key = "_" + key
        counts[key] = counts.get(key, 0) + 1
        if counts[key] > 1:
            key = f"{key}-{counts[key]}"
        yield key, _xml_text(value.strip(_BLANKS))
    if opaque:
        yield "opaque_data", _xml_text("\n".join(opaque))


def _xml_text(text: str) -> str:
    """Return the bytes that *text* stands for as characters that XML can hold."""
    return _NO_XML.sub("\ufffd", _characters(text))


def _characters(text: str) -> str:
    raw = text.encode("latin-1", "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return text


def _table(messages: Iterable[Message]) -> bytes:
    rows = []
    for message in messages:
        counts: dict[str, int] = {}
        for line in message.lines:
            name, colon, value = _characters(line).partition(":")
            if not colon:
                name, value = "Opaque-data", name
            counts[name] = counts.get(name, 0) + 1
            if counts[name] > 1:
                name = f"{name}-{counts[name]}"
            # More blanks than one belong to the value: columns of a command's output.
            cells = (html.escape(name), html.escape(value[value.startswith(" ") :]))
            rows.append("<tr><td>{}</td><td>{}</td></tr>\n".format(*cells))
        rows.append('<tr><td colspan="2"><hr></td></tr>\n')
    head = '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
    # Output of a command stands in columns.
    style = "<style>td { font-family: monospace; white-space: pre-wrap }</style>\n"
    title = "<title>Asterisk Manager Interface</title></head>\n<body><table>\n"
    return (head + style + title + "".join(rows) + "</table></body></html>\n").encode()
