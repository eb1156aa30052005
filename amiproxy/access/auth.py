# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks the secret or the MD5 key of a log-in.

A secret is plain text or a bcrypt hash (hashes.py).  MD5 log-ins work with plain
secrets only.

Comparisons take constant time, and ``authenticate`` and ``key_matches`` do the same work
whether the name exists or not.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING

from amiproxy.access.hashes import hash_cost, hash_matches, is_hash, wire_bytes

if TYPE_CHECKING:
    from amiproxy.access.user import User, Users

_NO_ADDRESS = re.compile(r"[^0-9a-fA-F:.]")
_NO_REASON = re.compile(r"[^a-zA-Z0-9 ,.-]")  # the filter in init/fail2ban/ accepts no others
_NAME_LIMIT = 64  # characters of a user name in a log line


def secret_matches(user: User | None, secret: str) -> bool:
    """Return whether *secret* is that of *user*; False for no user."""
    data = wire_bytes(secret)
    if user is None or not user.secret:
        hmac.compare_digest(data, b"nobody")
        return False
    if is_hash(user.secret):
        return hash_matches(user.secret, data)
    # An empty secret lets nobody in, whatever a file says.
    return hmac.compare_digest(wire_bytes(user.secret), data) and bool(data)


def key_matches(user: User | None, challenge: str, key: str) -> bool:
    """Return whether *key* answers *challenge*: the MD5, in hex, of it and the secret.

    None, for a name that nobody has, has no key.  An empty *challenge* means that none
    was sent; no key answers it.
    """
    plain = "" if user is None or is_hash(user.secret) else user.secret
    # The protocol demands MD5.
    digest = hashlib.md5(wire_bytes(challenge) + wire_bytes(plain), usedforsecurity=False)
    same = hmac.compare_digest(digest.hexdigest().encode("ascii"), wire_bytes(key.lower()))
    return same and bool(plain) and bool(challenge)


def authenticate(users: Users, name: str, secret: str) -> User | None:
    """Return the user called *name* if *secret* is theirs, else None.

    An unknown name takes as long as a wrong secret: if any user has a bcrypt hash,
    every failure costs one bcrypt.
    """
    user = users.get(name)
    if secret_matches(user, secret):
        return user
    cost = users.bcrypt_cost
    if cost and (user is None or hash_cost(user.secret) is None):
        hash_matches(f"$2b${cost:02d}${'.' * 53}", wire_bytes(secret))
    return None


def new_challenge() -> str:
    """Return a new, unpredictable challenge of digits; each request gets its own."""
    return str(100_000_000 + secrets.randbelow(900_000_000))


def failure_line(address: str, name: str, reason: str) -> str:
    """Return the log line of a failed login, as init/fail2ban/ expects it.

    *address* is the client's.  *name* is what it sent: quoted, escaped and cut, so that
    no name can look like another line or address.  *reason* is the proxy's own text.
    """
    # fail2ban must ban an IPv4 client of an IPv6 socket by its IPv4 address.
    address = _NO_ADDRESS.sub("", address.removeprefix("::ffff:").partition("%")[0])
    reason = _NO_REASON.sub("-", reason)
    return f'login failed from {address} as "{_printable(name)}": {reason}'


def _printable(name: str) -> str:
    """Return *name* cut to _NAME_LIMIT characters, with all but plain ASCII escaped."""
    cut = name[:_NAME_LIMIT]
    escaped = "".join(
        char if " " <= char <= "~" and char not in '"\\' else f"\\x{ord(char):02x}" for char in cut
    )
    return escaped + ("..." if len(name) > _NAME_LIMIT else "")
