# SPDX-License-Identifier: GPL-2.0-or-later
"""The recordings of real Asterisks in tests/data: which there are, and what each side sent."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from simulator.recordings import read
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DATA = ROOT / "tests/data"


def _paths(side: str) -> Mapping[str, Path]:
    found = sorted(DATA.glob(f"*.{side}.ami*"))
    return MappingProxyType({path.name.partition(".")[0]: path for path in found})


#: By name, what Asterisk sent: every recording there is.
RECORDINGS = _paths("s2c")
_ASKED = _paths("c2s")


def said(name: str) -> bytes:
    """Return the bytes that Asterisk sent in the recording *name*."""
    return read(RECORDINGS[name])


def after_banner(name: str) -> bytes:
    """Return the messages that Asterisk sent in the recording *name*: no banner."""
    return re.sub(rb"\AAsterisk Call Manager[^\n]*\n", b"", said(name))


def asked(name: str) -> bytes:
    """Return the bytes that the client sent in the recording *name*.

    Raises:
        KeyError: the recording has only what Asterisk sent.

    """
    return read(_ASKED[name])
