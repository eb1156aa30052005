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

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>astmanproxy</title></head>
<body><h1>astmanproxy</h1>
<p>Actions go to Asterisk as fields of a URL or of a form:
<code>/?Action=Ping&amp;ActionID=1</code>. Answers come in the format that
<code>format=</code> or the <code>Accept</code> header names.</p>
<form action="{action}" method="post">
<p><label>Action <input name="{field}" value="Ping"></label>
<label>ActionID <input name="ActionID"></label>
<button>Send</button></p>
</form></body></html>
"""


def page(style: str) -> bytes:
    """Return the page that tells how to use this, with a form of one action."""
    action, field = ("manager", "action") if style else ("/", "Action")
    return PAGE.format(action=action, field=field).encode()


def encode(messages: Sequence[Message], output: Format) -> tuple[str, bytes]:
    """Return (content type, body) of *messages* in the format *output*.

    One JSON message is a JSON text; more are one text a line, another media type.
    """
    assert output.write is not None
    body = b"".join([output.write(message) for message in messages])
    content_type = output.content_type
    if output.name == "json" and len(messages) == 1:
        content_type = "application/json"
    return content_type, body


def encode_ajam(messages: Sequence[Message], style: str) -> tuple[str, bytes]:
    """Return (content type, body) as Asterisk's own *style* writes *messages*."""
    if style == "rawman":
        return "text/plain", b"".join([message.raw for message in messages])
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
            rows.append(f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>\n")
        rows.append('<tr><td colspan="2"><hr></td></tr>\n')
    head = '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
    title = "<title>Asterisk Manager Interface</title></head>\n<body><table>\n"
    return (head + title + "".join(rows) + "</table></body></html>\n").encode()
