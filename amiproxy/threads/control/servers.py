# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands about servers: ``pause``, ``resume``, ``reconnect``.

Without a name each is about all servers.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from amiproxy.basics.deadline import Deadline
from amiproxy.threads.control.command import Answer, Command, Request, command, refusal
from amiproxy.threads.sessions import pausing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amiproxy.threads.sessions.link import AsteriskLink

log = logging.getLogger("amiproxy.control")

#: Seconds that actions under way may take before the command says that they still are, or the
#: connection ends without their answers.
PATIENCE = 10.0

#: How often is looked whether they are answered, in seconds.
_INTERVAL = 0.02


def _named(request: Request) -> list[AsteriskLink]:
    """Return the servers that the request is about."""
    router = request.context.router
    return router.named(request.words[0]) if request.words else list(router.servers)


def _none(request: Request) -> Answer:
    names = ", ".join(link.scope for link in request.context.router.servers)
    if not names:
        return refusal("there is no server")
    return refusal(f"there is no server {request.words[0]!a}; there is: {names}")


def _wait_until_idle(request: Request, links: Iterable[AsteriskLink]) -> list[AsteriskLink]:
    """Wait until all that went up to *links* is answered; return those where that is not so."""
    deadline = Deadline(PATIENCE)
    busy = [link for link in links if link.connected and not pausing.is_idle(link)]
    while busy and not deadline.over and not request.context.stopping.is_set():
        time.sleep(_INTERVAL)
        busy = [link for link in busy if link.connected and not pausing.is_idle(link)]
    return busy


@command(
    "pause",
    "[SERVER]",
    changes=True,
    action="PauseServer",
    explanation="let actions wait, also while the server restarts; returns when all that went"
    " before are answered",
)
def _pause(request: Request) -> Answer:
    links = _named(request)
    if given_up := [link for link in links if link.given_up]:
        return refusal(f"asterisk@{given_up[0].scope} was given up; reconnect tries it again")
    if not links:
        return _none(request)
    for link in links:
        pausing.pause(link)
        log.info("asterisk@%s: paused by %s", link.scope, request.who)
    busy = _wait_until_idle(request, links)
    lines = [f"asterisk@{link.scope}: paused" for link in links if link not in busy]
    lines += [f"asterisk@{link.scope}: paused; actions are still under way" for link in busy]
    return Answer((*lines, f"an action that waits longer than {pausing.WAITS:.0f} s is refused"))


@command(
    "resume",
    "[SERVER]",
    changes=True,
    action="ResumeServer",
    explanation="let the actions go that wait",
)
def _resume(request: Request) -> Answer:
    links = _named(request)
    if not links:
        return _none(request)
    for link in links:
        pausing.resume(link)
        log.info("asterisk@%s: resumed by %s", link.scope, request.who)
    return Answer(tuple(_resumed(links)))


def _resumed(links: Sequence[AsteriskLink]) -> Iterable[str]:
    for link in links:
        later = "; actions go when it is connected" if link.gate.holds else ""
        yield f"asterisk@{link.scope}: resumed{later}"


@command(
    "reconnect",
    "[SERVER]",
    changes=True,
    action="ReconnectServer",
    explanation="connect anew, when all that went before is answered; later actions wait for it",
)
def _reconnect(request: Request) -> Answer:
    links = _named(request)
    if not links:
        return _none(request)
    connections = [link.transport for link in links]
    for link in links:
        if link.connected:
            pausing.wait_for_connect(link)
    busy = _wait_until_idle(request, links)
    # Where somebody else has had it connect anew meanwhile, actions are on their way again.
    names = {link.scope for link, old in zip(links, connections) if link.transport is old}
    request.context.control.reconnect(names, f"reconnect by {request.who}")
    lines = [f"asterisk@{link.scope}: connecting anew" for link in links if link not in busy]
    lines += [f"asterisk@{link.scope}: connecting anew; actions were under way" for link in busy]
    return Answer(tuple(lines))


COMMANDS: tuple[Command, ...] = (_pause, _resume, _reconnect)
