# SPDX-License-Identifier: GPL-2.0-or-later
"""Audited: one action that changes something, until its line is in the log (``audit = yes``)."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from amiproxy.logs import audit
from amiproxy.threads.actions.call import Call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.message import Message
    from amiproxy.threads.actions.call import Action, Outcome

log = logging.getLogger("amiproxy.audit")


class Audited:
    """Who asks what, and since when.  Its line is written when it is over, by any thread."""

    def __init__(self, user: str, address: str, action: str, headers: Mapping[str, str]) -> None:
        self._head = {"user": user, "address": address, "action": action}
        self._headers = headers
        self._began = time.monotonic()

    def over(self, server: str, answer: Message | None) -> None:
        """The *server*, ``HOST:PORT`` or "", has given its last *answer*, None: there is none."""
        self.end(audit.result_of(answer), server)

    def end(self, result: str, server: str = "") -> None:
        """Write the line: the action has ended with *result*."""
        tail: dict[str, str | int] = {"server": server} if server else {}
        tail["result"] = result
        tail["ms"] = int((time.monotonic() - self._began) * 1000)
        text = audit.line({**self._head, **self._headers, **tail})
        headers = {f"header_{name.replace('-', '_')}": each for name, each in self._headers.items()}
        fields = {**self._head, **headers, **tail}
        log.info("%s", text, extra={"address": self._head["address"], "fields": fields})


def audited(call: Call, message: Message) -> Audited | None:
    """Return the audit of *message*, which *call* asks Asterisk, None: there is to be none."""
    if not audit.is_change(message):
        return None
    return _audited(call, message.get("Action")[:80], message)


def run_audited(call: Call, name: str, run: Action) -> Outcome:
    """Have *run* carry out the ProxyAction *name*, which changes something in the proxy."""
    if not call.context.config.audit:
        return run(call)
    noted, heard = _audited(call, name, call.message), _Hearing(*call)
    try:
        return run(heard)
    finally:
        noted.end(audit.result_of(heard.said))


class _Hearing(Call):
    """A call that keeps its answer."""

    said: Message | None = None

    def say(self, reply: Message) -> Outcome:
        """Send *reply*, and keep it."""
        self.said = reply
        return super().say(reply)


def _audited(call: Call, name: str, message: Message) -> Audited:
    session = call.session
    user = "-" if session.user is None else session.user.name
    return Audited(user, session.address, name, audit.key_headers(message))
