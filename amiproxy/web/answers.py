# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages in, the body of an HTTP answer out.

In our own format whichever handler writes; for Asterisk's HTTP interface as its
main/manager.c does (xml_translate; recorded from Asterisk 22).
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from amiproxy.formats import Format
    from amiproxy.message import Message

#: What XML 1.0 cannot hold, not even escaped.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")

#: No style and no script: the page's policy (threads/web/client.py) allows neither.
_HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title></head>
<body>
<h1>{title}</h1>
"""

#: The answer is shown as text: a browser saves CSV, and refuses more than one XML message.
_PAGE = (
    _HEAD.format(title="astmanproxy")
    + """<p>Send one action to Asterisk and read its answer. Back leads here again.</p>
<form action="/" method="post">
<input type="hidden" name="format" value="standard">
<p><label>Action <input name="Action" value="Ping" required></label></p>
<p><label>ActionID <input name="ActionID"></label> (may be empty)</p>
<p><button>Send</button></p>
</form>
<h2>Examples</h2>
<ul>
<li><a href="/?Action=CoreStatus&amp;format=standard">CoreStatus</a>: how Asterisk is</li>
<li><a href="/?Action=CoreShowChannels&amp;format=standard">CoreShowChannels</a>: calls</li>
<li><a href="/?Action=QueueStatus&amp;format=standard">QueueStatus</a>: queues and agents</li>
<li><a href="/?ProxyAction=ListServers&amp;format=standard">ListServers</a>: the Asterisks</li>
<li><a href="/?ProxyAction=ListSessions&amp;format=standard">ListSessions</a>: the clients</li>
</ul>
<h2>From programs</h2>
<p>The headers of an action are the fields of a URL, or of a form that is posted:</p>
<pre>/?Action=QueueStatus&amp;Queue=support&amp;format=json</pre>
<p><code>format</code>, or the <code>Accept</code> header, names the format of the answer:
<code>standard</code>, <code>json</code>, <code>xml</code> or <code>csv</code>.</p>
</body></html>
"""
)

_AJAM_PAGE = (
    _HEAD.format(title="Asterisk Manager Interface")
    + """<h2>Log in</h2>
<p>Only where the proxy requires it, and before anything else.</p>
<form action="manager" method="post">
<input type="hidden" name="action" value="login">
<p><label>User <input name="username" autocomplete="username" required></label></p>
<p><label>Secret <input name="secret" type="password" autocomplete="current-password"></label></p>
<p><button>Log in</button></p>
</form>
<h2>Send an action</h2>
<form action="manager" method="post">
<p><label>Action <input name="action" value="Ping" required></label></p>
<p><label>ActionID <input name="ActionID"></label> (may be empty)</p>
<p><button>Send</button></p>
</form>
<h2>Examples</h2>
<ul>
<li><a href="manager?action=corestatus">CoreStatus</a>: how Asterisk is</li>
<li><a href="manager?action=coreshowchannels">CoreShowChannels</a>: calls</li>
<li><a href="manager?action=queuestatus">QueueStatus</a>: queues and agents</li>
<li><a href="manager?action=logoff">Logoff</a>: end the session</li>
</ul>
</body></html>
"""
)


def page(style: str) -> bytes:
    """Return the page that tells how to use this, with a form of one action."""
    return (_AJAM_PAGE if style else _PAGE).encode()


def encode(messages: Sequence[Message], output: Format) -> tuple[str, bytes]:
    """Return (content type, body) of *messages* in the format *output*.

    One JSON message is a JSON text; more are one text a line, another media type.
    """
    assert output.write is not None
    body = b"".join([output.write(message) for message in messages])
    content_type = output.content_type
    if output.name == "json" and len(messages) == 1:
        content_type = "application/json"
    return _with_charset(content_type, body), body


def _with_charset(content_type: str, body: bytes) -> str:
    """Return *content_type*, which says that *body* is UTF-8 where only it can.

    Plain text and CSV do not tell by themselves, and a browser takes them for
    Windows-1252.  Where it makes no difference, or is not true, nothing is said.
    """
    if content_type not in ("text/plain", "text/csv") or body.isascii():
        return content_type
    try:
        body.decode()
    except UnicodeDecodeError:
        return content_type
    return content_type + "; charset=utf-8"


def encode_ajam(messages: Sequence[Message], style: str) -> tuple[str, bytes]:
    """Return (content type, body) as Asterisk's own *style* writes *messages*."""
    if style == "rawman":
        body = b"".join([message.raw for message in messages])
        return _with_charset("text/plain", body), body
    if style == "mxml":
        return "text/xml", _mxml(messages)
    return "text/html; charset=utf-8", _table(messages)


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
        yield key, _xml_text(value.lstrip(" "))
    if opaque:
        yield "opaque-data", _xml_text("\n".join(opaque))


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
        for line in message.lines:
            name, _, value = _characters(line).partition(":")
            # More blanks than one belong to the value: columns of a command's output.
            cells = (html.escape(name), html.escape(value[value.startswith(" ") :]))
            rows.append("<tr><td>{}</td><td>{}</td></tr>\n".format(*cells))
        rows.append('<tr><td colspan="2"><hr></td></tr>\n')
    head = '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
    # Output of a command stands in columns.
    style = "<style>td { font-family: monospace; white-space: pre-wrap }</style>\n"
    title = "<title>Asterisk Manager Interface</title></head>\n<body><table>\n"
    return (head + style + title + "".join(rows) + "</table></body></html>\n").encode()
