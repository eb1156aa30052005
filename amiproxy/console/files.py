# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of the console: read once, compressed once, found by their names.

What is not in the directory when it is read is not there: no path is ever put together from what a
client has sent.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Where they are.
STATIC = Path(__file__).parent / "static"

#: By the end of the name.  What is not named here is not served.
TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".svg": "image/svg+xml",
    }
)


#: Comments that have lines of their own; and those of types, within lines.
_BLOCK = re.compile(rb"^ */\*(?:(?!\*/).)*\*/ *$", re.MULTILINE | re.DOTALL)
_LINE = re.compile(rb"^ *//.*$", re.MULTILINE)
_TYPES = re.compile(rb"/\*\* @[^*\n]*\*/ ?")
#: One comment of each file is sent: whose it is.
_LICENSE = b"SPDX-License-Identifier"


class File(NamedTuple):
    """One file, ready to be sent."""

    content_type: str
    body: bytes
    #: The body compressed by gzip.
    packed: bytes
    #: Tells it from what it was in other releases.  Weak: it is that of both encodings.
    etag: str


@lru_cache(maxsize=1)
def files() -> Mapping[str, File]:
    """Return the files by name, such as ``js/main.js``; they are read at the first call."""
    found = {
        path.relative_to(STATIC).as_posix(): _read(path)
        for path in sorted(STATIC.rglob("*"))
        if path.is_file() and path.suffix in TYPES
    }
    return MappingProxyType(found)


@lru_cache(maxsize=1)
def page() -> str:
    """Return what tells this release's pages from others': pages that are open compare it."""
    every = "\n".join(f"{name} {file.etag}" for name, file in files().items())
    return hashlib.sha256(every.encode()).hexdigest()[:12]


def without_comments(suffix: str, source: bytes) -> bytes:
    """Return *source* without comments, each line where it was: they are a third of the bytes."""
    if suffix not in (".js", ".css"):
        return source
    found = _BLOCK.sub(_emptied, source)
    return _TYPES.sub(b"", _LINE.sub(_emptied, found)) if suffix == ".js" else found


def _emptied(comment: re.Match[bytes]) -> bytes:
    return comment[0] if _LICENSE in comment[0] else b"\n" * comment[0].count(b"\n")


def _read(path: Path) -> File:
    body = without_comments(path.suffix, path.read_bytes())
    digest = hashlib.sha256(body).hexdigest()[:20]
    # Without a time in it the same body is always the same bytes.
    packed = gzip.compress(body, 9, mtime=0)
    return File(TYPES[path.suffix], body, packed, f'W/"{digest}"')
