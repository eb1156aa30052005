# SPDX-License-Identifier: GPL-2.0-or-later
"""astmanproxy.conf: the file in, a Config out, with what is wrong with it."""

from __future__ import annotations

import errno
import glob
import os
import re
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from amiproxy.access.acl import Acl, is_address, read_rules
from amiproxy.errors import ConfigError
from amiproxy.settings import typos
from amiproxy.settings.calledservers import clashes
from amiproxy.settings.config import SETTINGS, Config
from amiproxy.settings.confsyntax import Value
from amiproxy.settings.hostline import oddities, read_server
from amiproxy.settings.includes import Wanted, included_lines
from amiproxy.settings.instance import of_instance
from amiproxy.settings.listeners import check_listeners
from amiproxy.settings.listenline import read_listen
from amiproxy.settings.readers import quote
from amiproxy.settings.report import Report, check_bytes

if TYPE_CHECKING:
    from amiproxy.access.acl import Rule
    from amiproxy.settings.config import ServerSpec, Setting
    from amiproxy.settings.listenerspec import ListenLine

# In lower case; a line with another is ignored, and a warning says so.
_KEYS = frozenset({*SETTINGS, "host", "listen", "permit", "deny", "include"})

# Keys that close the proxy: a later line must not open it unnoticed.
_GUARDING = frozenset(
    {"acceptunencryptedconnection", "authrequired", "clientcafile", "proxykey", "sslverify"}
)

# Seconds between two tries to reconnect.  The C program's 0 meant thousands a second.
_SHORTEST_RETRY = 0.1


class Parsed(NamedTuple):
    """A file as it was read.

    *problems* make it unusable, *warnings* name keys nobody knows and the like; both
    are ``FILE:LINE: ...`` lines.  *config* is made of the lines without a problem.
    """

    config: Config
    problems: list[str]
    warnings: list[str]


def load_config(
    path: str | os.PathLike[str], directory: str = "", instance: str = ""
) -> tuple[Config, list[str]]:
    """Read the file *path*; return its Config, that of *instance*, and the warnings.

    Relative paths in the file start at *directory*; ``""``: they are problems.

    Raises:
        ConfigError: the file cannot be read or used; names every problem.

    """
    config, problems, warnings = examine_config(path, directory, instance)
    if problems:
        raise ConfigError(*problems)
    return config, warnings


def examine_config(path: str | os.PathLike[str], directory: str = "", instance: str = "") -> Parsed:
    """Read the file *path* as load_config does, and return its problems, too.

    The Config is made even if there are problems, so that the files it names can be
    checked as well.

    Raises:
        ConfigError: the file cannot be read.

    """
    name = os.fspath(path)
    try:
        text = Path(path).read_bytes().decode("latin-1")
    except OSError as error:
        # The C program's words, which name no reason: it is added to the rare ones.
        reason = "" if error.errno == errno.ENOENT else f" ({error.strerror})"
        if error.errno == errno.EACCES:
            reason += "; try it as root, or let this user read it"
        raise ConfigError(f"Unable to open config file: {name}!{reason}") from error
    parsed = parse_config(text, name, directory)
    return parsed._replace(config=of_instance(parsed.config, instance))


def parse_config(text: str, name: str, directory: str = "") -> Parsed:
    """Make a Config of *text*, the contents of the file *name*; raises nothing."""
    parser = _Parser(name, directory)
    for number, line in included_lines(text, parser.report, _IncludeLines()):
        parser.take(number, line)
    return parser.finish()


class _IncludeLines:
    """Finds the ``include`` lines of a file."""

    def wanted(self, line: str) -> Wanted | None:
        """Return what *line* includes; raises ValueError."""
        key, equals, raw = line.partition("=")
        if not equals or key.strip(" \t").lower() != "include":
            return None
        value = Value.of(raw, "/")
        if value.cut or value.unclosed or value.joined or not value.text:
            raise ValueError("include: write one path, in quotes if it holds a blank or a comment")
        return Wanted(value.text, glob.has_magic(value.text))

    def inner(self) -> _IncludeLines:
        """Return the finder for a file that is included here."""
        return self

    def complaint(self) -> str:
        """Return nothing: a line ends every comment."""
        return ""


class _Parser:
    """Collects the settings of one file, and what is wrong with it."""

    def __init__(self, name: str, directory: str) -> None:
        self.name = name
        self.directory = directory
        self.values: dict[str, Any] = {}
        self.where: dict[str, str] = {}
        # Each with its place, in order; a list would be slow to search.
        self.servers: dict[ServerSpec, str] = {}
        self.listen: list[ListenLine] = []
        self.rules: list[Rule] = []
        self.rule_places: list[str] = []
        self.ruled = 0  # the last line with a rule
        self.report = Report(name)

    def take(self, number: int, line: str) -> None:
        """Read one line of the file."""
        key, equals, raw = line.partition("=")
        key = key.strip(" \t").lower()
        if not equals or key not in _KEYS:
            check_bytes(number, line, self.report)
        if not line.strip(" \t\r") or line.lstrip(" \t")[0] in ";#":
            return
        if not (equals and key in _KEYS) and (meant := _meant(key)):
            self.report.error(number, f'{meant}: write "{meant} = value", with nothing between')
        elif not equals or ";" in key or "#" in key:
            self.report.warn(number, 'not "key = value", ignored')
        elif key not in _KEYS:
            self._report_unknown(number, key)
        else:
            try:
                self._set(key, Value.of(raw, self.directory), number)
            except ValueError as error:
                self.report.error(number, f"{key}: {error}")

    def _report_unknown(self, number: int, key: str) -> None:
        if key == "acl":
            # It would close something.
            self.report.error(
                number, "acl: write this line in [general] of astmanproxy.users; aclfile is here"
            )
            return
        similar = typos.meant(key, _KEYS)
        if similar:
            self.report.error(number, f"unknown key {_shown(key)}; is {similar} meant?")
        else:
            self.report.warn(number, f"unknown key {_shown(key)}, ignored")  # spec section 3

    def _set(self, key: str, value: Value, number: int) -> None:
        setting = SETTINGS.get(key)
        if value.cut and (setting is None or setting.free):
            what = "secret" if key == "host" else "value"
            raise ValueError(
                f"a comment cuts the value: put a blank before it, or the {what} in quotes"
            )
        if value.unclosed and setting is not None:
            self.report.warn(number, f"{key}: a quote is open at the end of the line; close it")
        if setting is not None:
            found = setting.read(value)
            self._check_blanks(key, setting, value, number)
            if value.altered and setting.small:
                self.report.warn(
                    number,
                    f"{key}: capitals and blanks count in quotes only; put the value in quotes, or"
                    " leave them out",
                )
            if key in _GUARDING and self.values.get(setting.field, found) != found:
                self.report.warn(number, f"{key}: is here twice, this line counts")
            if key == "acceptunencryptedconnection" and found and value.text.lower() != "yes":
                self.report.warn(number, f"{key}: yes here, no in the C program; write yes or no")
            self.values[setting.field] = found
            self.where[setting.field] = self.report.place(number)
        else:
            self._add(key, value, number)

    def _add(self, key: str, value: Value, number: int) -> None:
        """Take a line of a key whose lines add up."""
        if key == "host":
            server = read_server(value)
            if server in self.servers:
                # The C program connected twice and sent every event twice.
                self.report.warn(number, "host: this server is named twice, ignored")
            self.servers.setdefault(server, self.report.place(number))
            for text in oddities(value):
                self.report.warn(number, f"host: {text}")
            return
        self._check_blanks(key, None, value, number)
        if key == "listen":
            self.listen.append(read_listen(value, self.report.place(number)))
        else:
            found = read_rules(key, value.text.lower())
            self.rules += found
            self.rule_places += [self.report.place(number)] * len(found)
            self.ruled = number

    def _check_blanks(self, key: str, setting: Setting | None, value: Value, number: int) -> None:
        """Report a value of several words, of which the C program made one."""
        if not value.joined or (setting is not None and (setting.small or setting.blank)):
            return
        read = f"without its blanks this is {quote(value.text)}"
        if setting is not None and setting.free:
            self.report.warn(number, f"{key}: {read}; put the value in quotes")
        else:
            raise ValueError(f"{read}; write it so, or correct it")

    def finish(self) -> Parsed:
        """Return the Config, what is wrong, and the warnings."""
        config = Config(
            servers=tuple(self.servers),
            server_places=tuple(self.servers.values()),
            acl=Acl(tuple(self.rules)),
            acl_places=tuple(self.rule_places),
            listen=tuple(self.listen),
            where=MappingProxyType(self.where),
            file=self.name,
            files=tuple(self.report.files),
            **self.values,
        )
        problems, warnings = _check(config)
        weakness = config.acl.weakness()
        # Where we listen on an address of one family, nobody comes by the other.
        if weakness and not ("IPv4" not in weakness and _is_ipv4(config.listen_address)):
            self.report.warn(self.ruled, f"permit, deny: {weakness}")
        if config.proxy_protocol is not None and config.proxy_protocol.covers_everything:
            warnings.append(
                f"{config.place('proxy_protocol')}proxyprotocol: who connects may say that it comes"
                " from any address; name the addresses of the load balancers alone"
            )
        if config.retry_interval < _SHORTEST_RETRY:
            warnings.append(
                f"{config.place('retry_interval')}retryinterval: raised to {_SHORTEST_RETRY:g} s"
            )
            config = replace(config, retry_interval=_SHORTEST_RETRY)
        return Parsed(
            config, [*self.report.problems, *problems], [*self.report.warnings, *warnings]
        )


def _check(config: Config) -> tuple[list[str], list[str]]:
    """Return the problems and warnings of settings that are wrong only together."""
    problems = list(clashes(config))
    warnings: list[str] = []
    if not config.accept_unencrypted:
        place = config.place("accept_unencrypted")
        if not config.accept_encrypted:
            problems.append(
                f"{place}nobody could connect: acceptencryptedconnection or"
                " acceptunencryptedconnection must be yes"
            )
        elif not config.certfile:
            problems.append(f"{place}nobody could connect: encrypted connections need a certfile")
    elif config.accept_encrypted and not config.certfile:
        warnings.append(
            f"{config.place('accept_encrypted')}acceptencryptedconnection: no certfile"
            " is set, so encrypted connections will be refused"
        )
    problems += _idle_authorities(config)
    of_lines, advice = check_listeners(config)
    problems += of_lines
    warnings += advice
    if config.ssl_verify and config.servers and not any(one.tls for one in config.servers):
        warnings.append(
            f"{config.place('ssl_verify')}sslverify: no host line says use_ssl = on, so nothing is"
            " checked"
        )
    if not config.server_header and len(config.servers) > 1:
        warnings.append(
            f"{config.place('server_header')}serverheader: without it clients cannot tell which of"
            f" the {len(config.servers)} servers a message is from; leave it out only with one"
        )
    return problems, warnings


def _idle_authorities(config: Config) -> list[str]:
    """Return the problems of files of authorities that would check nobody."""
    problems: list[str] = []
    place = config.place("client_ca_file")
    if config.client_ca_file and not config.certfile:
        problems.append(f"{place}clientcafile: needs a certfile")
    if config.client_ca_file and config.accept_unencrypted:
        problems.append(
            f"{place}clientcafile: who connects without TLS needs no certificate; set"
            " acceptunencryptedconnection = no"
        )
    if config.ssl_ca_file and not config.ssl_verify:
        problems.append(
            f"{config.place('ssl_ca_file')}sslcafile: no certificate is checked without"
            " sslverify = yes"
        )
    return problems


def _meant(text: str) -> str:
    """Return the key that *text*, what stands before an ``=``, begins with or is meant to be.

    As in ``authrequired yes``, ``authrequired: yes``, ``auth required = yes``.
    """
    words = re.findall("[a-z0-9_]+", text.partition(";")[0].partition("#")[0])
    return next((word for word in (*words[:1], "".join(words)) if word in _KEYS), "")


def _is_ipv4(address: str) -> bool:
    return "." in address and is_address(address)


def _shown(key: str) -> str:
    """Return *key* for a message, unless it may be a piece of a torn host line."""
    return key if re.fullmatch("[a-z0-9_]{1,40}", key) else "(not shown)"
