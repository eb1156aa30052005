# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared: what every client's thread needs, and the counts they keep together."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from amiproxy.access.lockout import Lockout
from amiproxy.formats import Format, Limits
from amiproxy.threads.sessions.admission import Admission
from amiproxy.threads.web.connection import Web

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from amiproxy.access.user import Users
    from amiproxy.settings.config import Config, ServerSpec
    from amiproxy.threads.sessions.router import Router


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
        # Held while a log-in looks whether its user is there already, and says
        # that he is now: of two at the same moment one has to come second.
        self.name_lock = threading.Lock()
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
        """Return the default input format, which the start has made sure is there."""
        return self.formats[self.config.input_format]

    def output_format(self) -> Format:
        """Return the default output format, which the start has made sure is there."""
        return self.formats[self.config.output_format]


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
