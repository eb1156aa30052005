# SPDX-License-Identifier: GPL-2.0-or-later
"""astmanproxy: the program.

Reads the command line and the files, does all that can fail while somebody still
looks on, lets go of root and of the terminal, starts one Proxy and waits for signals.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401 - names are looked up with it, when it may be out of reach
import gc
import getopt
import getpass
import logging
import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Callable

import daemon

from amiproxy.access.hashes import hash_secret as bcrypt_of
from amiproxy.errors import ConfigError
from amiproxy.process.identity import identity
from amiproxy.process.options import USAGE, VERSION, Options, parse_options
from amiproxy.process.pidfile import PidFile
from amiproxy.process.process import allow_core_dumps, fill_streams, raise_file_limit, take_name
from amiproxy.settings.config import Config, examine_config, load_config, reloaded
from amiproxy.settings.files import find_users, read_formats, unreadable
from amiproxy.settings.usersfile import describe_users, load_users
from amiproxy.threads.log import Log, install_root_handler
from amiproxy.threads.net.listening import bind_listener
from amiproxy.threads.net.tls import client_context, server_context
from amiproxy.threads.proxy import Proxy

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Sequence

    from amiproxy.access.user import Users
    from amiproxy.formats import Format
    from amiproxy.process.identity import Identity

log = logging.getLogger("astmanproxy")

# What the main thread waits for; blocked everywhere else.
SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit status."""
    fill_streams()
    try:
        options = parse_options(sys.argv[1:] if arguments is None else arguments)
    except getopt.GetoptError as error:
        print(f"astmanproxy: {error}", file=sys.stderr)
        print(USAGE)
        return 1
    if options.command == "help":
        print(USAGE)
        return 0
    if options.command == "version":
        print(VERSION)
        return 0
    if options.command == "hash-secret":
        return hash_secret()
    if options.command == "test":
        return check(options)
    return run(options)


def hash_secret() -> int:
    """Read a secret, without echo where there is a terminal, and print its bcrypt hash."""
    try:
        if sys.stdin.isatty():
            secret = getpass.getpass("Secret: ")
            if getpass.getpass("Again: ") != secret:
                print("The two are not the same", file=sys.stderr)
                return 1
        else:
            secret = sys.stdin.readline().rstrip("\r\n")
    except (EOFError, KeyboardInterrupt):
        return 1
    data = secret.encode(errors="surrogateescape")
    if not data or len(data) > 72 or b"\0" in data:
        print("A secret has 1 to 72 bytes: bcrypt ignores what follows", file=sys.stderr)
        return 1
    print(bcrypt_of(data.decode("latin-1")))  # bytes are characters, as everywhere
    return 0


def check(options: Options) -> int:
    """Print every problem of the files, then what each user may do (-t)."""
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    config, users = Config(), None
    checks: list[Callable[[Config], object]] = [
        identity,
        client_context,
        server_context,
        read_formats,
    ]
    try:
        config, problems, warnings = examine_config(options.config)
    except ConfigError as error:
        warnings, checks, problems = [], [], [*error.problems]
    try:
        users, more = find_users(options, config)
        warnings += more
    except ConfigError as error:
        problems += error.problems
    for one in checks:
        try:
            one(config)
        except ConfigError as error:
            problems += error.problems
    for line in [*warnings, *problems]:
        print(line)
    if problems or users is None:
        return 1
    for line in describe_users(users, guarded=config.auth_required or bool(config.proxy_key)):
        print(line)
    return 0


# -- from here to the daemon ------------------------------------------------------------


@dataclass
class Prepared:
    """Everything the daemon needs, checked and opened."""

    options: Options
    config: Config
    users: Users
    formats: dict[str, Format]
    who: Identity
    log: Log
    pidfile: PidFile | None
    listener: socket.socket
    tls: ssl.SSLContext | None
    directory: str  # where relative paths of the files start


def run(options: Options) -> int:
    """Run the proxy, or start it as a daemon; return the exit status."""
    try:
        prepared = prepare(options)
        if not options.foreground:
            return detach(prepared)
        with contextlib.closing(prepared.log):
            status = serve(prepared, lambda: None)
        end_for_sure(status)
        return status
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return 1


def prepare(options: Options) -> Prepared:
    """Do all that can fail; raises ConfigError."""
    directory = str(Path.cwd())
    config, warnings = load_config(options.config, directory)
    users, more = find_users(options, config)
    who = identity(config)
    tls = client_context(config)
    server_context(config)  # sslcafile is looked at now, not at the first connect
    logfile = open_log(config, options, who)
    try:
        warnings += [*more, *unreadable(options, config, who)]
        for warning in warnings:
            log.warning("%s", warning)
        formats = read_formats(config)
        pidfile = None
        if options.pidfile or not options.foreground or "pidfile" in config.where:
            pidfile = PidFile(options.pidfile or config.pidfile)
            pidfile.prepare(who)
        listener = bind_listener(config)
    except ConfigError as error:
        for problem in error.problems:
            log.error("%s", problem)
        logfile.start()
        logfile.close()
        raise
    for warning in warnings:
        print(warning, file=sys.stderr)
    return Prepared(
        options, config, users, formats, who, logfile, pidfile, listener, tls, directory
    )


def open_log(config: Config, options: Options, who: Identity) -> Log:
    """Open the log, make it over to *who*, and let everything be logged there."""
    place = f"{config.place('logfile')}Unable to open logfile: {config.logfile}!"
    try:
        logfile = Log(config.logfile, options.debug)
        if who.switch:
            logfile.chown(who.uid, who.gid)
    except OSError as error:
        raise ConfigError(f"{place} ({error.strerror})") from error
    install_root_handler(logfile, options.debug)
    return logfile


def detach(prepared: Prepared) -> int:
    """Start the daemon and wait until it serves; return 0 once it does, else 1."""
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            answer = pipe.read().decode(errors="replace")
        if answer == "ready":
            return 0
        print(answer or "The daemon ended while it started; see its log", file=sys.stderr)
        return 1
    os.close(reading)

    def tell(text: str) -> None:
        # Whoever started us may have left.
        with contextlib.suppress(OSError):
            os.write(writing, text.encode())
            os.close(writing)

    status = 1
    try:
        status = serve(prepared, lambda: tell("ready"), keep=[writing])
    except ConfigError as error:
        tell(str(error))
    except Exception as error:
        log.exception("bug in the proxy")
        tell(f"{type(error).__name__}: {error}")
    finally:
        prepared.log.close()
        os._exit(status)


def serve(prepared: Prepared, ready: Callable[[], None], keep: Sequence[int] = ()) -> int:
    """Become the daemon, run the proxy until a signal ends it, and return 0.

    Calls *ready* when clients can connect; keeps the descriptors *keep* open.
    """
    take_name()
    raise_file_limit()
    # Blocked here, so in every thread to come: only sigwait() below gets them.  A
    # handler is needed all the same, for who was started with them ignored (nohup).
    for number in SIGNALS:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    foreground = prepared.options.foreground
    who = prepared.who
    context = daemon.DaemonContext(
        detach_process=not foreground,
        uid=who.uid,
        gid=who.gid,
        initgroups=who.switch,
        umask=0o022,
        pidfile=prepared.pidfile,
        prevent_core=not prepared.options.core,
        files_preserve=[prepared.listener, prepared.log, *keep],
        signal_map={signal.SIGPIPE: None, signal.SIGTTIN: None, signal.SIGTTOU: None},
        stdin=sys.stdin if foreground else None,
        stdout=sys.stdout if foreground else None,
        stderr=sys.stderr if foreground else None,
    )
    try:
        if who.switch:
            os.setgid(who.gid)  # DaemonContext sets the further groups, but not this one
        context.open()
    except (OSError, daemon.daemon.DaemonError) as error:
        raise ConfigError(f"Cannot become user {who.name}: {error}") from error
    with context:
        who.check()
        if prepared.options.core:
            allow_core_dumps()
        prepared.log.start()
        proxy = Proxy(
            prepared.config, prepared.users, prepared.formats, prepared.listener, prepared.tls
        )
        proxy.start()
        # What is here now stays: no collection needs to look at it again.
        gc.collect()
        gc.freeze()
        ready()
        wait_for_end(prepared, proxy)
        proxy.stop()
        log.info("Proxy stopped; shutting down.")
    return 0


def wait_for_end(prepared: Prepared, proxy: Proxy) -> None:
    """Handle SIGHUPs until SIGTERM or SIGINT comes."""
    while True:
        number = signal.sigwait(SIGNALS)
        if number != signal.SIGHUP:
            return
        try:
            hang_up(prepared, proxy)
        except Exception:
            log.exception("SIGHUP: bug in the proxy")


def hang_up(prepared: Prepared, proxy: Proxy) -> None:
    """Reopen the log; read users, configuration and certificate again.

    What cannot be read is reported, and what was read before stays in force.
    """
    try:
        prepared.log.reopen()
        log.info("Received HUP -- reopened log")
    except OSError as error:
        log.error("Received HUP -- cannot reopen log: %s", error)
    try:
        config, warnings = load_config(prepared.options.config, prepared.directory)
        prepared.config, waiting = reloaded(prepared.config, config)
        warnings += [f"{key}: takes effect at the next start" for key in waiting]
        _log_lines(logging.WARNING, warnings)
    except ConfigError as error:
        _log_lines(logging.ERROR, [*error.problems, "the configuration stays as it was"])
    try:
        prepared.users, warnings = load_users(prepared.options.users)
        _log_lines(logging.WARNING, warnings)
        log.info("Received HUP -- reread permissions")
    except ConfigError as error:
        _log_lines(logging.ERROR, [*error.problems, "the users stay as they were"])
    try:
        prepared.tls = client_context(prepared.config)
    except ConfigError as error:
        _log_lines(logging.ERROR, [*error.problems, "the certificate stays as it was"])
    proxy.reload(prepared.config, prepared.users, prepared.tls)


def _log_lines(level: int, lines: Sequence[str]) -> None:
    for line in lines:
        log.log(level, "Received HUP -- %s", line)


# -- the process ------------------------------------------------------------------------


def end_for_sure(status: int) -> None:
    """End at once where a thread is stuck: the interpreter would wait for it."""
    others = [one for one in threading.enumerate() if one is not threading.main_thread()]
    if any(not one.daemon for one in others):
        sys.stdout.flush()
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
