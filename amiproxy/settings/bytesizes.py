# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers of bytes, as people write them: ``64MB``, ``512 KB``, ``no``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amiproxy.basics.boolean import parse_bool
from amiproxy.settings.readers import quote

if TYPE_CHECKING:
    from amiproxy.settings.readers import Written

_UNITS = {"": 1, "b": 1, "k": 2**10, "kb": 2**10, "m": 2**20, "mb": 2**20, "g": 2**30, "gb": 2**30}
_SIZE = re.compile(r"([0-9]{1,13}) ?([kmg]?b?)", re.IGNORECASE)
#: More than any machine has.
_MOST = 2**40


def byte_size(value: Written) -> int:
    """Read a number of bytes, with a unit or without; ``no`` is 0."""
    if parse_bool(value.text) is False:
        return 0
    found = _SIZE.fullmatch(value.text)
    if found is None:
        raise ValueError(f"{quote(value.text)} is no size; write bytes, as in 64MB or 512KB, or no")
    size = int(found[1]) * _UNITS[found[2].lower()]
    if size > _MOST:
        raise ValueError(f"{quote(value.text)} is too large; at most {_MOST} bytes")
    return size
