# SPDX-License-Identifier: GPL-2.0-or-later
"""bcrypt hashes of secrets: recognise one, make one, check a secret against one.

A secret in the users file that begins with ``$`` is a bcrypt hash (``$2a$``,
``$2b$``, ``$2x$``, ``$2y$``); any other hash never matches.
"""

from __future__ import annotations

import re

import bcrypt

#: bcrypt reads no more bytes of a secret; the C program's did not either.
BCRYPT_LIMIT = 72
#: log2 of bcrypt's rounds in new hashes: some 50 ms.  Web requests log in each time.
BCRYPT_COST = 10

_BCRYPT = re.compile(r"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}\Z")


def is_hash(secret: str) -> bool:
    """Tell whether *secret*, as it stands in the file, is taken for a hash."""
    return secret.startswith("$")


def hash_cost(secret: str) -> int | None:
    """Return log2 of the rounds of a bcrypt hash, or None when it is none."""
    match = _BCRYPT.match(secret)
    if match is None or not 4 <= int(match[1]) <= 31:
        return None
    return int(match[1])


def hash_secret(secret: str) -> str:
    """Return the bcrypt hash of *secret* for the users file.

    Raises:
        ValueError: *secret* is empty, or holds a NUL or what is no latin-1.

    """
    data = wire_bytes(secret)
    if not data or b"\0" in data:
        raise ValueError("a secret must not be empty nor hold a NUL byte")
    return bcrypt.hashpw(data[:BCRYPT_LIMIT], bcrypt.gensalt(BCRYPT_COST)).decode("ascii")


def hash_matches(hashed: str, data: bytes) -> bool:
    """Tell whether *data* gives *hashed*; a hash that is none matches nothing."""
    if hash_cost(hashed) is None or not data or b"\0" in data:
        return False
    try:
        return bcrypt.checkpw(data[:BCRYPT_LIMIT], hashed.encode("ascii"))
    except ValueError:  # its salt has bits that are not there
        return False


def wire_bytes(text: str) -> bytes:
    """Return *text* as on the wire; characters that cannot come from there stay apart."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        # No byte of it can be told from outside: such a text equals nothing.
        return b"\0" + text.encode("utf-8", "surrogatepass")
