# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands that end clients."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from amiproxy.threads.control import elsewhere
from amiproxy.threads.control.command import Answer, Command, Request, command, refusal
from amiproxy.threads.sessions.tallies import Tallied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.threads.sessions.session import ClientSession

log = logging.getLogger("amiproxy.control")


@command(
    "kick",
    "N",
    changes=True,
    action="Kick",
    explanation="end the session of client number N, as show clients counts them",
)
def _kick(request: Request) -> Answer:
    word = request.words[0]
    # Nobody's number has more digits.
    number = int(word) if word.isascii() and word.isdecimal() and len(word) < 20 else 0
    session = request.context.registry.find(number)
    if session is not None:
        return _end([session], request)
    bus = elsewhere.reach(request)
    slot = elsewhere.slot_of_session(request.context, number)
    if bus is None or not slot:
        return refusal(f"there is no client {word!a}")
    return elsewhere.joined(None, elsewhere.order(request, bus, [slot], "kick", str(number)))


@command(
    "kick user",
    "NAME",
    changes=True,
    action="KickUser",
    explanation="end all sessions of the user NAME",
)
def _kick_user(request: Request) -> Answer:
    name = request.words[0]
    sessions = [
        each for each in request.context.registry.snapshot()
        if (user := each.user) is not None and user.name == name
    ]  # fmt: skip
    none = refusal(f"no client is logged in as {name!a}")
    here = _end(sessions, request) if sessions else None
    bus = elsewhere.reach(request)
    if bus is None:
        return here or none
    asked = elsewhere.order(request, bus, elsewhere.others(bus), "kick", "user", name)
    if here is None and not asked.done and not asked.silent:
        return none
    return elsewhere.joined(here, asked, must=False)


def _end(sessions: Sequence[ClientSession], request: Request) -> Answer:
    """End *sessions*: what they were sent before still reaches them, if they read it soon."""
    who = request.who
    for session in sessions:
        request.context.tallies.note(Tallied.DROPPED_ELSE, "kicked")
        session.end(f"{session.peer} was kicked by {who}")
        if session.is_web:
            log.info("%s was kicked by %s", session.peer, who)
    return Answer(tuple(f"kicked {each.peer}" for each in sessions))


COMMANDS: tuple[Command, ...] = (_kick, _kick_user)
