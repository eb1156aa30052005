# SPDX-License-Identifier: GPL-2.0-or-later
"""BusClient: connections to Redis, or Valkey.  The only module that imports redis.

redis-py 4.3 to 8 connects, logs in and reads replies; what it does beyond that (pools, tries
again, decoding) is left out: who has to try again, and when, only the callers know.
"""

from __future__ import annotations

import inspect
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

try:
    import redis
    from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
except ImportError as _error:
    from amiproxy.errors import ConfigError

    raise ConfigError(
        "bus: the Python package redis is missing; install python3-redis, or astmanproxy[bus]"
    ) from _error

from amiproxy.basics.boolean import parse_bool
from amiproxy.errors import PeerError
from amiproxy.settings.busurl import parse_bus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.settings.config import Config

#: Seconds to connect, to one address, and to log in.
CONNECT_SECONDS = 2.0
#: Seconds until a command is answered, unless its caller says another time.
REPLY_SECONDS = 2.0
#: Bytes of one read.  More would be mapped into memory and out of it again for each.
_PIECE = 64 * 1024
# redis-py of these releases and later speaks RESP3 unless it is told not to.
_KNOWS_PROTOCOLS = (5, 0)
# Without these redis-py looks up its own version in files, at each connect: the user that the
# proxy has become may be unable to read them.
_OPTIONS = {
    name
    for kind in Connection.__mro__[:-1] if "__init__" in vars(kind)
    for name in inspect.signature(vars(kind)["__init__"]).parameters
}  # fmt: skip
_NAMELESS = {
    key: None for key in ("driver_info", "lib_name", "lib_version")
    if key in _OPTIONS and (key == "driver_info" or "driver_info" not in _OPTIONS)
}  # fmt: skip


class BusError(PeerError):
    """The bus cannot be reached, or does not answer.  No text holds a secret."""


class BusRefused(BusError):
    """Redis answered a command with an error; the connection is as good as before."""


class Line:
    """A connection to Redis of one thread, which nobody but ``interrupt`` touches otherwise.

    After a BusError that is no BusRefused it is closed; a new one is asked of the client.
    """

    def __init__(self, connection: Any, name: str) -> None:
        self._connection = connection
        self._socket: socket.socket | None = getattr(connection, "_sock", None)
        self._name = name
        self._timeout = -1.0  # what the socket was told last, in seconds

    def __repr__(self) -> str:
        return f"Line({self._name})"

    @property
    def is_open(self) -> bool:
        """Whether commands can be sent."""
        return self._socket is not None

    def command(self, *args: bytes | str | float, timeout: float | None = None) -> Any:
        """Send one command; return its reply: bytes, int, None or a list of these.

        *timeout*: seconds until its reply has to begin; of a command that waits inside Redis, more
        than that.

        Raises:
            BusRefused: Redis refuses it.
            BusError: the connection is over.

        """
        pieces = self._connection.pack_command(*args)
        (reply,) = self.send_packed(pieces, 1, timeout=timeout)
        if isinstance(reply, BusRefused):
            raise reply
        return reply

    def send_packed(
        self, packed: bytes | Sequence[bytes], replies: int, *, timeout: float | None = None
    ) -> list[Any]:
        """Send commands as the bytes that Redis reads; return their *replies*, in order.

        One that Redis refuses has a BusRefused in its place, which is not raised.

        Raises:
            BusError: the connection is over; nobody knows which of the commands were carried out.

        """
        sock = self._there()
        try:
            self._allow(sock, timeout)
            self._connection.send_packed_command(
                [packed] if isinstance(packed, bytes) else packed, check_health=False
            )
            return [self._reply() for _ in range(replies)]
        except (redis.RedisError, OSError, ValueError) as error:
            self.close()
            raise BusError(f"{self._name}: {_told(error)}") from None

    def send(self, data: bytes, *, timeout: float | None = None) -> None:
        """Send commands as the bytes that Redis reads; who calls reads the replies by ``receive``.

        *timeout*: seconds until the socket has taken all of it.  Raises BusError.
        """
        sock = self._there()
        try:
            self._allow(sock, timeout)
            sock.sendall(data)
        except (OSError, ValueError) as error:
            self.close()
            raise BusError(f"{self._name}: {_told(error)}") from None

    def receive(self, *, timeout: float | None = None) -> bytes:
        """Return what has come, at least a byte, within *timeout* seconds.  Raises BusError."""
        sock = self._there()
        try:
            self._allow(sock, timeout)
            data = sock.recv(_PIECE)
        except (OSError, ValueError) as error:
            self.close()
            raise BusError(f"{self._name}: {_told(error)}") from None
        if not data:
            self.close()
            raise BusError(f"{self._name}: the connection was closed")
        return data

    def _there(self) -> socket.socket:
        """Return the socket; raises BusError if it is closed."""
        sock = self._socket
        if sock is None:
            raise BusError(f"{self._name}: the connection is closed")
        return sock

    def _allow(self, sock: socket.socket, timeout: float | None) -> None:
        """Have *sock* wait for *timeout* seconds at the most, None: REPLY_SECONDS."""
        seconds = REPLY_SECONDS if timeout is None else timeout
        if seconds != self._timeout:  # else it would be a system call for nothing
            sock.settimeout(seconds)
            self._timeout = seconds

    def _reply(self) -> Any:
        try:
            return self._connection.read_response(disable_decoding=True)
        except redis.ResponseError as error:
            return BusRefused(f"{self._name}: {_told(error)}")

    def interrupt(self) -> None:
        """End what the thread of this line waits for: it gets a BusError.  Any thread may call."""
        sock = self._socket
        if sock is not None:
            with suppress(OSError):
                # Not the method of TLS sockets, which also takes OpenSSL away from who reads.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection; it may be closed already."""
        self._socket = None
        self._connection.disconnect()


class BusClient:
    """Makes connections to the Redis that the URL *url* names (settings/busurl.py)."""

    def __init__(
        self, url: str, *, connect_seconds: float = CONNECT_SECONDS, name: str = ""
    ) -> None:
        self._url = parse_bus(url)
        self._connect_seconds = connect_seconds
        self._name = name

    def __repr__(self) -> str:
        return f"BusClient({self.shown})"

    @property
    def shown(self) -> str:
        """Where the bus is, without a password."""
        return self._url.shown

    @classmethod
    def of(cls, config: Config, name: str = "") -> BusClient:
        """Return the client for *config*, which has a ``bus``; *name*: what Redis calls it."""
        # A lease must not run out while an address that is dead is tried.
        return cls(
            config.bus,
            connect_seconds=max(0.5, min(CONNECT_SECONDS, config.bus_failover / 2)),
            name=name,
        )

    def connection(self) -> Line:
        """Return a new connection that is logged in.

        Raises:
            BusError: there is none; says why.

        """
        if self._url.master:
            return self._by_sentinels()
        host, port = self._url.hosts[0] if self._url.hosts else ("", 0)
        return self._opened(self._login(), host, port, self._url.shown)

    def _by_sentinels(self) -> Line:
        """Return a connection to the master that the first Sentinel that answers names."""
        problems: list[str] = []
        for host, port in self._url.hosts:
            try:
                return self._at_master(*self._asked(host, port))
            except BusError as error:
                problems.append(str(error))
        raise BusError("; ".join(problems))

    def _asked(self, host: str, port: int) -> tuple[str, int]:
        """Ask the Sentinel at *host* where the master is."""
        options = dict(self._url.options)
        login = {
            "username": options.get("sentinel_username"),
            "password": options.get("sentinel_password"),
        }
        line = self._opened(login, host, port, f"Sentinel {host}:{port}")
        try:
            found = line.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._url.master)
        finally:
            line.close()
        if not isinstance(found, list) or len(found) != 2:
            raise BusError(f"Sentinel {host}:{port} knows no master {self._url.master}")
        try:
            return found[0].decode("ascii"), int(found[1])
        except (AttributeError, ValueError):
            raise BusError(f"Sentinel {host}:{port} answers no address") from None

    def _at_master(self, host: str, port: int) -> Line:
        line = self._opened(self._login(), host, port, f"{self._url.shown} at {host}:{port}")
        try:
            role = line.command("ROLE")
        except BusError:
            line.close()
            raise
        if not isinstance(role, list) or role[:1] != [b"master"]:
            line.close()
            # A Sentinel may name the old master for a moment.
            raise BusError(f"{host}:{port} is not the master")
        return line

    def _login(self) -> dict[str, Any]:
        return {
            "db": self._url.database,
            "username": self._url.user or None,
            "password": self._url.password or None,
            "client_name": self._name or None,
        }

    def _opened(self, login: dict[str, Any], host: str, port: int, name: str) -> Line:
        options: dict[str, Any] = {
            **login, **_NAMELESS, "socket_timeout": self._connect_seconds
        }  # fmt: skip
        if redis.VERSION[:2] >= _KNOWS_PROTOCOLS:
            options["protocol"] = 2
        kind: Any = Connection
        if self._url.path:
            kind = UnixDomainSocketConnection
            options["path"] = self._url.path
        else:
            options |= {"host": host, "port": port, "socket_keepalive": True}
            options["socket_connect_timeout"] = self._connect_seconds
            if self._url.tls:
                kind = SSLConnection
                options |= self._tls()
        return _connected(kind, options, name)

    def _tls(self) -> dict[str, Any]:
        given = {key: value for key, value in self._url.options if key.startswith("ssl_")}
        # Not checked by default before redis-py 6.
        checked = parse_bool(given.pop("ssl_check_hostname", "yes"))
        return {
            **given,
            "ssl_check_hostname": bool(checked) and given.get("ssl_cert_reqs") != "none",
        }


def _connected(kind: Any, options: dict[str, Any], name: str) -> Line:
    try:
        connection = kind(**options)
        connection.connect()
    except (redis.RedisError, OSError, ValueError) as error:
        raise BusError(f"{name}: {_told(error)}") from None
    return Line(connection, name)


def _told(error: Exception) -> str:
    """Return *error* as one line.  Neither redis-py nor Redis puts a password into one."""
    return " ".join(str(error).split())[:300] or type(error).__name__
