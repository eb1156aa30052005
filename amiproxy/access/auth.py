# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks the secret or the MD5 key of a log-in.

A secret is plain text or a bcrypt hash (hashes.py).  MD5 log-ins work with plain
secrets only.

Comparisons take constant time.  What fails does the same work whether the name exists or
not, and whatever the secret of the name costs: ``spend_rest`` adds what is missing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING

from amiproxy.access.acl import UNIX
from amiproxy.access.hashes import hash_cost, hash_matches, is_checkable, is_hash, spend, wire_bytes

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


def plain_secret(user: User | None) -> str:
    """Return the secret of *user*; "" for no user, and for one of whose secret there is a hash."""
    return "" if user is None or is_hash(user.secret) else user.secret


def key_matches(user: User | None, challenge: str, key: str) -> bool:
    """Return whether *key* answers *challenge*: the MD5, in hex, of it and the secret.

    None, for a name that nobody has, has no key.  An empty *challenge* means that none
    was sent; no key answers it.
    """
    plain = plain_secret(user)
    # The protocol demands MD5.
    digest = hashlib.md5(wire_bytes(challenge) + wire_bytes(plain), usedforsecurity=False)
    same = hmac.compare_digest(digest.hexdigest().encode("ascii"), wire_bytes(key.lower()))
    return same and bool(plain) and bool(challenge)


def authenticate(users: Users, name: str, secret: str, *, permitted: bool = True) -> User | None:
    """Return the user called *name* if *secret* is theirs and they are *permitted*, else None.

    None always costs as much as the dearest bcrypt hash of any user: neither an unknown
    name nor a cheap secret, nor a right one that does not help, is told by the time.
    """
    user = users.get(name)
    if secret_matches(user, secret) and permitted:
        return user
    spend_rest(users, user, secret)
    return None


def spend_rest(users: Users, user: User | None, secret: str) -> None:
    """Do the work by which the check of *secret* was cheaper than that of any user's.

    *user* is who was looked for, None if there is no such user.  For a log-in that is
    refused after ``authenticate`` has let it pass.
    """
    highest, spent = users.bcrypt_cost, None
    if user is not None and is_checkable(wire_bytes(secret)):
        spent = hash_cost(user.secret)
    if spent is not None:
        # A cost is log2 of the rounds: 2**n and 2**n, 2**(n+1) ... 2**(m-1) together are 2**m.
        for cost in range(spent, highest):
            spend(cost)
    elif highest:
        spend(highest)


#: Digits of a challenge.  More than nine, as Asterisk has them, or whoever has heard some
#: log-ins asks until one of their challenges comes again; no more than what every language
#: reads as a number without loss.
_CHALLENGE_DIGITS = 15


def new_challenge() -> str:
    """Return a new, unpredictable challenge of digits; each request gets its own."""
    least = 10 ** (_CHALLENGE_DIGITS - 1)
    return str(least + secrets.randbelow(9 * least))


def claimed_name(users: Users, name: str) -> str:
    """Return what the log may say of the user *name* that a client has claimed to be.

    People type their password where the name belongs: only a name that a user has is shown.
    """
    return name if name in users else f"an unknown user of {len(name)} characters"


#: How the log line of a failed login begins; the client's address follows.
FAILURE = "login failed from "


def failure_line(address: str, name: str, reason: str) -> str:
    """Return the log line of a failed login, as init/fail2ban/ expects it.

    *address* is the client's.  *name* is what claimed_name says of it: quoted, escaped and
    cut, so that no name can look like another line or address.  *reason* is the proxy's own
    text.
    """
    # fail2ban must ban an IPv4 client of an IPv6 socket by its IPv4 address.
    kind = UNIX if address.startswith(UNIX) else ""  # which fail2ban must not take for a host
    bare = address.removeprefix(UNIX).removeprefix("::ffff:").partition("%")[0]
    address = kind + _NO_ADDRESS.sub("", bare)
    reason = _NO_REASON.sub("-", reason)
    return f'{FAILURE}{address} as "{_printable(name)}": {reason}'


def _printable(name: str) -> str:
    """Return *name* cut to _NAME_LIMIT characters, with all but plain ASCII escaped."""
    cut = name[:_NAME_LIMIT]
    escaped = "".join(
        char if " " <= char <= "~" and char not in '"\\' else f"\\x{ord(char):02x}" for char in cut
    )
    return escaped + ("..." if len(name) > _NAME_LIMIT else "")
