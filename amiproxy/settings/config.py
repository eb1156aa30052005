# SPDX-License-Identifier: GPL-2.0-or-later
"""Config: every setting of astmanproxy.conf as a value, one row each.

A new setting is a row of :class:`Config`, a paragraph in the sample file and a row in
docs/keys.py, of which ``make docs`` writes the table in docs/configuration.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from amiproxy.access.acl import ANYBODY, Acl
from amiproxy.logs import targets
from amiproxy.logs.levels import LEVELS
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.servernames import names_of
from amiproxy.settings.busurl import bus_name, bus_url, failover, stream_size
from amiproxy.settings.bytesizes import byte_size
from amiproxy.settings.confsyntax import (
    log_target,
    path,
    path_or_no,
    required_path,
    required_text,
    text,
)
from amiproxy.settings.readers import (
    address,
    algorithms,
    boolean,
    choice,
    count,
    format_name,
    milliseconds,
    networks,
    one_of,
    origins,
    port_or_no,
    positive_seconds,
    scrapers,
    seconds,
    time_zone,
)
from amiproxy.settings.webparts import PARTS, web_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.settings.confsyntax import Value
    from amiproxy.settings.listenerspec import ListenLine

_T = TypeVar("_T")

#: A forcebanner that stands for the banner of the server that a client's actions go to.
AS_SERVER = "server"


@dataclass(frozen=True)
class ServerSpec:
    """One ``host`` line: an Asterisk to connect to."""

    host: str  # lower case, an IPv6 address without its brackets
    port: int
    user: str
    secret: str = field(repr=False)
    events: str = "on"  # sent to Asterisk as it stands, lower case
    tls: bool = False
    name: str = ""  # what it is called, lower case; "": by its host
    proxy: bool = False  # another astmanproxy is there

    @property
    def scope(self) -> str:
        """What tells it from all others: its name, or ``host:port``."""
        return self.name or f"{self.host}:{self.port}"

    def names_at(self, address: str = "") -> frozenset[str]:
        """Return all by which it may be meant; *address*: its IP address, "" if unknown."""
        return names_of(self.name, self.host, address, self.port)


@dataclass(frozen=True)
class Setting:
    """One key of the file: the field it sets, its reader, and whether SIGHUP changes it."""

    field: str
    read: Callable[[Value], Any]
    live: bool

    @property
    def free(self) -> bool:
        """Whether the value may be any text, so that a comment may cut it unnoticed."""
        return self.read in _FREE

    @property
    def small(self) -> bool:
        """Whether the value may be any text, which loses capitals and blanks without quotes."""
        return self.read in (required_text, text)

    @property
    def blank(self) -> bool:
        """Whether a blank may stand in the value, before a unit."""
        return self.read in (byte_size, stream_size)


def _setting(
    default: _T,
    key: str,
    read: Callable[[Value], _T],
    *,
    live: bool = False,
    shown: bool = True,
) -> _T:
    """Return a field of Config that the line ``key = ...`` sets.

    *live*: SIGHUP changes it at once.  *shown*: it is part of a repr.
    """
    metadata = {"key": key, "read": read, "live": live}
    return field(default=default, repr=shown, metadata=metadata)


_MODE = choice(*(mode.value for mode in AutoFilter))
_FREE = frozenset({bus_url, log_target, path, path_or_no, required_path, required_text, text})
_LOG_FORMAT = choice("text", "json")
_LOG_LEVEL = one_of(*LEVELS)
_LOCAL = choice("off", "allow", "allowwith", "enforce")


def _autofilter(value: Value) -> AutoFilter:
    return AutoFilter(_MODE(value))


@dataclass(frozen=True)
class Config:
    """Every setting, ready to use.  Times are seconds and sizes bytes, whatever the file says."""

    servers: tuple[ServerSpec, ...] = ()  # the host lines, in order
    acl: Acl = ANYBODY  # the permit and deny lines, in order
    listen: tuple[ListenLine, ...] = ()  # the listen lines, in order

    accept_encrypted: bool = _setting(False, "acceptencryptedconnection", boolean)
    accept_unencrypted: bool = _setting(True, "acceptunencryptedconnection", boolean)
    acl_file: str = _setting("", "aclfile", path, live=True)
    audit: bool = _setting(False, "audit", boolean, live=True)
    auth_limit: int = _setting(50, "authlimit", count(0), live=True)  # 0: no limit
    auth_required: bool = _setting(False, "authrequired", boolean)
    auth_timeout: float = _setting(30.0, "authtimeout", positive_seconds, live=True)
    autofilter: AutoFilter = _setting(AutoFilter.OFF, "autofilter", _autofilter)  # noqa: RUF009
    banner: str = _setting("", "forcebanner", text)
    # A URL of busurl.parse_bus; "": this proxy belongs to no cluster.
    bus: str = _setting("", "bus", bus_url, shown=False)
    bus_bytes: int = _setting(67108864, "busbytes", stream_size)  # of one server's stream
    # How long a proxy that says nothing keeps its servers.
    bus_failover: float = _setting(3.0, "busfailover", failover)
    bus_join: float = _setting(0.0, "busjoin", milliseconds)
    bus_name: str = _setting("astmanproxy", "busname", bus_name)
    bus_optional: bool = _setting(False, "busoptional", boolean)
    certfile: str = _setting("", "certfile", path)
    client_backlog: int = _setting(8388608, "clientbacklog", count(1), live=True)
    client_ca_file: str = _setting("", "clientcafile", required_path)
    client_write_timeout: float = _setting(0.1, "clientwritetimeout", milliseconds, live=True)
    connect_timeout: float = _setting(5.0, "connecttimeout", positive_seconds, live=True)
    # "no": there is none, "": beside the pid file.
    # Seconds from its sending until an action is answered with an error; 0: it is waited for.
    action_timeout: float = _setting(30.0, "actiontimeout", seconds, live=True)
    control_socket: str = _setting("", "controlsocket", path_or_no)
    display_connects: bool = _setting(True, "displayconnects", boolean, live=True)
    drain_seconds: float = _setting(3.0, "drainseconds", seconds, live=True)
    filter_local: str = _setting("off", "filterlocal", _LOCAL)
    handler_dir: str = _setting("", "handlerdir", path)
    hello_timeout: float = _setting(0.5, "sslclienthellotimeout", milliseconds, live=True)
    # In lower case, as browsers write them.
    http_cors: tuple[str, ...] = _setting((), "httpcors", origins, live=True)
    # What Digest is offered with, the first is preferred; (): not at all.
    http_digest: tuple[str, ...] = _setting(("MD5", "SHA-256"), "httpdigest", algorithms, live=True)
    input_format: str = _setting("standard", "inputformat", format_name)
    # Silence before a Ping; 0: none is sent.
    keepalive: float = _setting(30.0, "keepalive", seconds, live=True)
    listen_address: str = _setting("*", "listenaddress", address)
    listen_port: int = _setting(1234, "listenport", port_or_no)  # 0: no first listener
    # A path, or a word of targets.WORDS.
    logfile: str = _setting("/var/log/asterisk/astmanproxy.log", "logfile", log_target)
    log_format: str = _setting("text", "logformat", _LOG_FORMAT)
    log_level: str = _setting("info", "loglevel", _LOG_LEVEL, live=True)
    login_timeout: float = _setting(10.0, "logintimeout", positive_seconds, live=True)
    max_block: int = _setting(131072, "maxblock", count(1), live=True)
    max_clients: int = _setting(0, "maxclients", count(0), live=True)  # 0: no limit
    max_headers: int = _setting(128, "maxheaders", count(1), live=True)
    # What Asterisk accepts (spec 12.17).
    max_line: int = _setting(1022, "maxline", count(1), live=True)
    # One message from Asterisk.
    max_message: int = _setting(67108864, "maxmessage", count(1), live=True)
    max_per_address: int = _setting(0, "maxperaddress", count(0), live=True)  # 0: no limit
    max_per_user: int = _setting(0, "maxperuser", count(0), live=True)  # 0: no limit
    max_retries: int = _setting(0, "maxretries", count(0), live=True)  # 0: for ever
    # Of one client; 0: no limit.
    max_unanswered: int = _setting(32, "maxunanswered", count(0), live=True)
    # Who may read /metrics without a log-in.
    metrics_permit: Acl | None = _setting(None, "metricspermit", scrapers, live=True)  # noqa: RUF009
    originate_async: bool = _setting(True, "originateasync", boolean, live=True)
    output_format: str = _setting("standard", "outputformat", format_name)
    pidfile: str = _setting("/run/astmanproxy/astmanproxy.pid", "pidfile", required_path)
    proc_group: str = _setting("", "proc_group", text)
    proc_user: str = _setting("", "proc_user", text)
    # Load balancers, whose connections begin with a header that says whose they are.
    proxy_protocol: Acl | None = _setting(None, "proxyprotocol", networks, live=True)  # noqa: RUF009
    proxy_key: str = _setting("", "proxykey", required_text, shown=False)
    # Of each server, how much of its events is kept; 0: nothing.
    replay: int = _setting(0, "replay", byte_size, live=True)
    replay_seconds: float = _setting(3600.0, "replayseconds", positive_seconds, live=True)
    # Other processes may listen on the same ports.
    reuse_port: bool = _setting(False, "reuseport", boolean)
    retry_interval: float = _setting(2.0, "retryinterval", seconds, live=True)
    # Shorter than retry_interval: the pause never grows.
    retry_longest: float = _setting(60.0, "retrylongest", seconds, live=True)
    # Clients are told of a server that is lost, and of one that is connected.
    server_events: bool = _setting(False, "serverevents", boolean, live=True)
    server_header: bool = _setting(True, "serverheader", boolean, live=True)
    server_write_timeout: float = _setting(0.1, "asteriskwritetimeout", milliseconds, live=True)
    ssl_ca_file: str = _setting("", "sslcafile", required_path)
    ssl_verify: bool = _setting(False, "sslverify", boolean)
    # Whether what goes on at each Asterisk is kept, once somebody asks for it (Snapshot).
    state: bool = _setting(False, "state", boolean, live=True)
    state_limit: int = _setting(50000, "statelimit", count(1), live=True)  # rows of a server
    # Of numbers of queues: who hangs up that soon is not lost; whose midnight it is, "": ours.
    abandon_short: float = _setting(5.0, "abandonshort", seconds, live=True)
    timezone: str = _setting("", "timezone", time_zone, live=True)
    metrics_queues: int = _setting(200, "metricsqueues", count(0), live=True)

    # What is there for browsers and programs at listeners with the input http.
    web: tuple[str, ...] = _setting(PARTS, "web", web_parts, live=True)

    #: Field name -> ``FILE:LINE`` of the line that set it last.
    where: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), repr=False, compare=False
    )

    #: The file itself.
    file: str = field(default="", repr=False, compare=False)
    #: What it includes.
    files: tuple[str, ...] = field(default=(), repr=False, compare=False)
    #: Where each of ``servers`` is named.
    server_places: tuple[str, ...] = field(default=(), repr=False, compare=False)
    #: Where each rule of ``acl`` stands.
    acl_places: tuple[str, ...] = field(default=(), repr=False, compare=False)

    @property
    def guarded(self) -> bool:
        """Whether clients must log in, or give the proxy key, before anything else.

        Those of the first listener, and of each whose line does not say.
        """
        return self.auth_required or bool(self.proxy_key)

    @property
    def needs_users(self) -> bool:
        """Whether there is a listener whose clients must log in as a user."""
        return self.auth_required or any(line.auth for line in self.listen)

    @property
    def log_path(self) -> str:
        """The file of the log, "" where it goes elsewhere."""
        return "" if self.logfile in targets.WORDS else self.logfile

    def place(self, name: str) -> str:
        """Return ``FILE:LINE: `` of the line that set field *name*, or ``""``.

        To put before a complaint about a value that only its user could check.
        """
        place = self.where.get(name, "")
        return f"{place}: " if place else ""


#: The keys of the file, in lower case, but host, listen, permit and deny, which add up.
SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        row.metadata["key"]: Setting(row.name, row.metadata["read"], row.metadata["live"])
        for row in fields(Config)
        if "key" in row.metadata
    }
)


def reloaded(old: Config, new: Config) -> tuple[Config, list[str]]:
    """Return the Config in force when *new* was read while *old* is running.

    Servers and limits change at once; the rest stays as it was until a restart,
    and the keys concerned are returned, sorted.  When *new* names no server, the
    servers stay: a file cut short must not take a working proxy off the air.
    """
    changes: dict[str, Any] = {
        name: getattr(new, name) for name in ("acl", "acl_places", "listen", "file", "files")
    }
    # Where what stays as it was came from.
    changes["where"] = MappingProxyType(
        {
            setting.field: place
            for setting in SETTINGS.values()
            for one in (new if setting.live else old,)
            if (place := one.where.get(setting.field))
        }
    )
    waiting: list[str] = []
    if new.servers:
        changes |= {"servers": new.servers, "server_places": new.server_places}
    elif old.servers:
        waiting.append("host (no line names a server)")
    for key, setting in SETTINGS.items():
        value = getattr(new, setting.field)
        if setting.live:
            changes[setting.field] = value
        elif value != getattr(old, setting.field):
            waiting.append(key)
    return replace(old, **changes), sorted(waiting)
