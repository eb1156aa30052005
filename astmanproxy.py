# SPDX-License-Identifier: GPL-2.0-or-later
"""astmanproxy: the program.

Reads the command line and the files, does everything that can fail while there still is
a terminal to complain on, gives up root and the terminal, starts one Proxy and waits for
signals.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401 - for names, while it can still be read
import functools
import gc
import getopt
import importlib
import logging
import os
import signal
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable

from amiproxy.errors import ConfigError, PassingError
from amiproxy.process import daemonize
from amiproxy.process.again import Start
from amiproxy.process.exposure import wrong_rights
from amiproxy.process.identity import identity
from amiproxy.process.options import (
    COMMANDS,
    VERSION,
    Options,
    current_directory,
    parse_options,
    usage,
)
from amiproxy.process.pidfile import prepared_pidfile
from amiproxy.process.process import (
    allow_core_dumps,
    block_signals,
    is_to_stop,
    raise_file_limit,
    reopen_closed_stdio,
    say,
    set_process_name,
    wait_for_signal,
)
from amiproxy.settings.advice import advice
from amiproxy.settings.conffile import load_config
from amiproxy.settings.files import find_users, read_formats
from amiproxy.threads.control.server import ControlServer
from amiproxy.threads.control.socketfile import SocketFile, prepared_control
from amiproxy.threads.log import SAID, Log, announce
from amiproxy.threads.logopening import open_log
from amiproxy.threads.net.certificates import dated
from amiproxy.threads.net.door import GIVEN
from amiproxy.threads.net.endless import EX_SOFTWARE, endless, reasons
from amiproxy.threads.net.inherited import hand_on, open_doors
from amiproxy.threads.net.listening import PATIENCE
from amiproxy.threads.net.tls import client_context, server_context
from amiproxy.threads.program import Program
from amiproxy.threads.proxy import Proxy, import_parts
from amiproxy.threads.reloading import Reloader
from amiproxy.threads.rereading import Rereading
from amiproxy.threads.supervisor import EX_CONFIG, Supervisor, notify_socket

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from amiproxy.access.user import Users
    from amiproxy.formats import Format
    from amiproxy.process.identity import Identity
    from amiproxy.process.pidfile import PidFile
    from amiproxy.settings.config import Config
    from amiproxy.settings.reloadreport import ReloadReport
    from amiproxy.threads.net.door import Door

log = logging.getLogger("astmanproxy")

#: How long the end may take after all threads have been told, with what is written, in seconds.
LAST_WORDS = 6.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit status."""
    reopen_closed_stdio()
    try:
        options = parse_options(sys.argv[1:] if arguments is None else arguments)
    except getopt.GetoptError as error:
        print(f"astmanproxy: {error}", file=sys.stderr)
        say([usage()])
        return EX_CONFIG if notify_socket() else 1
    if options.command == "help":
        say([usage()])
        return 0
    if options.command == "version":
        say([VERSION])
        return 0
    if options.command:
        status: int = importlib.import_module(COMMANDS[options.command]).main(options)
        return status
    return run(options)


# -- from here to the daemon ------------------------------------------------------------


@dataclass(frozen=True)
class Prepared:
    """Everything the daemon needs, checked and opened."""

    options: Options
    config: Config
    users: Users
    formats: dict[str, Format]
    who: Identity
    log: Log
    pidfile: PidFile | None
    doors: list[Door]  # where clients are accepted
    control: SocketFile | None
    tls: ssl.SSLContext | None
    start: Start
    supervisor: Supervisor

    @property
    def files(self) -> list[object]:
        """What becoming a daemon must not close."""
        control = () if self.control is None else (self.control,)
        pidfile = [self.pidfile] if self.pidfile is not None and self.pidfile.is_kept else []
        return [*self.doors, self.log, *control, *pidfile, *self.supervisor.files]


def run(options: Options) -> int:
    """Run the proxy, or start it as a daemon; return the exit status."""
    start = Start.of_process(current_directory())
    supervisor = Supervisor(notify_socket() if options.foreground else "")
    try:
        prepared = prepare(options, start, supervisor)
        if not (options.foreground or start.again):
            return daemonize.detach(functools.partial(serve, prepared), prepared.log.close)
        with contextlib.closing(prepared.log):
            status = serve(prepared, supervisor.ready)
        exit_if_threads_hang(status)
        return status
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return supervisor.failed(error)


def prepare(options: Options, start: Start, supervisor: Supervisor) -> Prepared:
    """Do everything that can fail; paths in the files start where the process was *start*ed.

    Raises:
        ConfigError: something failed; if the log could be opened, it says so as well.

    """
    config, users, tls, warnings = read_files(options, start)
    who = identity(config)
    logfile = open_log(config, options, who)
    doors: list[Door] = []
    try:
        warnings += [*wrong_rights(who, options, config, users.files, users.public_files)]
        warnings += [*advice(config, users), *dated(config), *left_out(start, config, who)]
        for warning in warnings:
            log.warning("%s", warning)
        formats = read_formats(config)
        import_parts(config, formats)
        pidfile = prepared_pidfile(config, options, who, start.pidfile)
        doors, more = open_doors(config, who, functools.partial(announce_wait, supervisor))
        for warning in more:
            announce(warning)
        control = prepared_control(config, pidfile.path if pidfile else "", who)
    except ConfigError as error:
        for problem in error.problems:
            log.error("%s", problem, extra=SAID)
        for door in doors:
            door.close()
        logfile.start()
        logfile.close()
        raise
    for warning in [] if logfile.is_on_stderr else warnings:
        print(warning, file=sys.stderr)
    return Prepared(
        options, config, users, formats, who, logfile, pidfile, doors, control, tls, start,
        supervisor,
    )  # fmt: skip


def read_files(
    options: Options, start: Start
) -> tuple[Config, Users, ssl.SSLContext | None, list[str]]:
    """Return what the files say, with warnings.

    Raises:
        ConfigError: one of them cannot be read, or is wrong.

    """
    config, warnings = load_config(options.config, start.directory, options.instance)
    required = options.users_given or config.needs_users
    users, more = find_users(options.users, config, required=required)
    tls = client_context(config)
    server_context(config)  # sslcafile is checked now, not at the first connect
    return config, users, tls, [*warnings, *more]


def left_out(start: Start, config: Config, who: Identity) -> list[str]:
    """Return a warning where a process that has started anew cannot become proc_user."""
    if not start.again or config.proc_user in ("", who.name):
        return []
    user, place = config.proc_user, config.place("proc_user")
    return [f"{place}the proxy is {who.name} until it is stopped, and started by root as {user}"]


def announce_wait(supervisor: Supervisor, text: str) -> None:
    """Say everywhere that the start waits, and what for."""
    announce(text)
    supervisor.waiting(PATIENCE, text)


def serve(prepared: Prepared, ready: Callable[[], None], keep: Sequence[int] = ()) -> int:
    """Become the daemon, run the proxy until a signal ends it; return the status.

    Calls *ready* when clients can connect; keeps the descriptors *keep* open.
    """
    set_process_name()
    raise_file_limit()
    # Before any thread is started, so that only wait_for_end gets them.
    block_signals()
    options = prepared.options
    with daemonize.become(
        prepared.who,
        foreground=options.foreground,
        detach=not (options.foreground or prepared.start.again),
        core=options.core,
        pidfile=prepared.pidfile,
        keep=[*prepared.files, *keep],
    ):
        prepared.who.check()
        if options.core:
            allow_core_dumps()
        proxy, reloader, program, control = started(prepared)
        gc.collect()
        gc.freeze()  # what exists now stays for good: no collection looks at it again
        ready()
        wait_for_end(reloader)
        again = program.is_restarting and not reasons
        if again:
            prepared.supervisor.restarting()
        else:
            prepared.supervisor.stopping(proxy.stop_time + LAST_WORDS)
        proxy.stop(keep_sockets=again)
        control.stop()
        if again and not is_to_stop():
            start_anew(prepared, proxy.doors)
        log.info("Proxy stopped; shutting down.")
    return EX_SOFTWARE if reasons else 0


def started(prepared: Prepared) -> tuple[Proxy, Reloader, Program, ControlServer]:
    """Start all threads; return what main has to do with.

    Raises:
        PassingError: there is no thread or no descriptor left.

    """
    proxy = Proxy(
        prepared.config,
        prepared.users,
        prepared.formats,
        prepared.doors,
        prepared.tls,
        prepared.supervisor,
    )
    reloader = Reloader(lambda because: reread(prepared, proxy, because), prepared.supervisor)
    program = Program(reloader, proxy.context, prepared.log, prepared.start)
    proxy.context.program = program
    control = ControlServer(proxy.context, prepared.control)
    try:
        prepared.log.start()
        reloader.start()
        proxy.start(waits=clients_may_wait(prepared))
        control.start()
    except (RuntimeError, MemoryError, OSError) as error:  # no thread, no descriptor
        raise PassingError(f"The proxy cannot start: {error}") from error
    return proxy, reloader, program, control


def clients_may_wait(prepared: Prepared) -> bool:
    """Return whether clients may have connected before the proxy started."""
    return prepared.start.again or any(door.name == GIVEN for door in prepared.doors)


def start_anew(prepared: Prepared, doors: Sequence[Door]) -> None:
    """Become the program anew, which goes on accepting clients at *doors*.  Does not return.

    Raises:
        ConfigError: there is no such program any more.

    """
    try:
        read_files(prepared.options, prepared.start)
    except ConfigError as error:
        # They have changed since they were checked; what begins now may have no log to say it.
        for problem in error.problems:
            log.error("cannot restart -- %s", problem)
    log.info("Proxy stopped; starting anew.")
    prepared.log.close()
    environment: dict[str, str] = {}
    pidfile = -1 if prepared.pidfile is None else prepared.pidfile.hand_on()
    hand_on(doors, environment)
    try:
        prepared.start.again_with(environment, pidfile)
    except OSError as error:
        raise ConfigError(f"The proxy cannot start anew: {error}") from error


def wait_for_end(reloader: Reloader) -> None:
    """Have SIGHUPs carried out until a signal comes that ends the process."""

    def wait() -> bool:
        is_hup = wait_for_signal() == signal.SIGHUP
        if is_hup:
            reloader.ask()
        return is_hup

    endless("main", wait)


def reread(prepared: Prepared, proxy: Proxy, because: str) -> ReloadReport:
    """Do what SIGHUP does; *because* says in the log who wants it."""
    rereading = Rereading(prepared.options, prepared.start.directory, because)
    return rereading.run(prepared.log, proxy)


def exit_if_threads_hang(status: int) -> None:
    """Exit at once if a thread is stuck: the interpreter would wait for it."""
    others = [one for one in threading.enumerate() if one is not threading.main_thread()]
    if any(not one.daemon for one in others):
        sys.stdout.flush()
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
