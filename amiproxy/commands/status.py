# SPDX-License-Identifier: GPL-2.0-or-later
"""``--status``: what goes on in the running proxy, once, or with ``--watch`` all the time."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from typing import TYPE_CHECKING

from amiproxy.commands.control import complain, find_socket
from amiproxy.commands.screen import Screen
from amiproxy.process.process import say
from amiproxy.status.documents import status_of
from amiproxy.status.page import page
from amiproxy.status.style import Look, style_for
from amiproxy.threads.control.client import UnreachableError, ask

if TYPE_CHECKING:
    from amiproxy.process.options import Options
    from amiproxy.status.values import Status

#: Exit status where the proxy runs, and something is wrong with it.
UNWELL = 1

#: Seconds between two looks, and for which an answer may be waited for.
INTERVAL = 2.0
_PATIENCE = 30.0


def main(options: Options) -> int:
    """Show the status; return 0 if all is well, as far as the proxy can tell."""
    try:
        path = find_socket(options)
        if options.watch:
            return _watch(path, as_json=options.json)
        return _once(path, as_json=options.json)
    except UnreachableError as error:
        return complain(error)
    except KeyboardInterrupt:
        return 0


def _look(path: str) -> tuple[str, Status]:
    """Return the status as JSON and as a value; raises UnreachableError."""
    told = ask(path, "status", as_json=True, timeout=_PATIENCE)
    text = told.text.decode("utf-8", "replace")
    try:
        if told.is_good:
            return text, status_of(json.loads(text))
    except (ValueError, TypeError, AttributeError, RecursionError):
        pass
    raise UnreachableError(f"the proxy at {path} says: {text.strip()[:200]}", is_running=True)


def _once(path: str, *, as_json: bool) -> int:
    text, status = _look(path)
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else 0
    style = style_for(os.environ, is_terminal=is_terminal)
    say([text.rstrip("\n")] if as_json else page(status, width, style=style))
    return UNWELL if any(each.severity == "error" for each in status.warnings) else 0


def _watch(path: str, *, as_json: bool) -> int:
    """Show the status again and again, until the user ends it or nobody reads it."""
    if as_json or not sys.stdout.isatty():
        return _follow(path, as_json=as_json)
    style = style_for(os.environ, is_terminal=True)
    with Screen(INTERVAL) as screen:
        while True:
            try:
                screen.show(page(_look(path)[1], *screen.size, style))
            except UnreachableError as error:  # it may be started again
                screen.show([style(str(error), Look.BAD)])
            if not screen.wait():
                return 0


def _follow(path: str, *, as_json: bool) -> int:
    """Print the status again and again, one below the other; JSON on one line each."""
    while True:
        text, status = _look(path)
        lines = [json.dumps(json.loads(text))] if as_json else [*page(status), ""]
        try:
            sys.stdout.writelines(f"{line}\n" for line in lines)
            sys.stdout.flush()
        except BrokenPipeError:
            say(())  # or the flush at the exit would fail as well
            return 0
        time.sleep(INTERVAL)
