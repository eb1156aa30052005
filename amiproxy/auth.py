# SPDX-License-Identifier: GPL-2.0-or-later
"""Does this secret, or this MD5 key, belong to this user.

A secret in the users file that begins with ``$`` is a bcrypt hash (``$2a$``,
``$2b$``, ``$2x$``, ``$2y$``); any other hash never matches.  MD5 logins work with plain
secrets only.

Comparisons take a time that tells nothing of the secret, and ``authenticate`` and
``authenticate_key`` do the same work whether the name exists or not.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING

import bcrypt

if TYPE_CHECKING:
    from .users import User, Users

#: bcrypt reads no more bytes of a secret; the C program's did not either.
BCRYPT_LIMIT = 72
#: log2 of bcrypt's rounds in new hashes: some 50 ms.  Web requests log in each time.
BCRYPT_COST = 10

_BCRYPT = re.compile(r"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}\Z")
_NO_ADDRESS = re.compile(r"[^0-9a-fA-F:.]")
_NO_REASON = re.compile(r"[^a-zA-Z0-9 ,.-]")  # init/fail2ban/ takes no more
_NAME_LIMIT = 64  # characters of a user name in a log line


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
    data = _bytes(secret)
    if not data or b"\0" in data:
        raise ValueError("a secret must not be empty nor hold a NUL byte")
    return bcrypt.hashpw(data[:BCRYPT_LIMIT], bcrypt.gensalt(BCRYPT_COST)).decode("ascii")


def secret_matches(user: User | None, secret: str) -> bool:
    """Tell whether *secret* is that of *user*; no user has any secret."""
    data = _bytes(secret)
    if user is None or not user.secret:
        hmac.compare_digest(data, b"nobody")
        return False
    if is_hash(user.secret):
        return _bcrypt_matches(user.secret, data)
    # An empty secret opens nothing, whatever a file says.
    return hmac.compare_digest(_bytes(user.secret), data) and bool(data)


def key_matches(user: User | None, challenge: str, key: str) -> bool:
    """Tell whether *key* answers *challenge*: the MD5, in hex, of it and the secret.

    An empty *challenge* was never asked for, and no key answers it.
    """
    plain = "" if user is None or is_hash(user.secret) else user.secret
    # MD5 is what the protocol says.
    digest = hashlib.md5(_bytes(challenge) + _bytes(plain), usedforsecurity=False)
    same = hmac.compare_digest(digest.hexdigest().encode("ascii"), _bytes(key.lower()))
    return same and bool(plain) and bool(challenge)


def authenticate(users: Users, name: str, secret: str) -> User | None:
    """Return the user called *name* if *secret* is his, else None.

    Takes as long for an unknown name as for a wrong secret: where one user has a
    bcrypt hash, every failure costs one.
    """
    user = users.get(name)
    if secret_matches(user, secret):
        return user
    cost = users.bcrypt_cost
    if cost and (user is None or hash_cost(user.secret) is None):
        _bcrypt_matches(f"$2b${cost:02d}${'.' * 53}", _bytes(secret))
    return None


def authenticate_key(users: Users, name: str, challenge: str, key: str) -> User | None:
    """Return the user called *name* if *key* answers *challenge*, else None."""
    user = users.get(name)
    return user if key_matches(user, challenge, key) else None


def new_challenge() -> str:
    """Return a new challenge: digits nobody can foresee, one for each request."""
    return str(100_000_000 + secrets.randbelow(900_000_000))


def failure_line(address: str, name: str, reason: str) -> str:
    """Return the log line of a failed login, as init/fail2ban/ expects it.

    *address* is the client's.  *name* is what it sent: it comes last but one, quoted
    and escaped and cut, so that no name can look like another line or address.
    *reason* is the proxy's own word.
    """
    # An IPv4 client of an IPv6 socket is to be banned by its IPv4 address.
    address = _NO_ADDRESS.sub("", address.removeprefix("::ffff:").partition("%")[0])
    reason = _NO_REASON.sub("-", reason)
    return f'login failed from {address} as "{_printable(name)}": {reason}'


def _bcrypt_matches(hashed: str, data: bytes) -> bool:
    """Tell whether *data* gives *hashed*; a hash that is none matches nothing."""
    if hash_cost(hashed) is None or not data or b"\0" in data:
        return False
    try:
        return bcrypt.checkpw(data[:BCRYPT_LIMIT], hashed.encode("ascii"))
    except ValueError:  # its salt has bits that are not there
        return False


def _bytes(text: str) -> bytes:
    """Return *text* as on the wire; characters that cannot come from there stay apart."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        # No byte of it can be told from outside: such a text equals nothing.
        return b"\0" + text.encode("utf-8", "surrogatepass")


def _printable(name: str) -> str:
    """Return *name* with all but plain ASCII escaped, cut to a bounded length."""
    cut = name[:_NAME_LIMIT]
    escaped = "".join(
        char if " " <= char <= "~" and char not in '"\\' else f"\\x{ord(char):02x}" for char in cut
    )
    return escaped + ("..." if len(name) > _NAME_LIMIT else "")
