# SPDX-License-Identifier: GPL-2.0-or-later
"""``--test``: whether the proxy would start, what would run, and what each user may do.

Everything is tried that a start does, as far as nothing is made or changed by it, and a proxy
that runs is not disturbed.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TYPE_CHECKING

from amiproxy.access.user import Users
from amiproxy.errors import ConfigError
from amiproxy.patterns import engine
from amiproxy.process.exposure import wrong_rights
from amiproxy.process.identity import identity
from amiproxy.process.logplace import log_of_the_unit
from amiproxy.process.options import current_directory
from amiproxy.process.pidfile import check_pidfile
from amiproxy.process.process import say
from amiproxy.settings.advice import advice
from amiproxy.settings.conffile import examine_config
from amiproxy.settings.config import Config
from amiproxy.settings.describe import describe_listener, describe_servers, describe_users
from amiproxy.settings.files import find_users, read_formats
from amiproxy.settings.listeners import listeners
from amiproxy.threads.actions.proxyactions import FOR_EVERYBODY, PRIVILEGED
from amiproxy.threads.control.socketfile import try_control
from amiproxy.threads.logopening import try_log
from amiproxy.threads.net.certificates import dated
from amiproxy.threads.net.listening import try_listener
from amiproxy.threads.net.resolving import unresolved
from amiproxy.threads.net.tls import client_context, server_context
from amiproxy.threads.net.unixlistening import try_unix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amiproxy.process.identity import Identity
    from amiproxy.process.options import Options


def main(options: Options) -> int:
    """Print every problem and warning; where it would start, what would run, and "ok"."""
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    check = _Check(options)
    check.run()
    say([*check.warnings, *check.problems])
    found = [_counted(check.problems, "problem"), _counted(check.warnings, "warning")]
    counts = ", ".join(filter(None, found))
    if check.problems:
        say([f"not ok: the proxy would not start: {counts}"])
        return 1
    say([*check.summary(), f"ok, {counts}" if counts else "ok"])
    return 0


def _counted(lines: Sequence[str], what: str) -> str:
    """Return how many *lines* there are, in words; ``""`` for none."""
    many = len(lines)
    return f"{many} {what}{'s' if many > 1 else ''}" if many else ""


class _Check:
    """What is found out about the files that *options* name."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._config = Config()
        self._who: Identity | None = None
        self._users: Users | None = None
        self._broken = True  # lines of the configuration are missing in _config
        self.problems: list[str] = []
        self.warnings: list[str] = []

    def run(self) -> None:
        """Try everything; one problem does not hide another."""
        options = self._options
        with self._noted():
            self._config, problems, warnings = examine_config(
                options.config, current_directory(), options.instance
            )
            self._broken = bool(problems)
            self.problems += problems
            self.warnings += warnings
            self._try_all()
        config = self._config
        users = Users()
        with self._noted():
            self._users, warnings = find_users(
                options.users, config, required=options.users_given or config.needs_users
            )
            self.warnings += warnings
            users = self._users
            if not self._broken:
                self.warnings += advice(config, users)
        if config.file:
            self._warn(*wrong_rights(self._who, options, config, users.files, users.public_files))

    def _try_all(self) -> None:
        """Try what the configuration says."""
        config, options = self._config, self._options
        with self._noted():
            self._who = who = identity(config)
            with self._noted():
                try_log(config, who)
                self._warn(log_of_the_unit(config, who))
            with self._noted():
                try_control(config, who)
            self._warn(check_pidfile(config, options, who))
        for read in (client_context, server_context, read_formats):
            with self._noted():
                read(config)
        self._try_listeners()
        self._warn(*dated(config), *unresolved(config))

    def _try_listeners(self) -> None:
        """Try each listener; that of a Unix socket needs to know who would make it."""
        for spec in listeners(self._config):
            with self._noted():
                if not spec.path:
                    self._warn(try_listener(spec))
                elif self._who is not None:
                    self._warn(try_unix(spec, self._who))

    @contextlib.contextmanager
    def _noted(self) -> Iterator[None]:
        """Add what a ConfigError says to the problems, and go on."""
        try:
            yield
        except ConfigError as error:
            self.problems += error.problems

    def _warn(self, *lines: str) -> None:
        self.warnings += filter(None, lines)

    def summary(self) -> Sequence[str]:
        """Return what would run, and what each user may do, without secrets."""
        assert self._who is not None
        assert self._users is not None
        config = self._config
        return (
            engine.describe(),
            f"runs as user {self._who.name}, log {config.logfile}",
            *(describe_listener(spec, every=bool(config.listen)) for spec in listeners(config)),
            *describe_servers(config),
            *describe_users(
                self._users, config, privileged=PRIVILEGED, for_everybody=FOR_EVERYBODY
            ),
        )
