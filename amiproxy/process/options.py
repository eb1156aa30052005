# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: options, usage and what they ask for."""

from __future__ import annotations

import getopt
from dataclasses import dataclass
from pathlib import Path
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
 -p, --pidfile FILE : Where to keep the process id
 -t, --test         : Check configuration, users and certificate; show who may do what
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
        getopt.GetoptError: an option is unknown or lacks its value.

    """
    options = Options()
    found, rest = getopt.getopt(list(arguments), _SHORT, list(_LONG))
    if rest:
        raise getopt.GetoptError(f"unexpected argument {rest[0]}")
    here = Path.cwd()
    for name, value in found:
        option = _LONG.get(name[2:]) or _LONG.get(f"{name[2:]}=") or name
        if option == "-d":
            options.debug += 1
        elif option == "-f":
            options.foreground = True
        elif option == "-g":
            options.core = True
        elif option == "-c":
            options.config = str(here / value)  # the daemon leaves this directory
        elif option == "-u":
            options.users = str(here / value)
            options.users_given = True
        elif option == "-p":
            options.pidfile = str(here / value)
        elif options.command == "run":
            options.command = _COMMANDS[option]
    options.foreground = options.foreground or options.debug > 0
    return options
