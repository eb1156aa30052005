# SPDX-License-Identifier: GPL-2.0-or-later
"""How the generations of Asterisk differ on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Dialect:
    """One generation of Asterisk.

    *output_headers*: a command's output comes as ``Output:`` headers (since 14),
    and not as raw text after ``Response: Follows``.  *uptime*: FullyBooted tells
    the uptime.  *list_marks*: every list says ``EventList``; the old ones forget
    it in QueueStatus and Status.  *classic_calls*: Dial and Bridge events as before
    Asterisk 12.
    """

    version: str
    ami: str
    output_headers: bool
    uptime: bool
    list_marks: bool
    classic_calls: bool

    @property
    def banner(self) -> bytes:
        """The greeting: one line, no blank line after it."""
        return f"Asterisk Call Manager/{self.ami}\r\n".encode()


# Keys are what ``--speak`` takes.
DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "1.8": Dialect(
            version="1.8.32.3",
            ami="1.1",
            output_headers=False,
            uptime=False,
            list_marks=False,
            classic_calls=True,
        ),
        "13": Dialect(
            version="13.13.1",
            ami="2.8.0",
            output_headers=False,
            uptime=False,
            list_marks=True,
            classic_calls=False,
        ),
        "22": Dialect(
            version="22.10.1",
            ami="11.0.0",
            output_headers=True,
            uptime=True,
            list_marks=True,
            classic_calls=False,
        ),
    }
)
