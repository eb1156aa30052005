# SPDX-License-Identifier: GPL-2.0-or-later
"""CSV, in and out: one message a record, each line a quoted field.

    "Event: Hangup", "Channel: SIP/1-1", "Cause-txt: said ""bye"", then left"

Output ends each record with a blank line, as the C program does.  Quotes are
doubled, so any CSV reader (``skipinitialspace``) gives the lines back.  Bytes
stay as they are.  Input is the same; blank lines between records do not
count, plain fields need no quotes.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from amiproxy.blocks import BLOCK_TOO_LONG, block, refusal

if TYPE_CHECKING:
    from amiproxy.formats import Limits, Refused
    from amiproxy.message import Message

CONTENT_TYPE = "text/csv"

INVALID = "Invalid CSV Input"

# Records are bounded here, by the limits; the module's own bound (128 KB a field)
# would be in the way of limits an administrator has raised.
csv.field_size_limit(2**31 - 1)


def write(message: Message) -> bytes:
    """Return *message* as one record and a blank line."""
    text = message.raw[:-4].replace(b'"', b'""').replace(b"\r\n", b'", "')
    return b'"%b"\r\n\r\n' % text


def reader(limits: Limits) -> CsvReader:
    """Return a reader for one client."""
    return CsvReader(limits)


class CsvReader:
    """Read one record a line.

    A record never spans lines: a field with a line break in it would be a header
    with one, and is refused anyway.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._tail = bytearray()  # the record that has not ended yet
        self._skipping = False  # it is too long

    def feed(self, data: bytes) -> list[Message | Refused]:
        """Take the next *data* and return the records it ends, in order."""
        *records, tail = data.split(b"\n")
        found: list[Message | Refused] = []
        for record in records:
            self._keep(record)
            if self._skipping:
                found.append(refusal(BLOCK_TOO_LONG))
            else:
                result = self._parse(bytes(self._tail))
                if result is not None:
                    found.append(result)
            self._tail.clear()
            self._skipping = False
        self._keep(tail)
        return found

    def _keep(self, data: bytes) -> None:
        """Add *data* to the record, unless that is too long."""
        self._skipping = self._skipping or len(self._tail) + len(data) > self._limits.block
        if self._skipping:
            self._tail.clear()
        else:
            self._tail += data

    def _parse(self, record: bytes) -> Message | Refused | None:
        text = record.decode("latin-1").removesuffix("\r")
        try:
            rows = list(csv.reader([text], strict=True, skipinitialspace=True))
        except csv.Error:
            return refusal(INVALID)
        if len(rows) > 1:
            # The module ends a row at a bare CR, too.
            return refusal(INVALID)
        return block([field.encode("latin-1") for row in rows for field in row], self._limits)
