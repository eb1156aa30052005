# SPDX-License-Identifier: GPL-2.0-or-later
"""Stamp: by what a client of the web was let in, and whether that would still let it in."""

from __future__ import annotations

import dataclasses
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.access.user import User, Users


@dataclass(frozen=True)
class Stamp:
    """What a client has proven.  A value.

    Without *user* and *key* it has proven nothing: it was let in where nobody must log in.
    """

    #: As the users file had it then.
    user: User | None = None
    #: The hash of the token that it gave; "": it gave the secret.
    token: str = field(default="", repr=False)
    #: The proxy key that it gave.
    key: str = field(default="", repr=False)
    #: The name of the listener that it came in at.
    listener: str = ""
    #: The session of a cookie that it came with, None if it came without.
    login: object = field(default=None, repr=False, compare=False)

    @property
    def proves(self) -> bool:
        """Whether it has proven anything."""
        return self.user is not None or bool(self.key)

    @property
    def name(self) -> str:
        """The user's name, "" without a user."""
        return "" if self.user is None else self.user.name

    def lets_in(self, users: Users, proxy_key: str) -> bool:
        """Return whether the same would let it in now: user, secret or token, and key are there."""
        if self.key:
            return hmac.compare_digest(self.key.encode(), proxy_key.encode())
        if self.user is None:
            return True
        now = users.get(self.user.name)
        if now is None:
            return False
        return self.token in now.tokens if self.token else now.secret == self.user.secret

    def keeps_rights(self, users: Users) -> bool:
        """Return whether the user may see and do what they might when the client was let in."""
        if self.user is None:
            return True
        now = users.get(self.user.name)
        return now is not None and _rights(now) == _rights(self.user)


def _rights(user: User) -> User:
    """Return *user* without what proves who they are."""
    return dataclasses.replace(user, secret="", tokens=frozenset())
