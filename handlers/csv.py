# SPDX-License-Identifier: GPL-2.0-or-later
"""CSV, in and out: each message is one record, each line a quoted field.

    "Event: Hangup", "Channel: SIP/1-1", "Cause-txt: said ""bye"", then left"

Output ends each record with a blank line, as the C program does.  Quotes are
doubled, so any CSV reader (``skipinitialspace``) gives the lines back.  Bytes
stay as they are.  Input is the same; blank lines between records do not
count, and plain fields need no quotes.  A quoted field with a line break in it is
refused and ends the session: its next line is part of a value, not a record.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from amiproxy.blocks import TOO_MANY_LINES, RecordReader, block, refusal

if TYPE_CHECKING:
    from amiproxy.formats import Limits, Refused
    from amiproxy.message import Message

CONTENT_TYPE = "text/csv"

INVALID = "Invalid CSV Input"

# The limits bound records; the module's own bound (128 KB a field) would get in the
# way of limits that an administrator has raised.
csv.field_size_limit(2**31 - 1)


def write(message: Message) -> bytes:
    """Return *message* as one record and a blank line."""
    text = message.raw[:-4].replace(b'"', b'""').replace(b"\r\n", b'", "')
    return b'"%b"\r\n\r\n' % text


def reader(limits: Limits) -> RecordReader:
    """Return a reader for one client.

    A record never spans lines: a field with a line break would be a header with
    one, which is refused anyway.
    """
    return RecordReader(limits, parse, unsure=True)


#: A field and the comma behind it, as the module reads them.
_FIELD = re.compile(r' *(?:"[^"]*(?:""[^"]*)*"?)?[^,]*(?:,|\Z)')


def _is_too_much(text: str, limits: Limits) -> bool:
    """Return whether *text* has more fields than a block may have, so that nobody need parse it.

    The module holds the interpreter while it parses, however many fields there are.
    """
    most = limits.headers + 8  # empty ones do not count, and few write them
    if text.count(",") < most:
        return False
    return any(number > most for number, _ in enumerate(_FIELD.finditer(text)))


def parse(record: bytes, limits: Limits) -> Message | Refused | None:
    """Return the block that *record* means, why it is refused, or None if it is empty."""
    text = record.decode("latin-1").removesuffix("\r")
    if _is_too_much(text, limits):
        return refusal(TOO_MANY_LINES, close=text.count('"') % 2 == 1)
    try:
        rows = list(csv.reader([text], strict=True, skipinitialspace=True))
    except csv.Error:
        # A field that is open at the end of the line goes on in the next one, which may
        # be any text and must not be taken for a record (spec 12.7).
        return refusal(INVALID, close=text.count('"') % 2 == 1)
    if len(rows) > 1:
        # The module also ends a row at a bare CR.
        return refusal(INVALID)
    return block([field.encode("latin-1") for row in rows for field in row], limits)
