# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests of a phone, and their answers: identifiers, credentials, repeating what got lost."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.asterisk.phones.message import ALLOW, SDP, SipMessage, credentials, tag, token, uri
from tests.asterisk.phones.message import written as as_datagram

if TYPE_CHECKING:
    from tests.asterisk.phones.phone import Phone

_PATIENCE = 0.5  # seconds until a request is sent again: T1 of RFC 3261
_REPEATS = 5
_MOST_CREDENTIALS = 2


@dataclass
class Request:
    """A request that was sent."""

    method: str
    target: str
    headers: tuple[str, ...]
    body: str
    content_type: str
    number: int
    #: How often credentials were given for it.
    tried: int = 0
    branch: str = field(default_factory=lambda: "z9hG4bK" + token())
    #: Whether any answer came, and whether the last one came.
    heard: bool = False
    done: bool = False


class Dialog:
    """What a phone and Asterisk say under one Call-ID.

    ``state`` begins as "new"; a request that stands alone makes it "done" or "failed", with
    its status in ``code``.  Asked from other threads, methods wait at most *timeout* seconds.
    """

    def __init__(self, phone: Phone, remote: str, call_id: str = "") -> None:
        self.phone = phone
        self.call_id = call_id or f"{token()}@phone"
        self.local, self.remote, self.target = phone.address, remote, remote
        self.local_tag, self.remote_tag = token(4), ""
        self.state, self.code = "new", 0
        self._number = random.randint(1, 500)
        self._sent: dict[str, Request] = {}
        phone.dialogs[self.call_id] = self

    def wait(self, *states: str, timeout: float = 10.0) -> str:
        """Wait until it is in one of *states*; return the one it is in, whichever it is."""
        self.phone.loop.wait(lambda: self.state in states, timeout)
        return self.state

    def ask(self, method: str, *headers: str, body: str = "", content_type: str = SDP) -> str:
        """Send a request that stands alone, and return "done", "failed" or "new": no answer."""
        with self.phone.loop.changed:
            self.state = "new"
            self.request(method, *headers, body=body, content_type=content_type)
        return self.wait("done", "failed")

    def request(
        self, method: str, *headers: str, body: str = "", content_type: str = SDP
    ) -> Request:
        """Send a request in this dialog."""
        self._number += 1
        sent = Request(method, self.target, headers, body, content_type, self._number)
        self._send(sent)
        return sent

    def receive(self, answer: SipMessage) -> None:
        """Take in an *answer* to one of the requests."""
        sent = self._sent.get(answer.branch)
        if sent is None or answer.method != sent.method:
            return  # to a CANCEL, which has the branch of its INVITE
        sent.heard = True
        if answer.code < 200:
            self.progressed(sent, answer)
            return
        if sent.method == "INVITE" and answer.code >= 300:
            self._acknowledge_refusal(sent, answer)
        if sent.done:
            self.repeated(answer)
            return
        sent.done = True
        if answer.code in (401, 407) and sent.tried < _MOST_CREDENTIALS:
            self._again(sent, answer)
            return
        self.answered(sent, answer)

    def progressed(self, sent: Request, answer: SipMessage) -> None:
        """Take in a provisional *answer*."""

    def repeated(self, answer: SipMessage) -> None:
        """Take in the same last *answer* once more."""

    def answered(self, sent: Request, answer: SipMessage) -> None:
        """Take in the last *answer* to *sent*."""
        self.code = answer.code
        if sent.method == "SUBSCRIBE" and answer.code < 300:
            self.remote_tag = tag(answer.get("to"))
            self.target = uri(answer.get("contact")) or self.target
        self.state = "done" if answer.code < 300 else "failed"

    def asked(self, request: SipMessage) -> None:
        """Answer a *request* that came in this dialog."""
        self.phone.reply(request, 200, "OK", self.local_tag)

    def _again(self, sent: Request, answer: SipMessage) -> None:
        """Send *sent* once more, with credentials."""
        given = credentials(answer, self.phone.number, self.phone.secret, sent.method, sent.target)
        name = given.partition(":")[0]
        headers = (*(line for line in sent.headers if not line.startswith(name)), given)
        self._number += 1
        again = Request(
            sent.method, sent.target, headers, sent.body, sent.content_type, self._number,
            sent.tried + 1,
        )  # fmt: skip
        self.repeating(sent, again)
        self._send(again)

    def repeating(self, sent: Request, again: Request) -> None:
        """Take in that *again* takes the place of *sent*."""

    def _send(self, sent: Request) -> None:
        self._sent[sent.branch] = sent
        self.transmit(sent)
        if sent.method != "ACK":
            self.phone.loop.later(_PATIENCE, lambda: self._repeat(sent, 1))

    def _repeat(self, sent: Request, times: int) -> None:
        if not sent.heard and times <= _REPEATS and self.phone.open:
            self.transmit(sent)
            self.phone.loop.later(_PATIENCE * 2**times, lambda: self._repeat(sent, times + 1))

    def transmit(self, sent: Request, method: str = "") -> None:
        """Send the datagram of *sent*; as *method*: the CANCEL of an INVITE."""
        method = method or sent.method
        to = f";tag={self.remote_tag}" if self.remote_tag else ""
        lines = [
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.phone.port};rport;branch={sent.branch}",
            "Max-Forwards: 70",
            f'From: "{self.phone.name}" <{self.local}>;tag={self.local_tag}',
            f"To: <{self.remote}>{to}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {sent.number} {method}",
        ]
        body = ""
        if method == sent.method:
            lines += [self.phone.contact, "User-Agent: phone", ALLOW, *sent.headers]
            body = sent.body
        first = f"{method} {sent.target} SIP/2.0"
        self.phone.send(as_datagram(first, lines, body, sent.content_type))

    def _acknowledge_refusal(self, sent: Request, answer: SipMessage) -> None:
        """Send the ACK of a failed INVITE, which belongs to the same transaction."""
        lines = [
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.phone.port};rport;branch={sent.branch}",
            "Max-Forwards: 70",
            *(f"{name}: {answer.get(name.lower())}" for name in ("From", "To", "Call-ID")),
            f"CSeq: {sent.number} ACK",
        ]
        self.phone.send(as_datagram(f"ACK {sent.target} SIP/2.0", lines))
