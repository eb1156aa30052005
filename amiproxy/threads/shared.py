# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared: what every client's thread needs, and the counts they keep together."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from amiproxy.formats import Format, Limits
from amiproxy.lockout import Lockout
from amiproxy.threads.web import Web

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from amiproxy.config import Config, ServerSpec
    from amiproxy.threads.router import Router
    from amiproxy.users import Users


class Control(Protocol):
    """What ProxyActions may do to the proxy as a whole."""

    def add_server(self, spec: ServerSpec) -> bool:
        """Add a server at the end; False where it is there already or has no address."""

    def drop_server(self, name: str) -> bool:
        """Let a server go; False where there is none of that name."""


class Shared:
    """Settings and helpers of all clients.

    *config*, *users*, *tls* and *limits* are values: a reload assigns new ones,
    and whoever reads them takes the reference once.
    """

    def __init__(
        self,
        config: Config,
        users: Users,
        formats: Mapping[str, Format],
        tls: ssl.SSLContext | None,
        router: Router,
        control: Control,
    ) -> None:
        self.router = router
        self.control = control
        self.formats = formats
        self.failures = Failures()
        self.admission = Admission()
        self.stopping = threading.Event()
        self.web = Web(self)
        self.renew(config, users, tls)

    def renew(self, config: Config, users: Users, tls: ssl.SSLContext | None) -> None:
        """Take over settings that were read anew."""
        self.config = config
        self.users = users
        self.tls = tls
        self.limits = Limits(config.max_line, config.max_headers, config.max_block)
        general = users.general  # of the users file; what it says counts
        self.admission.limit(
            clients=_first(general.max_clients, config.max_clients),
            of_address=_first(general.max_per_address, config.max_per_address),
            strangers=_first(general.auth_limit, config.auth_limit),
        )

    @property
    def guarded(self) -> bool:
        """Whether clients must log in or give the proxy key first."""
        return self.config.auth_required or bool(self.config.proxy_key)

    def input_format(self) -> Format:
        """Return the default input format; an unknown name means standard, as in C."""
        found = self.formats.get(self.config.input_format)
        return found if found is not None and found.is_input else self.formats["standard"]

    def output_format(self) -> Format:
        """Return the default output format; an unknown name means standard, as in C."""
        found = self.formats.get(self.config.output_format)
        return found if found is not None and found.is_output else self.formats["standard"]


def _first(general: int | None, config: int) -> int:
    return config if general is None else general


class Failures:
    """The failed logins of each address, shared by all clients' threads."""

    def __init__(self) -> None:
        # Guards _lockout; held for its bookkeeping only.  Who has to wait does
        # so in its own thread and without the lock.
        self._lock = threading.Lock()
        self._lockout = Lockout()

    def delay(self, address: str) -> float:
        """Return for how many seconds a log-in from *address* has to wait now."""
        with self._lock:
            return self._lockout.wait(address, time.monotonic())

    def failed(self, address: str) -> None:
        """Note a failed log-in."""
        with self._lock:
            self._lockout.failed(address, time.monotonic())


class Admission:
    """How many clients there are: in all, of one address, and not logged in."""

    def __init__(self) -> None:
        # Guards the counts and limits; held for arithmetic only.
        self._lock = threading.Lock()
        self._clients = 0
        self._strangers = 0
        self._addresses: dict[str, int] = {}
        self._most = self._most_of_address = self._most_strangers = 0

    def limit(self, *, clients: int, of_address: int, strangers: int) -> None:
        """Set the limits; 0 is none.  Who is in stays."""
        with self._lock:
            self._most, self._most_of_address = clients, of_address
            self._most_strangers = strangers

    def enter(self, address: str, *, guarded: bool) -> str | None:
        """Let a client in; return why not, or None.

        Who is let in must ``leave`` in the end; a guarded client is a stranger
        until ``known``.
        """
        with self._lock:
            here = self._addresses.get(address, 0)
            if self._most and self._clients >= self._most:
                return f"{self._clients} clients are connected (maxclients)"
            if self._most_of_address and here >= self._most_of_address:
                return f"{here} clients of this address are connected (maxperaddress)"
            if guarded and self._most_strangers and self._strangers >= self._most_strangers:
                return f"{self._strangers} clients have not logged in (authlimit)"
            self._clients += 1
            self._addresses[address] = here + 1
            if guarded:
                self._strangers += 1
            return None

    def known(self) -> None:
        """A guarded client has logged in, or left without."""
        with self._lock:
            self._strangers -= 1

    def leave(self, address: str) -> None:
        """A client has left."""
        with self._lock:
            self._clients -= 1
            left = self._addresses.get(address, 1) - 1
            if left:
                self._addresses[address] = left
            else:
                self._addresses.pop(address, None)

    @property
    def clients(self) -> int:
        """How many clients there are."""
        return self._clients
