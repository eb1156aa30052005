# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of the bus are given: messages, numbers, and bytes that have been damaged."""

from __future__ import annotations

from hypothesis import strategies as st

from amiproxy.message import Message

#: As wide as the fields of an entry.
NUMBERS = st.integers(0, 2**64 - 1)
#: Any text that a client may have given, lone surrogates included.
TEXTS = st.text(max_size=20)

_LINE = st.binary(min_size=1, max_size=12).map(
    lambda line: b"H: " + line.replace(b"\r", b"x").replace(b"\n", b"y") + b"\r\n"
)

#: One event as Asterisk sends it.
EVENT = st.lists(_LINE, max_size=3).map(
    lambda lines: b"Event: Test\r\n" + b"".join(lines) + b"\r\n"
)
_TEXT = st.binary(max_size=20).map(
    lambda text: b"Response: Follows\r\n" + text + b"--END COMMAND--\r\n\r\n"
)
#: Any message, the text of a command included.
MESSAGES = st.builds(lambda raw, own: Message(raw, own=own), EVENT | _TEXT, st.booleans())


@st.composite
def mutations(draw: st.DrawFn, whole: bytes) -> bytes:
    """Return *whole* with a few bytes exchanged, cut out or put in at one place.

    A checksum of 32 bits finds each change of up to four bytes in a row.
    """
    at = draw(st.integers(0, len(whole)))
    new = draw(st.binary(max_size=4))
    kind = draw(st.sampled_from(("exchange", "cut", "insert")))
    if kind == "exchange":
        return (whole[:at] + new + whole[at + len(new) :])[: len(whole)]
    if kind == "cut":
        return whole[:at]
    return whole[:at] + new + whole[at:]
