# SPDX-License-Identifier: GPL-2.0-or-later
"""ProxyContext: what every client's thread needs of the proxy as a whole."""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Callable, Protocol, TypeVar

from amiproxy import replies
from amiproxy.basics.deadline import Deadline
from amiproxy.limits import Limits
from amiproxy.settings.config import AS_SERVER
from amiproxy.threads.sessions.admission import Admission
from amiproxy.threads.sessions.guesses import Guesses
from amiproxy.threads.sessions.tallies import Tallies

if TYPE_CHECKING:
    import ssl
    from collections.abc import Collection, Mapping, Sequence

    from amiproxy.access.user import Users
    from amiproxy.formats import Format
    from amiproxy.settings.config import Config, ServerSpec
    from amiproxy.settings.listenerspec import ListenerSpec
    from amiproxy.settings.reloadreport import ReloadReport
    from amiproxy.status.clustervalues import ClusterStatus
    from amiproxy.status.values import (
        ClientStatus,
        ListenerStatus,
        Status,
        ThreadStatus,
        UserStatus,
    )
    from amiproxy.threads.sessions.cluster import Bus
    from amiproxy.threads.sessions.router import Router

_Number = TypeVar("_Number", int, float, bool)


class ServerControl(Protocol):
    """What AddServer and DropServer call; see amiproxy.threads.servers."""

    def add_server(self, spec: ServerSpec) -> bool:
        """Add a server at the end; return False if it is there or has no address."""

    def drop_server(self, name: str) -> bool:
        """Let the server called *name* go; return False if there is none."""

    def reconnect(self, names: Collection[str], reason: str) -> None:
        """Connect anew to the servers called *names* in the log, for *reason*."""


class Observations(Protocol):
    """What goes on; see amiproxy.threads.status.observer.  Each call may wait a second."""

    def status(self) -> Status:
        """Return everything."""

    def clients(self) -> tuple[ClientStatus, ...]:
        """Return what goes on at each client."""

    def users(self) -> tuple[UserStatus, ...]:
        """Return what goes on as each user."""

    def threads(self) -> tuple[ThreadStatus, ...]:
        """Return what the threads do."""

    def listeners(self) -> tuple[ListenerStatus, ...]:
        """Return where clients are accepted; waits for nothing."""

    def cluster(self) -> ClusterStatus | None:
        """Return the cluster, None where there is none; waits for nothing."""


class Operations(Protocol):
    """What the operator asks of the whole program; see amiproxy.threads.program."""

    @property
    def observer(self) -> Observations:
        """Whom to ask what goes on."""

    def reload(self, because: str) -> ReloadReport | None:
        """Read the files again; return what came of it, None if that takes too long."""

    def set_log_level(self, word: str, module: str = "") -> str:
        """Log from the level *word* on, of *module* or everything; return what holds.

        Raises:
            ValueError: there is no such level or module; says which there are.

        """

    def restart_problems(self) -> list[str]:
        """Return what would keep it from starting anew; waits until that is known."""

    def restart(self) -> None:
        """Have the process end in order, and start anew."""

    def stop(self, drain: float = 0.0) -> None:
        """Have the process end in order; clients may take *drain* seconds, if need be."""


class ProxyContext:
    """Settings and services that all clients' threads use.

    Only what every client's thread needs belongs in here: values, which ``renew``
    replaces whole, and objects that any thread may call.  What belongs to one client
    is in its session, what belongs to one server in the server, and what only the main
    thread uses is in the proxy.

    *config*, *users*, *tls* and *limits* are values: a reload assigns new
    ones, and a reader takes the reference once.
    """

    #: Set before any thread is started.
    program: Operations
    #: What it shares with the other proxies of its cluster; None: it is in none (no key ``bus``).
    bus: Bus | None = None
    #: Whether the proxy that stops is started anew at once.
    restarts = False
    #: Returns each listener, as it is now (amiproxy.threads.listeners).
    listening: Callable[[], Sequence[ListenerSpec]] = tuple
    #: Returns the resource at a path of HTTP, None if there is none (amiproxy.threads.routes).
    resource_at: Callable[[str], Any] = staticmethod(lambda _path: None)
    #: Returns when the files were read last, unix time, 0.0: at the start; and whether all could be
    #: (amiproxy.threads.reloading).
    reloaded: Callable[[], tuple[float, bool]] = staticmethod(lambda: (0.0, True))
    #: Returns the names of the threads that hang (amiproxy.threads.watchdog).
    hanging: Callable[[], Collection[str]] = tuple

    def __init__(
        self,
        config: Config,
        users: Users,
        formats: Mapping[str, Format],
        tls: ssl.SSLContext | None,
        router: Router,
        control: ServerControl,
    ) -> None:
        self.router = router
        self.registry = router.registry
        self.turnstile = router.turnstile
        self.control = control
        self.formats = formats
        self.admission = Admission()
        self.stopping = threading.Event()
        #: Seconds that clients have for that at least, if the operator said so.
        self.longer_drain = 0.0
        #: Until when clients may take what is left for them, once it stops.
        self.leave_by = Deadline(None)
        self.guesses = Guesses(self.stopping)
        self.tallies = Tallies()
        #: What waits for an event (WaitEvent), one for each client.
        self.waiters: set[object] = set()
        #: What is made when a client first asks for it, by name.
        self.made: dict[str, object] = {}
        #: When the proxy began, for people: the wall clock may be set later.
        self.started = datetime.now(timezone.utc).astimezone()
        self._began = time.monotonic()
        self.renew(config, users, tls)

    def renew(self, config: Config, users: Users, tls: ssl.SSLContext | None) -> None:
        """Take over settings that were read anew."""
        self.config = config
        self.users = users
        self.tls = tls
        self.limits = Limits(config.max_line, config.max_headers, config.max_block)
        general = users.general  # of the users file, which takes precedence
        self.admission.limit(
            clients=_first(general.max_clients, config.max_clients),
            per_address=_first(general.max_per_address, config.max_per_address),
            unauthenticated=_first(general.auth_limit, config.auth_limit),
        )

    @property
    def uptime(self) -> float:
        """Seconds since the proxy began."""
        return time.monotonic() - self._began

    @property
    def drain_seconds(self) -> float:
        """Seconds that clients have for their last answers when the proxy stops."""
        return max(self.config.drain_seconds, self.longer_drain)

    @property
    def connect_level(self) -> int:
        """At which level it is logged that clients connect and leave."""
        shown = self.shows_connects(self.users.general.display_connects)
        return logging.INFO if shown else logging.DEBUG

    def shows_connects(self, said: bool | None) -> bool:
        """Return whether the log shows clients, where the users file has *said* so, or None."""
        return _first(said, self.config.display_connects)

    @property
    def auth_timeout(self) -> float:
        """Seconds that a client may take to log in; 0 means no limit."""
        return _first(self.users.general.auth_timeout, self.config.auth_timeout)

    def banner(self) -> str:
        """Return the first line for clients whose format has one."""
        banner = self.config.banner
        if banner.lower() == AS_SERVER:
            banner = self.router.banner()
        return banner or replies.BANNER

    def input_format(self, spec: ListenerSpec) -> Format:
        """Return the input format at *spec*; it is loaded, which was checked before."""
        return self.formats[spec.input]

    def output_format(self, spec: ListenerSpec) -> Format:
        """Return the output format at *spec*; it is loaded, which was checked before."""
        found = self.formats[spec.input]
        return found if spec.alike and found.is_output else self.formats[spec.output]


def _first(general: _Number | None, config: _Number) -> _Number:
    """Return what the users file's section [general] says, else the configuration."""
    return config if general is None else general
