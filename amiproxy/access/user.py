# SPDX-License-Identifier: GPL-2.0-or-later
"""User and Users: who may log in, and what each may see and do, as values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from amiproxy.access.acl import ANYBODY, Acl
from amiproxy.access.hashes import hash_cost
from amiproxy.routing.classes import ALL, COMMAND, CONFIG, SYSTEM
from amiproxy.routing.eventfilter import NO_FILTERS, EventFilters

#: Classes whose actions can do anything, whatever their headers name: run a command of the
#: shell or of Asterisk, rewrite the dialplan.  No channel, context or account bounds them.
UNBOUNDED = SYSTEM | COMMAND | CONFIG
#: What a user of the C program's form has who has a channel or context.
BOUNDED = ALL & ~UNBOUNDED


#: The word of ``proxyactions`` for the ProxyActions of the operator, which ``all`` does not mean.
OPERATOR = "operator"


@dataclass(frozen=True)
class User:
    """One user.  Empty fields and None do not restrict; times are seconds."""

    name: str
    secret: str = field(repr=False)
    #: Prefix of the user's channels, in lower case.
    channel: str = ""
    out_context: str = ""
    in_context: str = ""
    accountcode: str = ""
    #: The servers that the user sees and reaches, by name, host, address or host:port in lower
    #: case; empty: all.
    servers: frozenset[str] = frozenset()
    more_events: bool = False
    #: Keys of routing.callwords.CALL_FILTERS.
    filters: frozenset[str] = frozenset()
    #: Classes (routing.classes) of events the user sees, and of actions they may send.
    read: int = ALL
    write: int = ALL
    acl: Acl = ANYBODY
    eventfilters: EventFilters = NO_FILTERS
    #: None: as configured for all.
    write_timeout: float | None = None
    display_connects: bool | None = None
    allow_multiple_login: bool = True
    #: Names in lower case, ``all``, OPERATOR; None: all but the privileged and operator's.
    proxyactions: frozenset[str] | None = None
    #: Hashes of the tokens by which programs may log in as this user (access.tokens).
    tokens: frozenset[str] = field(default=frozenset(), repr=False)
    #: ``FILE:LINE`` that makes this user, for messages.
    place: str = field(default="", repr=False, compare=False)

    def reaches(self, names: frozenset[str]) -> bool:
        """Return whether the server with these *names* is one that the user sees and reaches."""
        return not self.servers or not self.servers.isdisjoint(names)

    @property
    def limited(self) -> bool:
        """Whether the user's classes or event filters keep anything from them."""
        return self.read & self.write & ALL != ALL or bool(self.eventfilters)

    @property
    def bounded(self) -> bool:
        """Whether a channel or context limits what the user may act on."""
        return bool(self.channel or self.out_context)

    @property
    def follows_calls(self) -> bool:
        """Whether the user sees some calls only."""
        return bool(self.channel or self.in_context)

    @property
    def filtered(self) -> bool:
        """Whether a filter of spec section 8 is set, including one that rewrites (accountcode)."""
        return bool(
            self.channel or self.in_context or self.out_context or self.filters or self.accountcode
        )


@dataclass(frozen=True)
class General:
    """What ``[general]`` says for everyone; None: as astmanproxy.conf says."""

    acl: Acl = ANYBODY
    #: Seconds a client may take to log in.
    auth_timeout: float | None = None
    #: Clients that have not logged in yet, all together; 0: no limit, as below.
    auth_limit: int | None = None
    max_clients: int | None = None
    max_per_address: int | None = None
    display_connects: bool | None = None
    allow_multiple_login: bool = True
    #: Whether Action: Events is not answered where it chooses all events or makes no sense.
    broken_events_action: bool = False


class Users(Mapping[str, User]):
    """The users by name, in the order of the file; names differ by case.  A value."""

    def __init__(
        self,
        users: Mapping[str, User] | None = None,
        general: General | None = None,
        files: Iterable[str] = (),
        public_files: Iterable[str] = (),
    ) -> None:
        self._users: Mapping[str, User] = MappingProxyType(dict(users or {}))
        self.general = general or General()
        #: What the users file includes, and what the file of lists includes.
        self.files, self.public_files = tuple(files), tuple(public_files)
        costs = [hash_cost(user.secret) for user in self._users.values()]
        #: Highest bcrypt cost of any user, or 0: what every failed log-in has to cost.
        self.bcrypt_cost: int = max((cost for cost in costs if cost), default=0)

    def __getitem__(self, name: str) -> User:
        return self._users[name]

    def __len__(self) -> int:
        return len(self._users)

    def __iter__(self) -> Iterator[str]:
        return iter(self._users)

    def __repr__(self) -> str:
        return f"<Users: {len(self)}>"
