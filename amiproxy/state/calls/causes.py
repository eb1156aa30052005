# SPDX-License-Identifier: GPL-2.0-or-later
"""Causes: why calls ended, in a few words for the many numbers of Q.850."""

from __future__ import annotations

NORMAL, BUSY, NO_ANSWER, REJECTED = "normal", "busy", "noanswer", "rejected"
UNALLOCATED, CONGESTION, FAILURE, OTHER = "unallocated", "congestion", "failure", "other"

#: All words there are.
WORDS = (NORMAL, BUSY, NO_ANSWER, REJECTED, UNALLOCATED, CONGESTION, FAILURE, OTHER)

# As Asterisk names them in include/asterisk/causes.h; 26: answered elsewhere.
_WORDS = {
    **dict.fromkeys((16, 26, 31), NORMAL),
    17: BUSY,
    **dict.fromkeys((18, 19, 20), NO_ANSWER),
    21: REJECTED,
    **dict.fromkeys((1, 2, 3, 22, 28), UNALLOCATED),
    **dict.fromkeys((34, 42, 44), CONGESTION),
}
#: Above these: the network, the protocol, or what is not supported.
_FAILURES = range(5, 128)


def word_of(cause: int | None) -> str:
    """Return the word for the *cause* of a hangup; None: it is not known."""
    if not cause:
        return OTHER
    return _WORDS.get(cause) or (FAILURE if cause in _FAILURES else OTHER)
