# SPDX-License-Identifier: GPL-2.0-or-later
"""What glibc makes of a regular expression, as Asterisk asks it to."""

from __future__ import annotations

import ctypes
import platform
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

needs_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this is not glibc")

_EXTENDED, _NOSUB = 1, 8
_LC_ALL_MASK = 0x1FBF
#: More than the 64 bytes of a regex_t on any platform.
_SIZE = 256


def matches(pattern: bytes, texts: Iterable[bytes]) -> list[bool] | None:
    """Return for each of *texts* whether *pattern* occurs in it; None: it does not compile."""
    libc = ctypes.CDLL(None)
    for function in (libc.newlocale, libc.uselocale):
        function.restype = ctypes.c_void_p
    # The locale that Asterisk sets (main/asterisk.c); Python takes that of its environment.
    plain = ctypes.c_void_p(libc.newlocale(_LC_ALL_MASK, b"C.UTF-8", None))
    former = ctypes.c_void_p(libc.uselocale(plain))
    try:
        compiled = ctypes.create_string_buffer(_SIZE)
        if libc.regcomp(compiled, ctypes.c_char_p(pattern), _EXTENDED | _NOSUB):
            return None
        found = [libc.regexec(compiled, ctypes.c_char_p(text), 0, None, 0) == 0 for text in texts]
        libc.regfree(compiled)
        return found
    finally:
        libc.uselocale(former)
        libc.freelocale(plain)
