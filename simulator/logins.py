# SPDX-License-Identifier: GPL-2.0-or-later
"""The actions Login, Challenge and Logoff."""

from __future__ import annotations

import hashlib
import hmac
import random
import time
from typing import TYPE_CHECKING

from simulator import events, security
from simulator.replies import error, response, success

if TYPE_CHECKING:
    from simulator.pbx import Pbx
    from simulator.protocol import Action
    from simulator.session import Session


def login(session: Session, action: Action) -> bytes:
    """Log the session in, or refuse and close it."""
    pbx = session.pbx
    session.sleep(pbx.faults.login_delay)
    if pbx.faults.mute_login:
        return b""
    if session.authenticated:
        return success(action, "Already authenticated")
    user = action.get("Username")
    if not user or pbx.faults.login_error or not _secret_matches(session, action):
        return _refuse(session, action, user)
    mask = action.get("Events")
    # Events that are queued from here on are sent after the answer, by this thread.
    session.log_in(user, events.mask_of(mask) if mask else events.ALL)
    answer = success(action, "Authentication accepted") + _boot(session)
    security.report(session, "SuccessfulAuth", "Informational", UsingPassword="0")
    return answer


def _secret_matches(session: Session, action: Action) -> bool:
    secret = session.pbx.users.get(action.get("Username"))
    if secret is None:
        return False
    if action.get("AuthType").lower() == "md5":
        text = (session.challenge + secret).encode("latin-1", "replace")
        expected = hashlib.md5(text).hexdigest()
        return bool(session.challenge) and _same(action.get("Key"), expected)
    return _same(action.get("Secret"), secret)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(
        given.encode("latin-1", "replace"), expected.encode("latin-1", "replace")
    )


def _refuse(session: Session, action: Action, user: str) -> bytes:
    faults = session.pbx.faults
    session.sleep(faults.refusal_delay)
    session.user = user
    security.report(session, "InvalidPassword", "Error")
    session.leaving = not faults.keep_refused
    return error(action, faults.login_error or "Authentication failed")


def _boot(session: Session) -> bytes:
    """Return FullyBooted if it goes out with the answer; if later, plan it."""
    pbx = session.pbx
    if not pbx.behaviour.boot or not session.mask & events.CLASSES["system"]:
        return b""
    if not pbx.behaviour.boot_delay:
        return _fully_booted(pbx)
    pbx.schedule.plan(
        pbx.behaviour.boot_delay, lambda: session.queue((events.ALWAYS, _fully_booted(pbx)))
    )
    return b""


def _fully_booted(pbx: Pbx) -> bytes:
    lines = ["Event: FullyBooted", "Privilege: system,all"]
    if pbx.dialect.uptime:
        uptime = int(time.time() - pbx.started)
        lines += [f"Uptime: {uptime}", f"LastReload: {uptime}"]
    return events.write([*lines, "Status: Fully Booted"])


def challenge(session: Session, action: Action) -> bytes:
    """Return a challenge for an MD5 login."""
    if action.get("AuthType").lower() != "md5":
        return error(action, "Must specify AuthType")
    session.challenge = (
        session.challenge or session.pbx.behaviour.challenge or str(random.randrange(10**8, 10**9))
    )
    return response(action, "Success", f"Challenge: {session.challenge}")


def logoff(session: Session, action: Action) -> bytes:
    """Say goodbye; the session closes after that."""
    session.leaving = True
    return response(action, "Goodbye", "Message: Thanks for all the fish.")
