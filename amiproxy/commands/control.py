# SPDX-License-Identifier: GPL-2.0-or-later
"""``--control COMMAND``: asks the running proxy, and prints what it says."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from amiproxy.basics.deadline import Deadline
from amiproxy.errors import ConfigError
from amiproxy.process.controlpath import control_path
from amiproxy.process.options import current_directory
from amiproxy.process.process import while_read
from amiproxy.settings.conffile import examine_config
from amiproxy.settings.config import Config
from amiproxy.settings.instance import of_instance
from amiproxy.threads.control.client import EndedError, UnreachableError, ask
from amiproxy.threads.control.comeback import Comeback

if TYPE_CHECKING:
    from amiproxy.process.options import Options

#: Exit statuses: the proxy has refused; none runs (as init scripts say of a status, LSB 22.2),
#: and it cannot be asked.
REFUSED, NOT_RUNNING, UNREACHABLE = 1, 3, 4

#: Seconds that a restart may take.
PATIENCE = 300.0


def main(options: Options) -> int:
    """Ask; return 0 if the proxy has done it."""
    if "\n" in options.control:
        print("a command is one line", file=sys.stderr)
        return REFUSED
    try:
        return _ask(find_socket(options), options)
    except UnreachableError as error:
        return complain(error)
    except KeyboardInterrupt:
        return UNREACHABLE


def _ask(path: str, options: Options) -> int:
    """Ask at *path*; return 0 if the proxy has done it, and is there again after a restart."""
    comeback = Comeback(path) if options.control.split() == ["restart"] else None
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    try:
        told = ask(path, options.control, as_json=options.json, width=min(width, 9999))
    except EndedError:
        if comeback is not None and comeback.wait(Deadline(PATIENCE)):
            return 0  # somebody else has had it restarted at the same time
        raise
    stream = sys.stdout if told.is_good or options.json else sys.stderr
    with while_read():
        stream.flush()
        stream.buffer.write(told.text)
        stream.buffer.flush()
    if told.is_good and comeback is not None and not comeback.wait(Deadline(PATIENCE)):
        print("it has not come back: see its log", file=sys.stderr)
        return UNREACHABLE
    return 0 if told.is_good else REFUSED


def complain(error: UnreachableError) -> int:
    """Say why no proxy can be asked; return the exit status."""
    print(error, file=sys.stderr)
    return UNREACHABLE if error.is_running else NOT_RUNNING


def find_socket(options: Options) -> str:
    """Return the control socket of the proxy that *options* would start.

    A configuration that is broken since the proxy was started says it all the same, as far as it
    can be read.

    Raises:
        UnreachableError: it has none.

    """
    if path := _socket_of(options):
        return path
    raise UnreachableError("there is no control socket: controlsocket = no", is_running=True)


def _socket_of(options: Options) -> str:
    usual = of_instance(Config(), options.instance)
    try:
        config = examine_config(options.config, current_directory(), options.instance)[0]
    except ConfigError:
        config = usual
    if options.pidfile:
        return control_path(config, options.pidfile)
    # The systemd unit takes the usual pid file, whatever the configuration says.
    paths = [control_path(config, each) for each in (config.pidfile, usual.pidfile)]
    return next((each for each in paths if each and Path(each).exists()), paths[0])
