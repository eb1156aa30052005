# SPDX-License-Identifier: GPL-2.0-or-later
"""Why an expression cannot be used."""

from __future__ import annotations


class PatternError(ValueError):
    """An expression that cannot be used; the text says why."""


class MalformedError(PatternError):
    """An expression that Asterisk (glibc's regcomp) does not compile either."""
