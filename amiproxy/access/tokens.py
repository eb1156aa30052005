# SPDX-License-Identifier: GPL-2.0-or-later
"""Bearer tokens: long random words by which programs log in, instead of name and secret.

The users file has hashes of them only.  A token is random enough that a quick hash, without
salt, is as good as a slow one: nobody finds it by trying.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.access.user import User

#: How each token begins, so that programs that search for leaked secrets know it.
PREFIX = "amp_"

#: Random characters of a token, of 62: 190 bits.
LENGTH = 32
_CHARACTERS = string.ascii_letters + string.digits

#: How a hash begins in the users file.
KIND = "sha256:"
_HASH = re.compile(r"sha256:[0-9a-f]{64}")


def new_token() -> str:
    """Return a new token."""
    return PREFIX + "".join(secrets.choice(_CHARACTERS) for _ in range(LENGTH))


def hash_of(token: str) -> str:
    """Return the hash of *token*, as in the users file."""
    return KIND + hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def read_hash(text: str) -> str:
    """Return the hash that a line of the users file gives as *text*.

    Raises:
        ValueError: it is none; says what to do.

    """
    found = text.lower()
    if _HASH.fullmatch(found):
        return found
    if text.startswith(PREFIX):
        raise ValueError(
            "is the token itself, which belongs to its user alone: write its hash instead, and"
            " better of a new one (astmanproxy --new-token makes both)"
        )
    raise ValueError(f"is no hash as {KIND}HEX; astmanproxy --new-token prints the line")


@dataclass(frozen=True)
class Given:
    """A token that a client has given, as proof of who it is."""

    hashed: str = field(repr=False)

    def __call__(self, user: User | None) -> bool:
        """Return whether it is one of *user*; nobody has None's."""
        return user is not None and self.hashed in user.tokens


def holder(users: Iterable[User], hashed: str) -> User | None:
    """Return which of *users* has the token whose hash is *hashed*, None if nobody has.

    All are looked at, whoever has it: the time tells nothing.
    """
    found = None
    given = hashed.encode()
    for user in users:
        for each in user.tokens:
            if hmac.compare_digest(each.encode(), given):
                found = user
    return found
