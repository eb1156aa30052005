# SPDX-License-Identifier: GPL-2.0-or-later
"""Rereading: what a reload does, whoever asks for it.

It runs in the thread ``sighup`` (reloading.py): files may hang.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from amiproxy.errors import ConfigError
from amiproxy.logs.levels import Levels
from amiproxy.process.logplace import no_new_log
from amiproxy.settings.advice import advice
from amiproxy.settings.conffile import load_config
from amiproxy.settings.config import reloaded
from amiproxy.settings.files import read_again
from amiproxy.settings.reloadreport import (
    ReloadReport,
    changes,
    listener_changes,
    user_changes,
)
from amiproxy.threads.net.certificates import dated
from amiproxy.threads.net.tls import client_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from amiproxy.access.user import Users
    from amiproxy.process.options import Options
    from amiproxy.settings.config import Config
    from amiproxy.threads.log import Log
    from amiproxy.threads.proxy import Proxy

log = logging.getLogger("amiproxy.reloading")


class Rereading:
    """One reload of *proxy*: of the files that *options* name, and of *logfile*.

    Each line is logged when it is known, behind *because*, which says who wanted it: a file that
    is read later may hang.
    """

    def __init__(self, options: Options, directory: str, because: str) -> None:
        """*directory* is where relative paths in the files start."""
        self._options = options
        self._directory = directory
        self._because = because
        self._read: list[str] = []
        self._changed: list[str] = []
        self._warnings: list[str] = []
        self._problems: list[str] = []
        self._waiting: tuple[str, ...] = ()

    def run(self, logfile: Log, proxy: Proxy) -> ReloadReport:
        """Reopen the log; read users, configuration and certificate again.

        What cannot be read is a problem, and what was read before stays in force.
        """
        context = proxy.context
        self._reopen(logfile, context.config.log_path)
        config, users, tls = context.config, context.users, context.tls
        with self._kept("the configuration stays as it was"):
            options = self._options
            new, warnings = load_config(options.config, self._directory, options.instance)
            config, waiting = reloaded(config, new)
            self._waiting = tuple(waiting)
            warnings += [
                f"{key}: takes effect at the next start, as by astmanproxy --control restart"
                for key in waiting
            ]
            self._note(self._warnings, *warnings, level=logging.WARNING)
            self._note(self._read, "reread configuration")
        with self._kept("the users stay as they were"):
            users, warnings = read_again(self._options.users, config)
            self._note(self._warnings, *warnings, level=logging.WARNING)
            self._note(self._read, "reread permissions")
        with self._kept("the certificate stays as it was"):
            tls = client_context(config)
            if tls is not None:
                self._note(self._read, "reread certificate")
        known = [*advice(config, users), *dated(config)]
        self._note(self._warnings, *known, level=logging.WARNING)
        logfile.set_levels(Levels.of(config.log_level))
        self._take_over(proxy, config, users, tls)
        return ReloadReport(
            tuple(self._read),
            tuple(self._changed),
            tuple(self._warnings),
            tuple(self._problems),
            self._waiting,
        )

    def _take_over(
        self, proxy: Proxy, config: Config, users: Users, tls: ssl.SSLContext | None
    ) -> None:
        """Have *proxy* use these, and note what it does otherwise since."""
        context = proxy.context
        self._changed += [*changes(context.config, config), *user_changes(context.users, users)]
        of_lines = context.config.listen != config.listen
        listening = context.listening()
        problems = proxy.reload(config, users, tls)
        self._changed += listener_changes(listening, context.listening(), of_lines=of_lines)
        if self._changed:
            self._note([], f"changed: {', '.join(self._changed)}")
        self._note(self._problems, *problems, level=logging.ERROR)

    def _reopen(self, logfile: Log, path: str) -> None:
        """Open the log again by its name, *path*, "" where it is no file."""
        try:
            logfile.reopen()
        except OSError as error:
            self._note(self._problems, no_new_log(path, error), level=logging.ERROR)
        else:
            self._note(self._read, *(["reopened log"] if path else []))

    @contextlib.contextmanager
    def _kept(self, text: str) -> Iterator[None]:
        """Note the problems of a ConfigError, and *text*, which says what stays in force."""
        try:
            yield
        except ConfigError as error:
            self._note(self._problems, *error.problems, text, level=logging.ERROR)

    def _note(self, notes: list[str], *lines: str, level: int = logging.INFO) -> None:
        """Add *lines* to *notes*, and log them."""
        notes += lines
        for line in lines:
            log.log(level, "%s -- %s", self._because, line)
