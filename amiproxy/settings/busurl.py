# SPDX-License-Identifier: GPL-2.0-or-later
"""Readers of ``bus`` and of the keys that go with it: where Redis is, and who shares it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from amiproxy.basics.boolean import parse_bool
from amiproxy.settings.bytesizes import byte_size
from amiproxy.settings.readers import host, quote, read_port, seconds

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from amiproxy.settings.confsyntax import Value
    from amiproxy.settings.readers import Written

#: What stands for the password where a URL is shown.
HIDDEN = "(hidden)"
#: Scheme -> whether it has TLS, whether its hosts are Sentinels.
_SCHEMES = {
    "redis": (False, False),
    "rediss": (True, False),
    "unix": (False, False),
    "redis+sentinel": (False, True),
    "rediss+sentinel": (True, True),
}
#: Query parameters for TLS, as redis-py calls them.
_TLS = frozenset({
    "ssl_ca_certs", "ssl_ca_path", "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname",
    "ssl_keyfile", "ssl_password",
})  # fmt: skip
#: How a user logs in to the Sentinels, if not without.
_SENTINEL = frozenset({"sentinel_password", "sentinel_username"})
_REDIS_PORT, _SENTINEL_PORT = 6379, 26379
#: Redis' own limit is its key "databases"; more than this is a mistake.
_MOST_DATABASES = 65535
_ENCODED = "write @ / ? # % of the user and the password as %40 %2F %3F %23 %25"
_SHORTEST_FAILOVER, _LONGEST_FAILOVER = 0.5, 60.0
#: Less has no room for the events of a few seconds.
_LEAST_STREAM = 2**20


class BusUrl(NamedTuple):
    """What a value of ``bus`` says.  Its repr has no secret.

    *hosts*: Redis, or with *master* the Sentinels that know which Redis is called so; *path*: a
    Unix socket instead.  *options*: the query parameters, but ``db``.
    """

    hosts: tuple[tuple[str, int], ...]
    path: str
    tls: bool
    master: str
    database: int
    user: str
    password: str
    options: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        return f"BusUrl({self.shown})"

    @property
    def shown(self) -> str:
        """The URL for people: without passwords, without query."""
        scheme = ("rediss" if self.tls else "redis") + ("+sentinel" if self.master else "")
        login = self.user + (f":{HIDDEN}" if self.password else "")
        login += "@" if login else ""
        if self.path:
            return f"unix://{login}{self.path}" + (f"?db={self.database}" * bool(self.database))
        where = ",".join(f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
                         for name, port in self.hosts)  # fmt: skip
        return f"{scheme}://{login}{where}/{self.master}{'/' * bool(self.master)}{self.database}"


def parse_bus(text: str) -> BusUrl:
    """Return what the URL *text* says.

    Raises:
        ValueError: it cannot be used; the text of the error holds neither user nor password.

    """
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in _SCHEMES:
        raise ValueError(
            "write a URL: redis://HOST:PORT/0, rediss://HOST:PORT/0 (with TLS), unix:///PATH, or"
            " redis+sentinel://HOST:PORT,HOST:PORT/MASTER/0"
        )
    try:
        parts = urlsplit(f"//{rest}")
    except ValueError:
        raise ValueError(f"is no URL; {_ENCODED}") from None
    if parts.fragment or "@" in parts.path or "@" in parts.query:
        raise ValueError(f"has @ or # where none belongs; {_ENCODED}")
    return _parsed(scheme.lower(), parts)


def _parsed(scheme: str, parts: SplitResult) -> BusUrl:
    tls, sentinels = _SCHEMES[scheme]
    login, _, where = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    options = _options(parts.query, _TLS if tls else frozenset(), sentinels=sentinels)
    master, path, database = "", "", options.pop("db", "")
    if scheme == "unix":
        path = unquote(parts.path)
        if where or not path.startswith("/") or path == "/":
            raise ValueError("write the absolute path of a socket behind unix://, as unix:///PATH")
        hosts: tuple[tuple[str, int], ...] = ()
    else:
        hosts = _hosts(where, sentinels=sentinels)
        names = parts.path.strip("/").split("/")
        master = unquote(names.pop(0)) if sentinels else ""
        database = database or "".join(names[:1])
        if len(names) > 1 or (sentinels and not master):
            what = "/MASTER/DATABASE" if sentinels else "/DATABASE"
            raise ValueError(f"what stands behind the hosts must be {what}")
    return BusUrl(
        hosts, path, tls, master, _database(database), unquote(user), unquote(password),
        tuple(sorted(options.items())),
    )  # fmt: skip


def _hosts(where: str, *, sentinels: bool) -> tuple[tuple[str, int], ...]:
    """Read ``HOST:PORT``, of Sentinels several with commas between."""
    given = where.split(",")
    if not sentinels and len(given) > 1:
        raise ValueError("names several hosts, which only redis+sentinel:// may")
    return tuple(_host(one, _SENTINEL_PORT if sentinels else _REDIS_PORT) for one in given)


def _host(text: str, port: int) -> tuple[str, int]:
    found = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*)(?::(.*))?", text)
    if found is None or not found[1]:
        raise ValueError(f"a host is missing; write //HOST:PORT, and {_ENCODED}")
    number = port if found[2] is None else read_port(found[2])
    if not number:
        # Not quoted: it may be a piece of a password.
        raise ValueError(f"a port is no number from 1 to 65535; {_ENCODED}")
    return host(found[1].lower()), number


def _options(query: str, tls: frozenset[str], *, sentinels: bool) -> dict[str, str]:
    """Return the query parameters by name."""
    known = {"db", *tls, *(_SENTINEL if sentinels else ())}
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            # Shown only if it cannot be a piece of a password.
            shown = name if name in _TLS | _SENTINEL else "one that is not shown"
            raise ValueError(
                f"a query parameter is unknown here: {shown}; write some of"
                f" {', '.join(sorted(known))}"
            )
        if name in found or not value:
            raise ValueError(f"{name} is empty, or there twice; write it once, with a value")
        found[name] = value
    if found.get("ssl_cert_reqs", "required") not in ("none", "optional", "required"):
        raise ValueError("ssl_cert_reqs must be none, optional or required")
    if parse_bool(found.get("ssl_check_hostname", "yes")) is None:
        raise ValueError("ssl_check_hostname must be yes or no")
    return found


def _database(text: str) -> int:
    if not re.fullmatch("[0-9]{0,5}", text) or int(text or "0") > _MOST_DATABASES:
        raise ValueError("the database is no number; write redis://HOST:PORT/0")
    return int(text or "0")


def bus_url(value: Value) -> str:
    """Read the URL of the bus; ``no`` is none.  Return it as it is written, with its secrets."""
    text = value.first.text
    if value.joined:
        raise ValueError("holds a blank; write it as %20")
    if parse_bool(text) is False:
        return ""
    parse_bus(text)
    return text


def bus_name(value: Written) -> str:
    """Read the name of a cluster, which its keys in Redis begin with; its case counts."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value.text):
        raise ValueError(f"{quote(value.text)} is no name; write 1 to 64 letters, digits, _ . -")
    return value.text


def failover(value: Written) -> float:
    """Read the seconds for which a proxy that says nothing keeps its servers."""
    found = seconds(value)
    if not _SHORTEST_FAILOVER <= found <= _LONGEST_FAILOVER:
        raise ValueError(
            f"{quote(value.text)} is not between {_SHORTEST_FAILOVER:g} and"
            f" {_LONGEST_FAILOVER:g} seconds"
        )
    return found


def stream_size(value: Written) -> int:
    """Read the bytes of one server's stream."""
    found = byte_size(value)
    if found < _LEAST_STREAM:
        raise ValueError(f"{quote(value.text)} is too small; the least is 1MB")
    return found
