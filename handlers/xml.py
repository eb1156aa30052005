# SPDX-License-Identifier: GPL-2.0-or-later
r"""XML, in and out, in the C program's form.

    <AsteriskManagerOutput>
     <Event Value="Hangup"/>
     <Channel Value="SIP/1-1"/>
     <UnparsedText Value="ChanVariable(SIP/1-1): a=b"/>
    </AsteriskManagerOutput>

The root is ``AsteriskManagerProxyOutput`` for the proxy's own messages.  A line that
is not ``Name: value``, or whose name is not an XML name, is an ``UnparsedText``.

Each message is XML 1.0 in UTF-8 and parses by itself.  A value that cannot be
part of that (bytes that are not UTF-8; control characters) is read as latin-1, and
its element says so: ``<CallerIDName Value="Jos&#233;" Charset="latin-1"/>``; control
characters become their pictures (bell is U+2407).  That keeps text of old systems
readable, and any bytes can be recovered.

Input is ``<AsteriskManagerInput>`` with ``<Name Value="..."/>`` children, read by
expat.  DOCTYPE, entities except XML's own five, CDATA and text are not allowed.  The
reader also accepts what this handler writes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.parsers import expat

from amiproxy.blocks import BLOCK_TOO_LONG, UNPARSED, block, refusal
from amiproxy.formats import Refused
from amiproxy.message import Message
from amiproxy.wire.plain import PlainEncoder, is_utf8

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.formats import Limits

CONTENT_TYPE = "text/xml"
DOCUMENT = (b"<AsteriskManagerAnswer>\r\n", b"\r\n", b"\r\n</AsteriskManagerAnswer>\r\n")
INVALID = "Invalid XML Input"
LATIN_1 = "latin-1"

# -- output -------------------------------------------------------------------

_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_.-]*")
# What a value of XML 1.0 must not hold: control characters, U+FFFE, U+FFFF.
# A line never holds LF; TAB and CR can be written as references.
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0a-\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
_UNPARSED = UNPARSED.encode()
_PLAIN = PlainEncoder(b'"/>\r\n <%b Value="')
_PICTURES = {code: 0x2400 + code for code in range(32)}


def write(message: Message) -> bytes:
    """Return *message* as one element and a blank line."""
    root = b"AsteriskManagerProxyOutput" if message.own else b"AsteriskManagerOutput"
    text = message.raw[:-4]
    # EF BF begins U+FFFE and U+FFFF, which are valid UTF-8 but not XML.
    plain = None if b"\xef\xbf" in text else _PLAIN.encode(_escaped(text))
    if plain is not None:
        # Each opening closes the element before it; there is none before the first.
        return b'<%b>%b"/>\r\n</%b>\r\n\r\n' % (root, plain[3:], root)
    elements = b"".join([_element(line) for line in text.split(b"\r\n")])
    return b"<%b>\r\n%b</%b>\r\n\r\n" % (root, elements, root)


def _escaped(text: bytes) -> bytes:
    text = text.replace(b"&", b"&amp;").replace(b"<", b"&lt;")
    return text.replace(b">", b"&gt;").replace(b'"', b"&quot;")


def _element(line: bytes) -> bytes:
    """Return *line*, whatever is in it, as an element."""
    name, separator, value = line.partition(b": ")
    if not separator or name == _UNPARSED or not _NAME.fullmatch(name):
        name, value = _UNPARSED, line
    charset = b""
    if _FORBIDDEN.search(value) or not is_utf8(value):
        value = value.decode("latin-1").translate(_PICTURES).encode()
        charset = b' Charset="latin-1"'
    # A parser would turn these into blanks if they were not references.
    value = _escaped(value).replace(b"\t", b"&#9;").replace(b"\r", b"&#13;")
    return b' <%b Value="%b"%b/>\r\n' % (name, value, charset)


# -- input --------------------------------------------------------------------

_ROOTS = frozenset(["AsteriskManagerInput", "AsteriskManagerOutput", "AsteriskManagerProxyOutput"])
_CONTROLS = {picture: code for code, picture in _PICTURES.items()}
_BLANKS = b" \t\r\n"
_BETWEEN = _BLANKS + b"\xef\xbb\xbf"  # a document may begin with a byte order mark
_ENCODING = re.compile(rb"""\sencoding\s*=\s*["']([A-Za-z0-9._-]*)["']""")
# In all of these "<" is one byte, and expat needs no codec of Python's for them.
_ENCODINGS = {b"utf-8": "UTF-8", b"us-ascii": "US-ASCII", b"iso-8859-1": "ISO-8859-1"}

# A line break in a value is refused (spec 12.7).  A parser turns it into a blank unless
# it is written as a reference.
_QUOTED = re.compile(rb""""[^"]*"|'[^']*'""")
_LINE_BREAKS = {b"\r": b"&#13;", b"\n": b"&#10;"}

_LESS, _GREATER = b"<>"
_MOST_QUOTES = 64  # in one tag: two for each attribute
_IN_TAG = re.compile(rb"[<>\"']")
_IN_VALUE = {34: re.compile(rb'[<"]'), 39: re.compile(rb"[<']")}  # by the quote


class _Malformed(Exception):
    """The input is not what this format allows."""


class _TooLong(Exception):
    """The document is over the limit."""


def reader(limits: Limits) -> XmlReader:
    """Return a reader for one client."""
    return XmlReader(limits)


class XmlReader:
    """Read documents, one after the other, from the bytes of one client."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._cutter = _Cutter()
        self._document: _Document | None = None
        self._size = 0  # bytes of the document, so far
        self._over = False

    def feed(self, data: bytes) -> list[Message | Refused]:
        """Take the next *data* and return the blocks its documents mean, in order.

        After malformed XML it is unknown where the next document begins: the
        client is answered, the session ends, and what follows is ignored.
        """
        found: list[Message | Refused] = []
        if self._over:
            return found
        self._cutter.add(data)
        try:
            for token in self._cutter.tokens():
                self._take(token, found)
            self._check_room(self._cutter.pending)
        except _Malformed:
            reply = Message.of("ProxyResponse: Error", f"Message: {INVALID}", own=True)
            self._stop(Refused(reply, INVALID, close=True), found)
        except _TooLong:
            self._stop(refusal(BLOCK_TOO_LONG, close=True), found)
        return found

    def _stop(self, refused: Refused, found: list[Message | Refused]) -> None:
        self._over = True
        self._cutter = _Cutter()
        self._document = None
        found.append(refused)

    def _check_room(self, size: int) -> None:
        """Raise _TooLong unless the document may have *size* bytes more."""
        if self._size + size > self._limits.block:
            raise _TooLong

    def _take(self, token: bytes, found: list[Message | Refused]) -> None:
        self._check_room(len(token))
        if self._document is not None:
            self._size += len(token)
        if not token.startswith(b"<"):
            if token.strip(_BLANKS if self._document else _BETWEEN):
                raise _Malformed
            return
        if token.startswith(b"<!--"):
            return
        if self._document is None:
            self._document = _Document(_encoding(token))
            self._size = len(token)
        self._document.take(token)
        if self._document.complete:
            result = block(self._document.lines, self._limits)
            if result is not None:
                found.append(result)
            self._document = None
            self._size = 0


def _encoding(token: bytes) -> str:
    """Return the encoding of the document whose first tag *token* is."""
    named = _ENCODING.search(token) if token.startswith(b"<?xml") else None
    encoding = _ENCODINGS.get(named[1].lower()) if named else "UTF-8"
    if encoding is None:
        raise _Malformed
    return encoding


class _Cutter:
    """Cut bytes into tags, comments and the text between them.

    expat is given whole tags only.  Newer versions of it (since CVE-2023-52425) defer
    parsing a partial tag until more bytes come, while the client waits for its answer;
    and text between tags is not allowed at all.

    Looks at each byte once, however the bytes arrive.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._searched = 0  # how many bytes of the unfinished tag have been searched
        self._quote = 0  # the quote that is open there
        self._quotes = 0  # how many there were

    @property
    def pending(self) -> int:
        """Bytes of the tag that has not ended yet."""
        return len(self._data)

    def add(self, data: bytes) -> None:
        """Take the next *data*."""
        self._data += data

    def tokens(self) -> Iterator[bytes]:
        """Yield every whole token; keep the rest.

        Raises:
            _Malformed: the rest will never be a tag.

        """
        start = 0
        while start < len(self._data):
            end = self._end(start)
            if end < 0:
                break
            yield bytes(self._data[start:end])
            start = end
            self._searched = self._quotes = 0
        del self._data[:start]

    def _end(self, start: int) -> int:
        """Return where the token at *start* ends, -1 if its end has not arrived."""
        data = self._data
        if not data.startswith(b"<", start):
            end = data.find(b"<", start)
            return end if end >= 0 else len(data)
        if data.startswith(b"<?", start):
            return self._end_after(b"?>", start, 2)
        if data.startswith(b"<!", start):
            # A comment; not <!DOCTYPE, <!ENTITY, <![CDATA[.
            if not b"<!--".startswith(data[start : start + 4]):
                raise _Malformed
            return self._end_after(b"-->", start, 4)
        return self._end_of_tag(start)

    def _end_after(self, closing: bytes, start: int, opening: int) -> int:
        at = self._data.find(closing, start + max(opening, self._searched - len(closing)))
        self._searched = len(self._data) - start
        return at + len(closing) if at >= 0 else -1

    def _end_of_tag(self, start: int) -> int:
        at = start + max(1, self._searched)
        while True:
            part = _IN_VALUE.get(self._quote, _IN_TAG).search(self._data, at)
            if part is None:
                self._searched = len(self._data) - start
                return -1
            at = part.end()
            found = self._data[at - 1]
            if found == _LESS:
                raise _Malformed
            if found == _GREATER:
                return at
            self._quote = 0 if self._quote else found
            self._quotes += 1
            if self._quotes > _MOST_QUOTES:
                raise _Malformed  # expat would hold the interpreter for all of them


class _Document:
    """One document: checks it, tag by tag, and collects its headers."""

    def __init__(self, encoding: str) -> None:
        self.lines: list[bytes] = []
        self.complete = False
        self._depth = 0
        parser = expat.ParserCreate(encoding)
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._doctype
        self._parser: expat.XMLParserType | None = parser

    def take(self, tag: bytes) -> None:
        """Take the next *tag*.

        Raises:
            _Malformed: it is not allowed here.

        """
        assert self._parser is not None
        if b"\n" in tag or b"\r" in tag:
            tag = _QUOTED.sub(_with_references, tag)
        try:
            self._parser.Parse(tag, False)
        except expat.ExpatError as error:
            raise _Malformed from error
        if self.complete:
            self._parser = None  # it refers to our methods: a cycle

    def _start(self, name: str, attributes: list[str]) -> None:
        self._depth += 1
        if self._depth == 1:
            if name not in _ROOTS:
                raise _Malformed
        elif self._depth == 2 and attributes and ":" not in name:
            self.lines.append(_line(name, attributes))
        else:
            raise _Malformed

    def _end(self, name: str) -> None:  # noqa: ARG002 - expat passes it
        self._depth -= 1
        self.complete = self._depth == 0

    def _doctype(self, *_declaration: object) -> None:
        raise _Malformed


def _with_references(quoted: re.Match[bytes]) -> bytes:
    """Return *quoted*, a value, with its line breaks as references."""
    value = quoted[0]
    for line_break, reference in _LINE_BREAKS.items():
        value = value.replace(line_break, reference)
    return value


def _line(name: str, attributes: list[str]) -> bytes:
    """Return the line that an element means; *attributes* alternate names and values."""
    named = {key.lower(): value for key, value in zip(attributes[::2], attributes[1::2])}
    if 2 * len(named) < len(attributes):
        raise _Malformed  # names that differ in case only: which of them counts?
    # The C program takes the first attribute, whatever its name.
    value = named.get("value", attributes[1])
    charset = named.get("charset", "utf-8").lower()
    if charset == LATIN_1:
        try:
            raw = value.translate(_CONTROLS).encode("latin-1")
        except UnicodeEncodeError as error:
            raise _Malformed from error
    elif charset == "utf-8":
        raw = value.encode()
    else:
        raise _Malformed
    return raw if name == UNPARSED else name.encode() + b": " + raw
