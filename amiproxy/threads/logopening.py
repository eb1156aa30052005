# SPDX-License-Identifier: GPL-2.0-or-later
"""Opening the log, where the configuration says it goes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from amiproxy.errors import ConfigError
from amiproxy.logs import targets
from amiproxy.logs.forms import Form, JournalForm, JsonForm, PrefixedForm, SyslogForm, TextForm
from amiproxy.logs.levels import Levels
from amiproxy.process.logplace import check_log, log_chosen_by, no_log
from amiproxy.process.options import Options
from amiproxy.threads.log import Copy, Log, install_root_handler, is_own
from amiproxy.threads.logsinks import (
    JOURNAL_SOCKET,
    SYSLOG_SOCKET,
    FileSink,
    Sink,
    SocketSink,
    StreamSink,
    is_journal,
)

if TYPE_CHECKING:
    from amiproxy.process.identity import Identity
    from amiproxy.settings.config import Config

_STDOUT, _STDERR = 1, 2

#: Seconds for which the file may wait for a journal that takes nothing.
_PATIENCE = 1.0


def open_log(config: Config, options: Options, who: Identity) -> Log:
    """Open the log for *who*, and let everything be logged there.

    Raises:
        ConfigError: it cannot be opened.

    """
    sink, form = _sink(config, options, who), _form(config)
    levels, copies = Levels.of(config.log_level), []
    debug = TextForm(origin=options.debug > 1)
    if options.debug and sink.fileno() == _STDOUT:
        levels, form = Levels.of("debug"), debug
    elif options.debug:
        copies.append(Copy(StreamSink(_STDOUT), debug, lambda _: True))
    elif options.foreground and config.log_path and _goes_to_journal(_STDERR):
        # A supervisor's journal tells how the service is, whoever reads the file.
        copies.append(Copy(StreamSink(_STDERR, _PATIENCE), PrefixedForm(), is_own))
    log = Log(sink, form, copies, levels=levels)
    install_root_handler(log)
    return log


def try_log(config: Config, who: Identity) -> None:
    """Find out whether the log of *who* can be opened; makes and changes nothing.

    Raises:
        ConfigError: it cannot.

    """
    if config.log_path:
        check_log(config, who)
    elif config.logfile not in targets.STREAMS:
        _sink(config, Options(), who).close(0.0)


def _sink(config: Config, options: Options, who: Identity) -> Sink:
    """Open where the log goes.

    Raises:
        ConfigError: it cannot be opened.

    """
    target = config.logfile
    place = config.place("logfile")
    if target in targets.STREAMS and not options.foreground:
        raise ConfigError(
            f"{place}logfile: a daemon has no {target}: start it with -f, or name a file, journal"
            " or syslog"
        )
    try:
        if target in targets.STREAMS:
            return StreamSink(targets.STREAMS[target])
        if target == targets.JOURNAL:
            return SocketSink(JOURNAL_SOCKET)
        if target == targets.SYSLOG:
            return SocketSink(SYSLOG_SOCKET)
        return FileSink(target, who.open_to_append(target, log_chosen_by(config)))
    except OSError as error:
        if config.log_path:
            raise no_log(config, who, error) from error
        raise ConfigError(
            f"{place}Unable to open logfile: {target}! ({_reason(target, error)})"
        ) from error


def _reason(target: str, error: OSError) -> str:
    """Return why *target* cannot be opened."""
    socket = {targets.JOURNAL: JOURNAL_SOCKET, targets.SYSLOG: SYSLOG_SOCKET}.get(target)
    where = f"nobody takes entries at {socket}: " if socket else ""
    return f"{where}{error.strerror}"


def _form(config: Config) -> Form:
    """Return how the log is written."""
    as_json = config.log_format == "json"
    if config.logfile == targets.JOURNAL:
        return JournalForm()
    if config.logfile == targets.SYSLOG:
        return SyslogForm(as_json=as_json)
    if as_json:
        return JsonForm()
    fd = targets.STREAMS.get(config.logfile)
    return PrefixedForm() if fd is not None and _goes_to_journal(fd) else TextForm()


def _goes_to_journal(fd: int) -> bool:
    return is_journal(fd, os.environ.get("JOURNAL_STREAM", ""))
