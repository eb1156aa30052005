# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands that are about the program as a whole."""

from __future__ import annotations

import functools
import os

from amiproxy import __version__
from amiproxy.status.documents import document
from amiproxy.threads.control.command import Answer, Command, Request, command, refusal

#: Seconds that clients have with ``shutdown --drain``.
DRAIN = 60.0


@command("version", explanation="the version of the running proxy, its pid, and since when it runs")
def _version(request: Request) -> Answer:
    context = request.context
    started = context.started.isoformat(timespec="seconds")
    data = {
        "version": __version__,
        "pid": os.getpid(),
        "started": started,
        "uptime": int(context.uptime),
    }
    return Answer((f"astmanproxy {__version__}, pid {os.getpid()}, since {started}",), data=data)


@command(
    "reload",
    changes=True,
    action="Reload",
    explanation="what SIGHUP does; tells what was read, what changed, and every problem",
)
def _reload(request: Request) -> Answer:
    report = request.context.program.reload(f"Reload by {request.who}")
    if report is None:
        return refusal("the files are still being read: one of them hangs; see the log")
    lines = [
        *report.read,
        *(f"changed: {line}" for line in report.changed),
        *(f"warning: {line}" for line in report.warnings),
        *(f"problem: {line}" for line in report.problems),
    ]
    return Answer(tuple(lines), is_good=not report.problems, data=document(report))


@command(
    "loglevel",
    "LEVEL",
    "[MODULE]",
    changes=True,
    action="LogLevel",
    explanation="log from LEVEL on (debug, info, warning, error, critical; default: as configured),"
    " until the next reload",
)
def _loglevel(request: Request) -> Answer:
    level, *module = request.words
    try:
        holds = request.context.program.set_log_level(level, *module)
    except ValueError as error:
        return refusal(str(error))
    return Answer((f"logged is from: {holds}",))


@command(
    "shutdown",
    "[--drain]",
    changes=True,
    action="Shutdown",
    explanation="what SIGTERM does: clients are told, and it ends; --drain: they have a minute for"
    " their last answers, or drainseconds if that is longer",
)
def _shutdown(request: Request) -> Answer:
    program = request.context.program
    if request.words in ((), ("--drain",)):
        drain = DRAIN if request.words else 0.0
        return Answer(("it ends now",), then=functools.partial(program.stop, drain))
    return refusal("usage: shutdown [--drain]")


@command(
    "restart",
    changes=True,
    action="Restart",
    explanation="start anew, if the files are in order; clients are told, and those who come"
    " meanwhile wait: none is refused",
)
def _restart(request: Request) -> Answer:
    program = request.context.program
    problems = program.restart_problems()
    if problems:
        return Answer(("it goes on as it is; it would not start:", *problems), is_good=False)
    return Answer(("it starts anew",), then=program.restart)


COMMANDS: tuple[Command, ...] = (_version, _reload, _loglevel, _shutdown, _restart)
