# SPDX-License-Identifier: GPL-2.0-or-later
"""The log-in dialogue with an Asterisk: banner, answer, FullyBooted (spec section 4).

No socket and no clock: who owns the connection feeds what came, or nothing when
time has passed, and sends what the dialogue wants sent.

    BANNER --line, or none in time--> ANSWER --success--> BOOT --FullyBooted--> LIVE

Asterisk before 1.6 sends no FullyBooted, and no Asterisk sends one to a log-in
without the class ``system``: there silence, or some seconds, count as it.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

from amiproxy import replies
from amiproxy.errors import LoginRefused, PeerGone, ProtocolError
from amiproxy.message import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.wire.framing import Framer

#: Seconds to wait for a banner; without one in that time the log-in is sent all the same.
BANNER_WAIT = 2.0

#: Seconds without a byte from a logged-in Asterisk that count as FullyBooted.
BOOT_SILENCE = 3.0

#: Seconds after the log-in that count as FullyBooted, silent or not.  Where no
#: FullyBooted can come, BOOT_SILENCE seconds do.
BOOT_LIMIT = 60.0

#: How the banner of an Asterisk before 1.6 ends: it knows no FullyBooted.
_OLD_BANNER = b"/1.0"

_PROXY = replies.PROXY.encode()

#: The longest banner, in bytes.
_MAX_BANNER = 8192

#: Refusals that pass: the log-in itself is right.
_PASSING = frozenset(["asterisk is shutting down", "login already in use"])


class LoginState(enum.Enum):
    """What the dialogue waits for; the value is how an error names its absence."""

    BANNER = "no banner"
    ANSWER = "no answer to the log-in"
    BOOT = "not booted"
    LIVE = "live"


class Login(NamedTuple):
    """What Asterisk is told, and what it will send therefore."""

    user: str
    secret: str
    events: str
    #: Whether *events* asks for any class of events.
    receives_events: bool
    #: Whether *events* asks for the class ``system``, which FullyBooted has.
    receives_system: bool
    #: Who the proxy is, and which proxies are behind it: for another proxy only.
    path: str = ""
    #: Whether it is a proxy that is logged in to, whatever its banner says.
    is_proxy: bool = False


class LoginTimes(NamedTuple):
    """Time limits, in seconds."""

    #: From the connection to the answer to the log-in.
    answer: float
    banner: float = BANNER_WAIT
    boot_silence: float = BOOT_SILENCE
    boot: float = BOOT_LIMIT


class LoginStep(NamedTuple):
    """What one feed led to."""

    #: Bytes to send now.
    send: bytes = b""
    #: Messages from before FullyBooted, which no client sees.
    early: Sequence[Message] = ()
    #: Messages for the clients once the state is LIVE, FullyBooted first.
    live: Sequence[Message] = ()


class LoginDialogue:
    """One log-in, from the first byte of a connection until Asterisk has booted.

    *framer* takes what follows the banner; it holds the head of the next message when
    the dialogue is over.  *now* is in monotonic seconds, as everywhere here.
    """

    def __init__(self, framer: Framer, now: float, login: Login, times: LoginTimes) -> None:
        self.state = LoginState.BANNER
        #: What Asterisk greeted with, "" for nothing yet or at all; printable.
        self.banner = ""
        #: What another proxy has answered of itself.
        self.proxy_path = ""
        #: When to feed nothing, if nothing came before, in monotonic seconds.
        self.wake_at = now + min(times.answer, times.banner)
        self._framer = framer
        self._login = login
        self._times = times
        self._answer_limit = now + times.answer
        self._boot_limit = 0.0  # set by the answer
        self._banner = b""
        self._is_old = False  # by its banner: knows no FullyBooted

    def feed(self, data: bytes, now: float) -> LoginStep:
        """Take the next *data*, b"" when none came until ``wake_at``; return what follows.

        Raises:
            LoginRefused: Asterisk does not accept the user or the secret.
            PeerError: it took too long, or cannot be done now.

        """
        if self.state is LoginState.BANNER:
            return self._take_banner(data, now)
        messages = self._framer.feed(data).messages() if data else []
        if self.state is LoginState.ANSWER:
            return self._take_answer(messages, now)
        return self._take_boot(messages, now, came=bool(data))

    def _take_banner(self, data: bytes, now: float) -> LoginStep:
        self._banner += data
        banner, line_end, rest = self._banner.partition(b"\n")
        if len(banner) > _MAX_BANNER:
            raise ProtocolError(f"no line end in the banner within {_MAX_BANNER} bytes")
        if not line_end:
            if now < self.wake_at:
                return LoginStep()
            if banner or now >= self._answer_limit:
                raise self._too_late()
        self.banner = "".join(filter(str.isprintable, banner.decode("latin-1")))
        # A banner that is missing altogether is as old as one can be.
        self._is_old = not banner or banner.rstrip(b"\r").endswith(_OLD_BANNER)
        self.state = LoginState.ANSWER
        self.wake_at = self._answer_limit
        step = self.feed(rest, now) if rest else LoginStep()
        login = self._login
        lines = [f"Username: {login.user}", f"Secret: {login.secret}", f"Events: {login.events}"]
        if login.path and (login.is_proxy or banner.startswith(_PROXY)):
            lines.append(f"ProxyPath: {login.path}")
        return step._replace(send=Message.of("Action: Login", *lines).raw)

    def _take_answer(self, messages: list[Message], now: float) -> LoginStep:
        for index, message in enumerate(messages):
            if message.has("Response") and not message.has("Event"):
                self._check_answer(message)
                self.state = LoginState.BOOT
                may_boot = self._login.receives_system and not self._is_old
                patience = self._times.boot if may_boot else self._times.boot_silence
                self._boot_limit = now + patience
                return self._take_boot(messages[index + 1 :], now, came=True)
        if now >= self.wake_at:
            raise self._too_late()
        return LoginStep()

    def _check_answer(self, message: Message) -> None:
        text = message.get("Message")
        if message.get("Response").lower() == "success":
            self.proxy_path = message.get("ProxyPath")
            return
        if text.lower() in _PASSING:
            raise PeerGone(f"not logged in: {text}")
        raise LoginRefused(f"log-in of {self._login.user} refused: {text}")

    def _take_boot(self, messages: list[Message], now: float, *, came: bool) -> LoginStep:
        if not self._login.receives_events:
            self.state = LoginState.LIVE
            return LoginStep(live=messages)
        for index, message in enumerate(messages):
            if message.get("Event").lower() == "fullybooted":
                self.state = LoginState.LIVE
                return LoginStep(early=messages[:index], live=messages[index:])
        if now >= (self._boot_limit if came else self.wake_at):
            self.state = LoginState.LIVE
        elif came:
            self.wake_at = min(self._boot_limit, now + self._times.boot_silence)
        return LoginStep(early=messages)

    def _too_late(self) -> PeerGone:
        return PeerGone(f"{self.state.value} in time")
