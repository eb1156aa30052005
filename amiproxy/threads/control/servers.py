# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands about servers: ``pause``, ``resume``, ``reconnect``.

Without a name each is about all servers.  In a cluster each goes to the proxy that holds the
server.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from amiproxy.basics.deadline import Deadline
from amiproxy.threads.control import elsewhere
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


#: What an order is told that has come too late.
_NOT_HERE = "another proxy holds it now; try again"


def _named(request: Request) -> list[AsteriskLink]:
    """Return the servers that the request is about."""
    router = request.context.router
    return router.named(request.words[0]) if request.words else list(router.servers)


def _holders(request: Request, command: str, slots: Sequence[int]) -> elsewhere.Asked | None:
    """Have the proxies *slots* carry out *command* about the same servers; None: nobody asks."""
    bus = elsewhere.reach(request)
    if bus is None:
        return None
    return elsewhere.order(request, bus, slots, command, *request.words)


def _joined(
    lines: Sequence[str],
    asked: elsewhere.Asked | None,
    nobodys: Sequence[AsteriskLink] = (),
) -> Answer:
    """Return *lines*, what was done here, with what others have done."""
    if asked is None:
        return Answer(tuple(lines))
    told = elsewhere.joined(Answer(tuple(lines)), asked)
    if not nobodys:
        return told
    bad = [f"asterisk@{link.scope}: no proxy holds it; try again" for link in nobodys]
    return Answer((*told.lines, *bad), is_good=False)


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
    named = _named(request)
    split = elsewhere.Split(request, named)
    links = split.here
    if given_up := [link for link in links if link.given_up]:
        return refusal(f"asterisk@{given_up[0].scope} was given up; reconnect tries it again")
    if not named:
        return _none(request)
    if request.is_order and not links:
        return refusal(_NOT_HERE)
    for link in links:
        pausing.pause(link)
        log.info("asterisk@%s: paused by %s", link.scope, request.who)
    asked = _holders(request, "pause", split.slots)
    busy = _wait_until_idle(request, links)
    lines = [f"asterisk@{link.scope}: paused" for link in links if link not in busy]
    lines += [f"asterisk@{link.scope}: paused; actions are still under way" for link in busy]
    told = _joined(lines, asked, split.nobodys)
    if request.is_order:
        return told
    last = f"an action that waits longer than {pausing.WAITS:.0f} s is refused"
    return told._replace(lines=(*told.lines, last) if told.is_good else told.lines)


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
    held = elsewhere.Split(request, links).here
    shown = [link for link in links if link in held or link.gate.is_shut]
    for link in links:
        pausing.resume(link)
    for link in shown:
        log.info("asterisk@%s: resumed by %s", link.scope, request.who)
    bus = elsewhere.reach(request)
    # Everywhere: it may have been paused at a proxy that holds it no more.
    asked = None if bus is None else _holders(request, "resume", elsewhere.others(bus))
    return _joined([*_resumed(shown)], asked)


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
    named = _named(request)
    if not named:
        return _none(request)
    split = elsewhere.Split(request, named)
    # Nobody's may be given up, by any of the proxies.
    links = [*split.here, *split.nobodys]
    if request.is_order and not links:
        return refusal(_NOT_HERE)
    bus = elsewhere.reach(request)
    slots = elsewhere.others(bus) if bus is not None and split.nobodys else split.slots
    asked = _holders(request, "reconnect", slots)
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
    return _joined(lines, asked)


COMMANDS: tuple[Command, ...] = (_pause, _resume, _reconnect)
