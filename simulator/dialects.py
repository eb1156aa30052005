# SPDX-License-Identifier: GPL-2.0-or-later
"""Differences between the generations of Asterisk on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Dialect:
    """One generation of Asterisk.

    *output_headers*: a command's output is sent as ``Output:`` headers (since 14),
    not as raw text after ``Response: Follows``.  *uptime*: FullyBooted has the
    uptime.  *list_marks*: every list has ``EventList`` headers; in old versions
    QueueStatus and Status have none.  *classic_calls*: Dial and Bridge events as
    before Asterisk 12.
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


# The keys are the values of ``--speak``.
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
