# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls of a phone, made or taken."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.asterisk.phones.dialog import Dialog, Request
from tests.asterisk.phones.media import Media
from tests.asterisk.phones.message import SipMessage, tag, uri

if TYPE_CHECKING:
    from tests.asterisk.phones.phone import Phone

#: How a call that was made gets on.
SETTLED = ("up", "failed", "ended")


class Call(Dialog):
    """A call: "calling", "ringing", then "up", and in the end "ended" or "failed" (``code``).

    A call to the phone has an *invite*, and begins as "ringing".
    """

    def __init__(self, phone: Phone, remote: str, invite: SipMessage | None = None) -> None:
        super().__init__(phone, remote, invite.get("call-id") if invite else "")
        self.media = Media(phone.loop)
        self.held = False
        self._invite = invite
        self._asked: Request | None = None
        self._leaving = False
        if invite:
            self.local, self.remote_tag = uri(invite.get("to")), tag(invite.get("from"))
            self.target = uri(invite.get("contact"))

    # -- what a test does -------------------------------------------------------------------

    def begin(self, *headers: str) -> Call:
        """Send the INVITE."""
        with self.phone.loop.changed:
            self.state = "calling"
            self._asked = self.request("INVITE", *headers, body=self.media.offer())
        return self

    def answer(self) -> None:
        """Take a call that rings."""
        with self.phone.loop.changed:
            if self.state != "ringing" or self._invite is None:
                return
            self.media.accept(self._invite.body)
            self.state = "up"
            self._reply(200, "OK", self.media.offer())

    def refuse(self, code: int, reason: str) -> None:
        """Refuse a call that rings."""
        with self.phone.loop.changed:
            if self.state == "ringing":
                self._reply(code, reason)
                self._end("failed", code)

    def hang_up(self) -> None:
        """Leave the call, however far it has got; nothing happens if it is over."""
        with self.phone.loop.changed:
            if self.state == "up":
                self.request("BYE")
                self._end("ended")
            elif self._invite:
                self.refuse(603, "Decline")
            elif self.state in ("calling", "ringing") and not self._leaving:
                self._leaving = True
                assert self._asked
                self.transmit(self._asked, "CANCEL")

    def hold(self, held: bool = True) -> bool:
        """Put the other on hold, or off; return whether Asterisk has accepted it."""
        with self.phone.loop.changed:
            offer = self.media.offer("sendonly" if held else "sendrecv")
            self.request("INVITE", body=offer)
        return self.phone.loop.wait(lambda: self.held is held, 5)

    def refer(self, exten: str, replaces: Call | None = None) -> None:
        """Transfer the other to *exten*; with *replaces*, into that call of this phone."""
        to = self.phone.uri_of(exten)
        if replaces:
            what = f"{replaces.call_id};to-tag={replaces.remote_tag};from-tag={replaces.local_tag}"
            to += f"?Replaces={quote(what, safe='')}"
        with self.phone.loop.changed:
            self.request("REFER", f"Refer-To: <{to}>", f"Referred-By: <{self.local}>")

    def dtmf(self, digits: str) -> None:
        """Press *digits*."""
        with self.phone.loop.changed:
            self.media.dtmf(digits)

    # -- what comes -------------------------------------------------------------------------

    def progressed(self, sent: Request, answer: SipMessage) -> None:
        """Take in that it rings."""
        self.remote_tag = tag(answer.get("to")) or self.remote_tag
        if self.state == "calling" and answer.code in (180, 183):
            self.state = "ringing"

    def repeating(self, sent: Request, again: Request) -> None:
        """Take in under which identifiers the INVITE is known now."""
        if sent is self._asked:
            self._asked = again

    def repeated(self, answer: SipMessage) -> None:
        """Acknowledge once more."""
        if answer.method == "INVITE" and answer.code < 300:
            self._acknowledge(answer)

    def answered(self, sent: Request, answer: SipMessage) -> None:
        """Take in what became of an INVITE; other requests change nothing."""
        if sent.method != "INVITE":
            return
        if answer.code < 300:
            self.remote_tag, self.target = tag(answer.get("to")), uri(answer.get("contact"))
            self._acknowledge(answer)
            self.media.accept(answer.body)
            self.held = "sendonly" in sent.body
            if sent is self._asked and self.state in ("calling", "ringing"):
                self.state = "up"
                if self._leaving:
                    self.hang_up()
        elif sent is self._asked:
            self._end("failed", answer.code)

    def asked(self, request: SipMessage) -> None:
        """Answer what Asterisk asks in this call."""
        if request.method == "INVITE":
            if self.state != "up":
                self.phone.reply(request, 481, "Call Does Not Exist", self.local_tag)
                return
            self.media.accept(request.body)
            self.phone.reply(request, 200, "OK", self.local_tag, self.media.offer())
            return
        super().asked(request)
        if request.method == "CANCEL" and self.state == "ringing" and self._invite:
            self._reply(487, "Request Terminated")
            self._end("ended")
        elif request.method == "BYE":
            self._end("ended")

    def _acknowledge(self, answer: SipMessage) -> None:
        """Send the ACK of an INVITE that was accepted."""
        self._send(Request("ACK", self.target, (), "", "", answer.number))

    def _reply(self, code: int, reason: str, body: str = "") -> None:
        assert self._invite
        self.phone.reply(self._invite, code, reason, self.local_tag, body)

    def _end(self, state: str, code: int = 0) -> None:
        self.state, self.code = state, code or self.code
        self.media.stop()
