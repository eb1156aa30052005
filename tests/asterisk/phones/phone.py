# SPDX-License-Identifier: GPL-2.0-or-later
"""A SIP phone on the loopback."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.asterisk.phones.call import SETTLED, Call
from tests.asterisk.phones.dialog import Dialog
from tests.asterisk.phones.message import ALLOW, SipMessage, tag, uri, written

if TYPE_CHECKING:
    from tests.asterisk.phones.loop import Loop

#: Statuses with which a phone refuses a call, by the word for it.
_REFUSALS = {"busy": (486, "Busy Here"), "decline": (603, "Decline")}


@dataclass
class Manner:
    """What a phone does with calls to it."""

    #: "answer" after *delay* seconds, "ring" for ever, "busy" or "decline".
    takes: str = "answer"
    delay: float = 0.2
    #: It hangs up after so many seconds; None: it does not.
    talk: float | None = None


class Phone:
    """The phone *number* of the Asterisk whose SIP port is *server*.

    Its own *port* is any that is free.  ``incoming`` are the calls to it so far.
    """

    def __init__(
        self, loop: Loop, number: str, server: int, *, secret: str = "", port: int = 0
    ) -> None:
        self.loop, self.number = loop, number
        self.secret = secret or f"pw{number}"
        self.name = f"Phone {number}"
        self.manner = Manner()
        self.dialogs: dict[str, Dialog] = {}
        self.incoming: list[Call] = []
        self.open = True
        self._server = server
        self._registration: Dialog | None = None
        self._replied: dict[tuple[str, str], bytes] = {}
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        with loop.changed:
            loop.add(self._socket, self._receive)

    @property
    def address(self) -> str:
        """Its URI at Asterisk."""
        return self.uri_of(self.number)

    @property
    def contact(self) -> str:
        """The header that says where it is reached."""
        return f"Contact: <sip:{self.number}@127.0.0.1:{self.port}>"

    def uri_of(self, exten: str) -> str:
        """Return the URI of the extension *exten* at Asterisk."""
        return f"sip:{exten}@127.0.0.1:{self._server}"

    # -- what a test does -------------------------------------------------------------------

    def register(self, expires: int = 300) -> bool:
        """Register for so many seconds (0: no longer); return whether Asterisk accepts it."""
        if self._registration is None:
            self._registration = Dialog(self, self.address)
            self._registration.target = f"sip:127.0.0.1:{self._server}"
        return self._registration.ask("REGISTER", f"Expires: {expires}") == "done"

    def dial(self, exten: str, *headers: str) -> Call:
        """Call *exten*, and do not wait."""
        return Call(self, self.uri_of(exten)).begin(*headers)

    def call(self, exten: str, *headers: str, timeout: float = 15.0) -> Call:
        """Call *exten*, and wait until somebody answers or it has failed."""
        made = self.dial(exten, *headers)
        made.wait(*SETTLED, timeout=timeout)
        return made

    def ringing(self, timeout: float = 5.0) -> Call:
        """Wait for a call that rings or is answered here; return the last such one."""
        self.loop.wait(lambda: bool(self._current()), timeout)
        assert self._current(), f"nobody has called {self.number}"
        return self._current()[-1]

    def subscribe(
        self, exten: str, event: str = "dialog", accept: str = "application/dialog-info+xml"
    ) -> Dialog:
        """Subscribe to what happens at *exten*, until ``unsubscribe``."""
        made = Dialog(self, self.uri_of(exten))
        made.ask("SUBSCRIBE", f"Event: {event}", f"Accept: {accept}", "Expires: 300")
        return made

    def unsubscribe(self, subscription: Dialog, event: str = "dialog") -> None:
        """End a subscription."""
        subscription.ask("SUBSCRIBE", f"Event: {event}", "Expires: 0")

    def message(self, exten: str, text: str) -> int:
        """Send *text* to *exten*; return the status that Asterisk answers."""
        made = Dialog(self, self.uri_of(exten))
        made.ask("MESSAGE", body=text, content_type="text/plain")
        return made.code

    def hang_up(self) -> None:
        """Leave all calls."""
        with self.loop.changed:
            for each in list(self.dialogs.values()):
                if isinstance(each, Call):
                    each.hang_up()

    def close(self) -> None:
        """Vanish, without a word."""
        with self.loop.changed:
            self.open = False
            for each in self.dialogs.values():
                if isinstance(each, Call):
                    each.media.stop()
            self.loop.remove(self._socket)

    def _current(self) -> list[Call]:
        return [each for each in self.incoming if each.state in ("ringing", "up")]

    # -- what comes and goes ----------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send a datagram to Asterisk."""
        if self.open:
            self._socket.sendto(data, ("127.0.0.1", self._server))

    def reply(
        self, request: SipMessage, code: int, reason: str, own_tag: str, body: str = ""
    ) -> None:
        """Answer a *request*; *own_tag* is that of its dialog."""
        to = request.get("to")
        if not tag(to) and code > 100:
            to += f";tag={own_tag}"
        copied = [f"Via: {value}" for value in request.all("via")]
        copied += [f"Record-Route: {value}" for value in request.all("record-route")]
        for name in ("From", "Call-ID", "CSeq"):
            copied.append(f"{name}: {request.get(name.lower())}")
        contact = self.contact
        if request.method == "REGISTER":
            contact = f"Contact: {request.get('contact')};expires=300"
        data = written(f"SIP/2.0 {code} {reason}", [*copied, f"To: {to}", contact, ALLOW], body)
        self._replied[request.branch, request.method] = data
        self.send(data)

    def _receive(self, data: bytes) -> None:
        if len(data) < 20:  # it keeps the connection open
            return
        message = SipMessage.parse(data)
        dialog = self.dialogs.get(message.get("call-id"))
        if message.code:
            if dialog:
                dialog.receive(message)
        elif (message.branch, message.method) in self._replied:
            self.send(self._replied[message.branch, message.method])
        elif message.method != "ACK":
            self._asked(message, dialog)

    def _asked(self, message: SipMessage, dialog: Dialog | None) -> None:
        if dialog:
            dialog.asked(message)
        elif message.method == "INVITE":
            self._called(message)
        else:
            self.reply(message, 200, "OK", "once")

    def _called(self, invite: SipMessage) -> None:
        """Take a new call as ``manner`` says."""
        call, manner = Call(self, uri(invite.get("from")), invite), self.manner
        call.state = "ringing"
        self.incoming.append(call)
        if manner.takes in _REFUSALS:
            call.refuse(*_REFUSALS[manner.takes])
            return
        self.reply(invite, 180, "Ringing", call.local_tag)
        if manner.takes == "answer":
            self.loop.later(manner.delay, lambda: self._answer(call, manner))

    def _answer(self, call: Call, manner: Manner) -> None:
        call.answer()
        if manner.talk is not None:
            self.loop.later(manner.talk, call.hang_up)
