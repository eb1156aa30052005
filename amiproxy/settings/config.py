# SPDX-License-Identifier: GPL-2.0-or-later
"""astmanproxy.conf: the file's syntax, its keys, and the Config made of it.

A new setting is a field of :class:`Config`, a row of ``_SETTINGS`` and a
paragraph in the sample file.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import re
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Callable

from amiproxy.access.acl import Acl
from amiproxy.basics.boolean import parse_bool
from amiproxy.errors import ConfigError
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.classes import read_classes

if TYPE_CHECKING:
    from collections.abc import Mapping

# poll() counts milliseconds in 31 bits, so no longer wait can be asked for.
_LONGEST_WAIT = 2_000_000.0

# Between two tries to reconnect.  The C program's 0 meant thousands a second.
_SHORTEST_RETRY = 0.1


@dataclass(frozen=True)
class ServerSpec:
    """One ``host`` line: an Asterisk to connect to."""

    host: str  # lower case, an IPv6 address without its brackets
    port: int
    user: str
    secret: str = field(repr=False)
    events: str = "on"  # sent to Asterisk as it stands, lower case
    tls: bool = False
    # Where the line stood; two equal servers are equal wherever they stand.
    path: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Config:
    """Every setting, ready to use.  Times are seconds and sizes bytes."""

    servers: tuple[ServerSpec, ...] = ()
    retry_interval: float = 2.0
    max_retries: int = 0  # 0: for ever
    listen_address: str = "*"
    listen_port: int = 1234
    server_write_timeout: float = 0.1  # the file gives milliseconds
    client_write_timeout: float = 0.1  # the file gives milliseconds
    hello_timeout: float = 0.5  # the file gives milliseconds
    accept_encrypted: bool = False
    accept_unencrypted: bool = True
    certfile: str = ""
    auth_required: bool = False
    proxy_key: str = field(default="", repr=False)
    proc_user: str = ""
    proc_group: str = ""
    logfile: str = "/var/log/asterisk/astmanproxy.log"
    input_format: str = "standard"
    output_format: str = "standard"
    autofilter: AutoFilter = AutoFilter.OFF
    filter_local: str = "off"  # off, allow, allowwith, enforce
    banner: str = ""
    handler_dir: str = ""
    pidfile: str = "/run/astmanproxy/astmanproxy.pid"
    originate_async: bool = True
    max_line: int = 1022  # what Asterisk bears (spec 12.17)
    max_headers: int = 128
    max_block: int = 1048576
    max_message: int = 67108864  # one message from Asterisk
    client_backlog: int = 8388608
    connect_timeout: float = 5.0
    login_timeout: float = 10.0
    keepalive: float = 30.0  # silence before a Ping; 0: none is sent
    auth_timeout: float = 30.0
    auth_limit: int = 50  # 0: no limit, as for the next two
    max_clients: int = 0
    max_per_address: int = 0
    acl_lines: tuple[str, ...] = ()  # "permit=..." and "deny=...", in order
    http_cors: tuple[str, ...] = ()  # origins, lower case
    ssl_verify: bool = False
    ssl_ca_file: str = ""
    client_ca_file: str = ""
    #: Field name -> ``FILE:LINE`` of the line that set it last.
    where: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), repr=False, compare=False
    )

    def place(self, name: str) -> str:
        """Return ``FILE:LINE: `` of the line that set field *name*, or ``""``.

        To put before a complaint about a value that only its user could check.
        """
        place = self.where.get(name, "")
        return f"{place}: " if place else ""


def load_config(path: str | os.PathLike[str], directory: str = "") -> tuple[Config, list[str]]:
    """Read the file *path*; return its Config and warnings.

    Relative paths in the file start at *directory*, by default the current one.
    Warnings are ``FILE:LINE: ...``: keys nobody knows, and the like.

    Raises:
        ConfigError: the file cannot be read or used; names every problem.

    """
    return _unless_wrong(*examine_config(path, directory))


def examine_config(
    path: str | os.PathLike[str], directory: str = ""
) -> tuple[Config, list[str], list[str]]:
    """Read the file *path* as load_config does; return Config, problems and warnings.

    Where there are problems the Config is made of the lines without one, so that
    the files it names can be looked at, too.

    Raises:
        ConfigError: the file cannot be read.

    """
    name = os.fspath(path)
    try:
        text = Path(path).read_bytes().decode("latin-1")
    except OSError as error:
        # The C program's words, which name no reason: it is added to the rare ones.
        reason = "" if error.errno == errno.ENOENT else f" ({error.strerror})"
        raise ConfigError(f"Unable to open config file: {name}!{reason}") from error
    return _read(text, name, directory)


def parse_config(text: str, name: str, directory: str = "") -> tuple[Config, list[str]]:
    """Make a Config of *text*, which stood in the file *name*; see load_config."""
    return _unless_wrong(*_read(text, name, directory))


def _read(text: str, name: str, directory: str) -> tuple[Config, list[str], list[str]]:
    parser = _Parser(name, directory or os.getcwd())  # noqa: PTH109 - a plain string
    for number, line in enumerate(text.removeprefix("\xef\xbb\xbf").split("\n"), 1):
        parser.take(number, line)
    return parser.finish()


def _unless_wrong(
    config: Config, problems: list[str], warnings: list[str]
) -> tuple[Config, list[str]]:
    if problems:
        raise ConfigError(*problems)
    return config, warnings


def reloaded(old: Config, new: Config) -> tuple[Config, list[str]]:
    """Return the Config in force when *new* was read while *old* is running.

    Servers and limits change at once; the rest stays as it was until a restart,
    and the keys concerned are returned.  When *new* names no server, the servers
    stay: a file cut short must not take a working proxy off the air.
    """
    changes: dict[str, Any] = {"where": new.where}
    if new.servers:
        changes["servers"] = new.servers
    waiting: list[str] = []
    for key, setting in _SETTINGS.items():
        value = getattr(new, setting.field)
        if setting.live:
            changes[setting.field] = value
        elif value != getattr(old, setting.field):
            waiting.append(key)
    changes["acl_lines"] = new.acl_lines
    return replace(old, **changes), waiting


# -- one line ---------------------------------------------------------------------------

# What follows the "=": a quoted piece, an unquoted one, or a comment.  A quote that
# is never closed ends at a comment or with the line, as in the C program.
_PIECE = re.compile(r'"(?P<quoted>[^"]*)"|"(?P<open>[^";#]*)|(?P<bare>[^";#]+)')
_BLANKS = str.maketrans("", "", " \t\r")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class _Value:
    """The value of one line as (text, quoted) pieces, without comment.

    Unquoted pieces have lost their blanks, but not yet their capitals.
    """

    pieces: tuple[tuple[str, bool], ...]
    directory: str

    @classmethod
    def of(cls, raw: str, directory: str) -> _Value:
        pieces: list[tuple[str, bool]] = []
        position = 0
        match = _PIECE.match(raw)
        while match is not None:
            bare = match["bare"]
            if bare is not None:
                pieces.append((bare.translate(_BLANKS), False))
            else:
                pieces.append((match["quoted"] or match["open"] or "", True))
            position = match.end()
            match = _PIECE.match(raw, position)
        value = cls(tuple(pieces), directory)
        if _CONTROL.search(value.text):
            raise ValueError("holds a control character; remove it")
        return value

    @property
    def text(self) -> str:
        """The value in the case it was written in."""
        return "".join(text for text, _ in self.pieces)

    @property
    def folded(self) -> str:
        """The value as the C program reads it: capitals only in quotes."""
        return "".join(text if quoted else text.lower() for text, quoted in self.pieces)

    @property
    def first(self) -> _Value:
        """The value up to its first closing quote, where the C program stopped."""
        end = next((i for i, (_, quoted) in enumerate(self.pieces, 1) if quoted), None)
        return replace(self, pieces=self.pieces[:end])

    def split(self) -> list[str]:
        """Return the fields between commas; a comma in quotes is no border.

        Unless the whole value is quoted: then the C program split inside.
        """
        found = [""]
        for text, quoted in self.pieces:
            first, *more = [text] if quoted else text.split(",")
            found[-1] += first
            found += more
        if len(found) == 1:
            found = found[0].split(",")
        return [text.strip(" ") for text in found]


class _Parser:
    """Collects the settings of one file, and what is wrong with it."""

    def __init__(self, name: str, directory: str) -> None:
        self.name = name
        self.directory = directory
        self.values: dict[str, Any] = {}
        self.where: dict[str, str] = {}
        self.servers: list[ServerSpec] = []
        self.acl: list[str] = []
        self.problems: list[str] = []
        self.warnings: list[str] = []

    def take(self, number: int, line: str) -> None:
        """Read one line of the file."""
        if not line.strip(" \t\r") or line.lstrip(" \t")[0] in ";#":
            return
        place = f"{self.name}:{number}"
        key, equals, raw = line.partition("=")
        key = key.strip(" \t").lower()
        if not equals or ";" in key or "#" in key:
            self.warnings.append(f'{place}: not "key = value", ignored')
            return
        try:
            self._set(key, _Value.of(raw, self.directory), number, place)
        except ValueError as error:
            self.problems.append(f"{place}: {_shown(key)}: {error}")

    def _set(self, key: str, value: _Value, number: int, place: str) -> None:
        if key == "host":
            server = _server(value, self.name, number)
            if server in self.servers:
                # The C program connected twice and sent every event twice.
                self.warnings.append(f"{place}: host: this server is named twice, ignored")
            else:
                self.servers.append(server)
        elif key in ("permit", "deny"):
            self.acl.append(f"{key}={_networks(key, value)}")
        elif key in _SETTINGS:
            setting = _SETTINGS[key]
            self.values[setting.field] = setting.read(value)
            self.where[setting.field] = place
        else:
            self.warnings.append(f"{place}: unknown key {_shown(key)}, ignored")

    def finish(self) -> tuple[Config, list[str], list[str]]:
        """Return the Config, what is wrong, and the warnings."""
        config = Config(
            servers=tuple(self.servers),
            acl_lines=tuple(self.acl),
            where=MappingProxyType(self.where),
            **self.values,
        )
        self._check(config)
        if config.retry_interval < _SHORTEST_RETRY:
            self.warnings.append(
                f"{config.place('retry_interval')}retryinterval: raised to {_SHORTEST_RETRY:g} s"
            )
            config = replace(config, retry_interval=_SHORTEST_RETRY)
        return config, self.problems, self.warnings

    def _check(self, config: Config) -> None:
        """Look at settings that only together are wrong."""
        if not config.accept_unencrypted:
            place = config.place("accept_unencrypted")
            if not config.accept_encrypted:
                self.problems.append(
                    f"{place}nobody could connect: acceptencryptedconnection or"
                    " acceptunencryptedconnection must be yes"
                )
            elif not config.certfile:
                self.problems.append(
                    f"{place}nobody could connect: encrypted connections need a certfile"
                )
        elif config.accept_encrypted and not config.certfile:
            self.warnings.append(
                f"{config.place('accept_encrypted')}acceptencryptedconnection: no certfile"
                " is set, so encrypted connections will be refused"
            )
        if config.client_ca_file and not config.certfile:
            self.problems.append(f"{config.place('client_ca_file')}clientcafile: needs a certfile")


def _shown(key: str) -> str:
    """Return *key* for a message, unless it may be a piece of a torn host line."""
    return key if re.fullmatch("[a-z0-9_]{1,40}", key) else "(not shown)"


# -- readers: text of a value -> the field; ValueError says what to write instead -------


def _text(value: _Value) -> str:
    return value.first.folded


def _path(value: _Value) -> str:
    # Paths keep their case, unlike in the C program (spec section 3).
    text = value.first.text
    return os.path.normpath(os.path.join(value.directory, text)) if text else ""  # noqa: PTH118


def _required_path(value: _Value) -> str:
    path = _path(value)
    if not path:
        raise ValueError("is empty; give a path")
    return path


def _yes(value: _Value) -> bool:
    answer = parse_bool(value.text)
    if answer is None:
        raise ValueError(f"{_quote(value.text)} is neither yes nor no")
    return answer


def _choice(*choices: str) -> Callable[[_Value], str]:
    """Take one of *choices*, the first of which also answers to ``no``."""

    def read(value: _Value) -> str:
        text = value.text.lower()
        if parse_bool(text) is False:
            return choices[0]
        if text not in choices:
            raise ValueError(f"{_quote(value.text)} is none of {', '.join(choices)}")
        return text

    return read


def _autofilter(value: _Value) -> AutoFilter:
    return AutoFilter(_choice(*(mode.value for mode in AutoFilter))(value))


def _count(least: int, most: int = 2**40) -> Callable[[_Value], int]:
    """Take a whole number from *least* to *most*."""

    def read(value: _Value) -> int:
        if not re.fullmatch("[0-9]{1,13}", value.text):
            raise ValueError(f"{_quote(value.text)} is no whole number")
        number = int(value.text)
        if not least <= number <= most:
            raise ValueError(f"{number} is not between {least} and {most}")
        return number

    return read


def _seconds(value: _Value) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value.text):
        raise ValueError(f"{_quote(value.text)} is no number")
    number = float(value.text)
    if number > _LONGEST_WAIT:
        raise ValueError(f"{number:g} is too long; at most {_LONGEST_WAIT:.0f} s can be waited")
    return number


def _some_seconds(value: _Value) -> float:
    seconds = _seconds(value)
    if not seconds:
        raise ValueError("must be more than 0")
    return seconds


def _milliseconds(value: _Value) -> float:
    return _seconds(value) / 1000


def _format(value: _Value) -> str:
    return value.text.lower() or "standard"


def _address(value: _Value) -> str:
    """Take ``*``, an address of either family, or a host name."""
    text = value.text.lower()
    if not text:
        raise ValueError("is empty; * stands for all addresses")
    return text if text == "*" else _host(text)


def _host(text: str) -> str:
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    if ":" in text:
        try:
            ipaddress.IPv6Address(text)
        except ValueError:
            raise ValueError(f"{_quote(text)} is no IPv6 address") from None
    elif not re.fullmatch(r"[a-z0-9_.-]{1,253}", text) or _is_no_ipv4(text):
        raise ValueError(f"{_quote(text)} is neither an address nor a host name")
    return text


def _is_no_ipv4(text: str) -> bool:
    """Tell whether *text* looks like an IPv4 address, and is none."""
    match = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)\.(\d+)", text)
    return match is not None and any(int(part) > 255 for part in match.groups())


def _server(value: _Value, path: str, line: int) -> ServerSpec:
    """Take a host line.  Its errors name no field behind the port: they are secrets."""
    found = value.split()
    while found and not found[-1]:
        del found[-1]
    if len(found) < 5 or not all(found[:5]):
        raise ValueError(
            "server spec incomplete; give host, port, user, secret, events(on/off), use_ssl(on/off)"
        )
    host, port, user, secret, events, tls, *_ = [*found, "off"]
    if not re.fullmatch("[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise ValueError("the port (second field) is no number between 1 and 65535")
    encrypted = parse_bool(tls)
    if encrypted is None:
        raise ValueError("use_ssl (sixth field) is neither on nor off")
    return ServerSpec(
        host=_host(host.lower()),
        port=int(port),
        user=user,
        secret=secret,
        events=_events(events.lower()),
        tls=encrypted,
        path=path,
        line=line,
    )


def _events(text: str) -> str:
    """Take on, off, or what Asterisk takes besides: classes, or their sum as a number."""
    answer = parse_bool(text)
    if answer is not None:
        return "on" if answer else "off"
    if not re.fullmatch("[0-9]+", text) and read_classes(text)[1]:
        raise ValueError("events (fifth field) is neither on nor off")
    return text


def _networks(key: str, value: _Value) -> str:
    """Take the networks of a permit or deny line, as Asterisk writes them."""
    text = value.text.lower()
    Acl().with_line(key, text)
    return text


def _origins(value: _Value) -> tuple[str, ...]:
    """Take web origins between commas."""
    origins = [text for text in value.text.lower().split(",") if text]
    for origin in origins:
        if not re.fullmatch(r"https?://[a-z0-9_.:\[\]-]+", origin):
            raise ValueError(
                f"{_quote(origin)} is no origin; write https://host or https://host:port"
            )
    return tuple(origins)


def _quote(text: str) -> str:
    """Return *text* for an error message, short and printable."""
    shown = text if len(text) <= 60 else f"{text[:60]}..."
    return '"' + shown.encode("ascii", "backslashreplace").decode() + '"'


@dataclass(frozen=True)
class _Setting:
    """One key: the field it sets, its reader, and whether SIGHUP changes it."""

    field: str
    read: Callable[[_Value], Any]
    live: bool = False


_LIVE = True

# One row a key but host, permit and deny, which add up; in alphabetical order.
_SETTINGS: Mapping[str, _Setting] = MappingProxyType(
    {
        "acceptencryptedconnection": _Setting("accept_encrypted", _yes),
        "acceptunencryptedconnection": _Setting("accept_unencrypted", _yes),
        "asteriskwritetimeout": _Setting("server_write_timeout", _milliseconds, _LIVE),
        "authlimit": _Setting("auth_limit", _count(0), _LIVE),
        "authrequired": _Setting("auth_required", _yes),
        "authtimeout": _Setting("auth_timeout", _some_seconds, _LIVE),
        "autofilter": _Setting("autofilter", _autofilter),
        "certfile": _Setting("certfile", _path),
        "clientbacklog": _Setting("client_backlog", _count(1), _LIVE),
        "clientcafile": _Setting("client_ca_file", _path),
        "clientwritetimeout": _Setting("client_write_timeout", _milliseconds, _LIVE),
        "connecttimeout": _Setting("connect_timeout", _some_seconds, _LIVE),
        "filterlocal": _Setting("filter_local", _choice("off", "allow", "allowwith", "enforce")),
        "forcebanner": _Setting("banner", _text),
        "handlerdir": _Setting("handler_dir", _path),
        "httpcors": _Setting("http_cors", _origins),
        "inputformat": _Setting("input_format", _format),
        "keepalive": _Setting("keepalive", _seconds, _LIVE),
        "listenaddress": _Setting("listen_address", _address),
        "listenport": _Setting("listen_port", _count(1, 65535)),
        "logfile": _Setting("logfile", _required_path),
        "logintimeout": _Setting("login_timeout", _some_seconds, _LIVE),
        "maxblock": _Setting("max_block", _count(1), _LIVE),
        "maxclients": _Setting("max_clients", _count(0), _LIVE),
        "maxheaders": _Setting("max_headers", _count(1), _LIVE),
        "maxline": _Setting("max_line", _count(1), _LIVE),
        "maxmessage": _Setting("max_message", _count(1), _LIVE),
        "maxperaddress": _Setting("max_per_address", _count(0), _LIVE),
        "maxretries": _Setting("max_retries", _count(0), _LIVE),
        "originateasync": _Setting("originate_async", _yes, _LIVE),
        "outputformat": _Setting("output_format", _format),
        "pidfile": _Setting("pidfile", _required_path),
        "proc_group": _Setting("proc_group", _text),
        "proc_user": _Setting("proc_user", _text),
        "proxykey": _Setting("proxy_key", _text),
        "retryinterval": _Setting("retry_interval", _seconds, _LIVE),
        "sslcafile": _Setting("ssl_ca_file", _path),
        "sslclienthellotimeout": _Setting("hello_timeout", _milliseconds, _LIVE),
        "sslverify": _Setting("ssl_verify", _yes),
    }
)

_FIELDS = frozenset(row.name for row in fields(Config))
assert all(row.field in _FIELDS for row in _SETTINGS.values())
