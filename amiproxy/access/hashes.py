# SPDX-License-Identifier: GPL-2.0-or-later
"""bcrypt hashes of secrets: recognise, make and check them.

A secret in the users file that begins with ``$`` is a bcrypt hash (``$2a$``,
``$2b$``, ``$2x$``, ``$2y$``); any other hash never matches.
"""

from __future__ import annotations

import re

import bcrypt

#: bcrypt ignores the bytes of a secret after these, in the C program too.
BCRYPT_LIMIT = 72
#: log2 of bcrypt's rounds in new hashes: about 50 ms.  Every web request logs in.
BCRYPT_COST = 10

# The salt is 128 bits in 22 characters: the last one has only two of its six.
_BCRYPT = re.compile(r"\$2[abxy]\$([0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}\Z")


def is_hash(secret: str) -> bool:
    """Return whether *secret*, as written in the file, is taken for a hash."""
    return secret.startswith("$")


def hash_cost(secret: str) -> int | None:
    """Return log2 of the rounds of the bcrypt hash *secret*, or None if it is not one."""
    match = _BCRYPT.match(secret)
    if match is None or not 4 <= int(match[1]) <= 31:
        return None
    return int(match[1])


def hash_secret(secret: str, *, cost: int = BCRYPT_COST) -> str:
    """Return the bcrypt hash of *secret* for the users file; *cost* is log2 of its rounds.

    Raises:
        ValueError: *secret* is empty, or holds a NUL or a character outside latin-1.

    """
    data = wire_bytes(secret)
    if not is_checkable(data):
        raise ValueError("a secret must not be empty nor hold a NUL byte")
    return bcrypt.hashpw(data[:BCRYPT_LIMIT], bcrypt.gensalt(cost)).decode("ascii")


def is_checkable(data: bytes) -> bool:
    """Return whether bcrypt takes *data*, a secret as on the wire; no user's is any other."""
    return bool(data) and b"\0" not in data


def hash_matches(hashed: str, data: bytes) -> bool:
    """Return whether *hashed* is the hash of *data*; a malformed hash matches nothing."""
    if hash_cost(hashed) is None or not is_checkable(data):
        return False
    # All are one algorithm for what is_checkable and the limit let through; bcrypt 3, which
    # Debian 12 has, does not know $2x$.
    return bcrypt.checkpw(data[:BCRYPT_LIMIT], f"$2b${hashed[4:]}".encode("ascii"))


def spend(cost: int) -> None:
    """Do the work of one check of *cost*, log2 of bcrypt's rounds."""
    bcrypt.checkpw(b"nobody", f"$2b${cost:02d}${'.' * 53}".encode("ascii"))


def wire_bytes(text: str) -> bytes:
    """Return *text* as on the wire; text that cannot come from there stays distinct."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        # The NUL keeps it from being equal to anything that a client can send.
        return b"\0" + text.encode("utf-8", "surrogatepass")
