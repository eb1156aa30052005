# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: options, usage and what they ask for."""

from __future__ import annotations

import getopt
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amiproxy import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = f"astmanproxy: Version {__version__}, (C) David C. Troy 2005-2008"

USAGE = """\
Usage: astmanproxy [-d|-f] [-g] [-c FILE] [-u FILE] [-p FILE] | -t | -h | -v
 -d, --debug        : Stay in the foreground, print debug lines; -dd for more
 -f, --foreground   : Run in foreground. Don't fork
 -g, --core         : Enable core dumps
 -c, --config FILE  : Configuration (/etc/asterisk/astmanproxy.conf)
 -u, --users FILE   : Users (/etc/asterisk/astmanproxy.users)
 -p, --pidfile FILE : Where to keep the process id (/run/astmanproxy/astmanproxy.pid)
 -t, --test         : Check configuration, users and certificate; show who may do what;
                      exit status 1 if the proxy would not start
     --hash-secret  : Read a secret, print it hashed for the users file
 -h, --help         : Displays this message
 -v, --version      : Displays version information
Start with no options to run as daemon"""


@dataclass
class Options:
    """What the command line says."""

    config: str = "/etc/asterisk/astmanproxy.conf"
    users: str = "/etc/asterisk/astmanproxy.users"
    users_given: bool = False
    pidfile: str = ""
    debug: int = 0
    foreground: bool = False
    core: bool = False
    command: str = "run"  # or test, hash-secret, help, version


def current_directory() -> str:
    """Return the current directory, ``""`` if it has been deleted or is out of reach."""
    try:
        return os.getcwd()  # noqa: PTH109 - a plain string
    except OSError:
        return ""


def _absolute(path: str) -> str:
    """Return *path* as an absolute one: the daemon leaves this directory."""
    here = current_directory()
    if not here and not path.startswith("/"):
        raise getopt.GetoptError(f"{path}: the current directory is gone; give an absolute path")
    return os.path.join(here, path)  # noqa: PTH118


_SHORT = "dfgtvhc:u:p:"
# Long form -> short form; "=" where a value follows.
_LONG = {
    "debug": "-d",
    "foreground": "-f",
    "core": "-g",
    "test": "-t",
    "version": "-v",
    "help": "-h",
    "config=": "-c",
    "users=": "-u",
    "pidfile=": "-p",
    "hash-secret": "--hash-secret",
}
_COMMANDS = {"-t": "test", "-v": "version", "-h": "help", "--hash-secret": "hash-secret"}


def parse_options(arguments: Sequence[str]) -> Options:
    """Return what *arguments* ask for.

    Of -t, -v, -h and --hash-secret the first one counts.  Relative paths become absolute.

    Raises:
        getopt.GetoptError: an option is unknown or lacks its value; or a path is relative,
            and the current directory has been deleted.

    """
    options = Options()
    found, rest = getopt.getopt(list(arguments), _SHORT, list(_LONG))
    if rest:
        raise getopt.GetoptError(f"unexpected argument {rest[0]}")
    for name, value in found:
        option = _LONG.get(name[2:]) or _LONG.get(f"{name[2:]}=") or name
        if option == "-d":
            options.debug += 1
        elif option == "-f":
            options.foreground = True
        elif option == "-g":
            options.core = True
        elif option == "-c":
            options.config = _absolute(value)
        elif option == "-u":
            options.users = _absolute(value)
            options.users_given = True
        elif option == "-p":
            options.pidfile = _absolute(value)
        elif options.command == "run":
            options.command = _COMMANDS[option]
    options.foreground = options.foreground or options.debug > 0
    return options
