# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: options, usage and what they ask for."""

from __future__ import annotations

import getopt
import os
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from amiproxy import __version__
from amiproxy.settings.instance import NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = f"astmanproxy: Version {__version__}, (C) David C. Troy 2005-2008"


class Option(NamedTuple):
    """One option: ``-SHORT``, ``--LONG`` and what it does, in lines for --help and the manual.

    *value* is what stands behind it, ``""``: nothing.  *command* names what is done instead of
    running the proxy (:data:`COMMANDS`), ``""``: the proxy is run with it.
    """

    short: str
    long: str
    value: str
    text: tuple[str, ...]
    command: str = ""


OPTIONS = (
    Option("d", "debug", "", ("Stay in the foreground, print debug lines; -dd for more",)),
    Option("f", "foreground", "", ("Run in foreground. Don't fork",)),
    Option("g", "core", "", ("Enable core dumps",)),
    Option("c", "config", "FILE", ("Configuration (/etc/asterisk/astmanproxy.conf)",)),
    Option("u", "users", "FILE", ("Users (/etc/asterisk/astmanproxy.users)",)),
    Option(
        "p",
        "pidfile",
        "FILE",
        ("Where to keep the process id (/run/astmanproxy/astmanproxy.pid)",),
    ),
    Option(
        "",
        "instance",
        "NAME",
        (
            "One of several proxies with the same files: its log, pid file and sockets",
            "have @NAME in their names",
        ),
    ),
    Option(
        "t",
        "test",
        "",
        (
            "Check configuration, users and certificate; show who may do what;",
            "exit status 1 if the proxy would not start",
        ),
        "test",
    ),
    Option(
        "",
        "show-config",
        "",
        ("Print what the files say, without secrets, and where each value is from",),
        "show-config",
    ),
    Option(
        "",
        "hash-secret",
        "",
        ("Read a secret, print it hashed for the users file",),
        "hash-secret",
    ),
    Option(
        "",
        "new-token",
        "USER",
        ("Print a new token, by which USER can log in, and its line for the users file",),
        "new-token",
    ),
    Option(
        "",
        "control",
        "COMMAND",
        ("Have the running proxy do COMMAND; 'help' lists what there is",),
        "control",
    ),
    Option(
        "",
        "status",
        "",
        (
            "Show what goes on in the running proxy, what is wrong first;",
            "exit status 1 if something is, 3 if none runs",
        ),
        "status",
    ),
    Option("", "watch", "", ("With --status: again and again, until q or Ctrl-C",)),
    Option("", "json", "", ("Print what --control or --status says as JSON",)),
    Option("h", "help", "", ("Displays this message",), "help"),
    Option("v", "version", "", ("Displays version information",), "version"),
)

#: What the command line can ask for instead of running the proxy: the module whose
#: ``main(options)`` does it and returns the exit status.
COMMANDS = {
    "control": "amiproxy.commands.control",
    "test": "amiproxy.commands.check",
    "hash-secret": "amiproxy.commands.hashsecret",
    "new-token": "amiproxy.commands.newtoken",
    "show-config": "amiproxy.commands.showconfig",
    "status": "amiproxy.commands.status",
}


def _first(option: Option) -> str:
    """Return how *option* is typed, in short if it can be."""
    name = f"-{option.short}" if option.short else f"--{option.long}"
    return f"{name} {option.value}" if option.value else name


def usage() -> str:
    """Return what --help prints."""
    left = [
        f"{f'-{each.short},' if each.short else '   '} --{each.long}"
        f"{f' {each.value}' if each.value else ''}"
        for each in OPTIONS
    ]
    width = max(map(len, left))
    lines = [
        "Usage: astmanproxy [-d|-f] [-g] [-c FILE] [-u FILE] [-p FILE] [--instance NAME]",
        f"       astmanproxy {' | '.join(_first(each) for each in OPTIONS if each.command)}",
        *(
            f" {name if not i else '':{width}} {' ' if i else ':'} {text}"
            for name, each in zip(left, OPTIONS)
            for i, text in enumerate(each.text)
        ),
        "Start with no options to run as daemon",
    ]
    return "\n".join(lines)


@dataclass
class Options:
    """What the command line says."""

    config: str = "/etc/asterisk/astmanproxy.conf"
    users: str = "/etc/asterisk/astmanproxy.users"
    users_given: bool = False
    pidfile: str = ""
    instance: str = ""  # which of several with the same files
    debug: int = 0
    foreground: bool = False
    core: bool = False
    json: bool = False
    watch: bool = False
    control: str = ""  # what is asked of the running proxy
    user: str = ""  # for whom a token is made
    command: str = ""  # instead of running: one of COMMANDS, help or version


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


def _instance(name: str) -> str:
    """Return *name*, which becomes part of names of files; raises GetoptError."""
    if name and not NAME.fullmatch(name):
        raise getopt.GetoptError(
            f"--instance {name}: write up to 32 letters, digits, _ . or -, no _ . or - first"
        )
    return name


_SHORT = "".join(each.short + (":" if each.value else "") for each in OPTIONS if each.short)
_LONG = [each.long + ("=" if each.value else "") for each in OPTIONS]
_NAMED = {name: each for each in OPTIONS for name in (f"-{each.short}", f"--{each.long}")}


#: The field of Options that holds the value of an option with a command, where it is not its name.
_FIELDS = {"new-token": "user"}


def parse_options(arguments: Sequence[str]) -> Options:
    """Return what *arguments* ask for.

    Of those with a command the first one counts.  Relative paths become absolute.  The command of
    --control may be one argument or several.

    Raises:
        getopt.GetoptError: an option is unknown or lacks its value; or a path is relative,
            and the current directory has been deleted.

    """
    options = Options()
    found, rest = getopt.gnu_getopt(list(arguments), _SHORT, _LONG)
    if rest and not any(name == "--control" for name, _ in found):
        raise getopt.GetoptError(f"unexpected argument {rest[0]}")
    for name, value in found:
        option = _NAMED[name]
        if option.command:
            options.command = options.command or option.command
            if option.value:
                setattr(options, _FIELDS.get(option.long, option.long), value)
        elif option.long == "debug":
            options.debug += 1
        elif option.long == "instance":
            options.instance = _instance(value)
        elif option.value:
            setattr(options, option.long, _absolute(value))
            options.users_given = options.users_given or option.long == "users"
        else:
            setattr(options, option.long, True)
    options.control = " ".join([options.control, *map(shlex.quote, rest)])
    options.foreground = options.foreground or options.debug > 0
    return options
