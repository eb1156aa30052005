# SPDX-License-Identifier: GPL-2.0-or-later
"""The log-in dialogue with an Asterisk, without sockets and without waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.errors import LoginRefused, PeerGone, ProtocolError
from amiproxy.wire.framing import Framer
from amiproxy.wire.login import Login, LoginDialogue, LoginState, LoginTimes

if TYPE_CHECKING:
    from amiproxy.message import Message

START = 1000.0
BANNER = b"Asterisk Call Manager/11.0.0\r\n"
OLD_BANNER = b"Asterisk Call Manager/1.0\r\n"
ACCEPTED = b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n"
BOOTED = b"Event: FullyBooted\r\nPrivilege: system,all\r\n\r\n"
EARLY = b"Event: Newchannel\r\nPrivilege: call,all\r\nUniqueid: 1.1\r\n\r\n"
LATER = b"Event: Hangup\r\nPrivilege: call,all\r\nUniqueid: 1.1\r\n\r\n"
LOGIN = b"Action: Login\r\nUsername: ann\r\nSecret: s3cret\r\nEvents: on\r\n\r\n"


class Course:
    """A dialogue, and all that it has led to."""

    def __init__(self, *, events: bool = True, system: bool = True, timeout: float = 10.0) -> None:
        self.dialogue = LoginDialogue(
            Framer(65536),
            START,
            Login("ann", "s3cret", "on", receives_events=events, receives_system=system),
            LoginTimes(timeout, banner=2.0, boot_silence=3.0, boot=60.0),
        )
        self.now = START
        self.sent = b""
        self.early: list[Message] = []
        self.live: list[Message] = []

    def state(self) -> LoginState:
        """What the dialogue waits for."""
        return self.dialogue.state

    @property
    def wait(self) -> float:
        """For how many seconds it would wait now."""
        return self.dialogue.wake_at - self.now

    def feed(self, data: bytes, *, after: float = 0.0) -> None:
        """Feed *data* so many seconds later."""
        self.now += after
        step = self.dialogue.feed(data, self.now)
        self.sent += step.send
        self.early += step.early
        self.live += step.live

    def sleep(self) -> None:
        """Let as much time pass as it wants to wait."""
        self.feed(b"", after=self.wait)


def names(messages: list[Message]) -> list[str]:
    return [message.get("Event") for message in messages]


def test_it_logs_in_after_the_banner_and_is_live_with_fullybooted() -> None:
    """FullyBooted is the first message for clients, whatever came before it."""
    login = Course()

    login.feed(BANNER)
    assert (login.sent, login.state()) == (LOGIN, LoginState.ANSWER)
    login.feed(ACCEPTED + EARLY)
    assert login.state() is LoginState.BOOT
    login.feed(BOOTED + LATER)

    assert login.state() is LoginState.LIVE
    assert names(login.early) == ["Newchannel"]
    assert names(login.live) == ["FullyBooted", "Hangup"]
    assert login.sent == LOGIN


@given(cuts=st.lists(st.integers(0, len(BANNER + ACCEPTED + EARLY + BOOTED))))
def test_the_dialogue_does_not_depend_on_how_bytes_arrive(cuts: list[int]) -> None:
    """However TCP cuts the stream, the same comes out."""
    stream = BANNER + ACCEPTED + EARLY + BOOTED
    edges = [0, *sorted(cuts), len(stream)]
    login = Course()

    for start, end in zip(edges, edges[1:]):
        login.feed(stream[start:end])

    assert (login.sent, login.state()) == (LOGIN, LoginState.LIVE)
    assert (names(login.early), names(login.live)) == (["Newchannel"], ["FullyBooted"])


def test_a_message_that_has_not_ended_stays_in_the_framer() -> None:
    """What is read next completes it."""
    framer = Framer(65536)
    login = Login("ann", "s", "on", receives_events=True, receives_system=True)
    dialogue = LoginDialogue(framer, START, login, LoginTimes(10.0))
    dialogue.feed(BANNER + ACCEPTED + BOOTED + LATER[:20], START)

    assert framer.feed(LATER[20:]).wire == LATER


def test_a_missing_banner_is_waited_for_and_done_without() -> None:
    """The log-in goes after two seconds; such an Asterisk is taken for an old one."""
    login = Course()

    assert login.wait == 2.0
    login.sleep()
    assert (login.sent, login.state()) == (LOGIN, LoginState.ANSWER)
    assert login.wait == 8.0  # the limit counts from the connection on
    login.feed(ACCEPTED)
    login.sleep()

    assert login.state() is LoginState.LIVE


@pytest.mark.parametrize(
    ("data", "timeout", "error"),
    [
        (b"", 1.0, "no banner in time"),
        (BANNER[:5], 10.0, "no banner in time"),
        (BANNER, 10.0, "no answer to the log-in in time"),
        (BANNER + EARLY, 10.0, "no answer to the log-in in time"),
    ],
)
def test_time_limits_end_the_dialogue(data: bytes, timeout: float, error: str) -> None:
    """A server that accepts and says nothing, or half of it."""
    login = Course(timeout=timeout)
    login.feed(data)

    with pytest.raises(PeerGone, match=error):
        login.sleep()


def test_being_woken_too_early_changes_nothing() -> None:
    """No time has passed, and nothing came."""
    login = Course()
    for data in (BANNER, ACCEPTED, b""):
        state, wait = login.state(), login.wait
        login.feed(b"")
        assert (login.state(), login.wait, login.sent.count(LOGIN)) == (state, wait, data != BANNER)
        login.feed(data)


def test_a_banner_without_end_is_refused() -> None:
    """8 KB of garbage are not a banner; a long read behind a banner is not garbage."""
    with pytest.raises(ProtocolError, match="no line end in the banner"):
        Course().feed(b"\x00\xff" * 5000)
    with pytest.raises(ProtocolError, match="no line end in the banner"):
        Course().feed(b"A" * 9000 + b"\r\n")  # clients would have to be greeted with it
    login = Course()
    login.feed(BANNER + EARLY * 200)

    assert login.state() is LoginState.ANSWER


@pytest.mark.parametrize("text", ["Authentication failed", "Permission denied", ""])
def test_a_refused_login_is_final(text: str) -> None:
    """Whatever the refusal says; the error names the user and never the secret."""
    login = Course()
    login.feed(BANNER)

    with pytest.raises(LoginRefused) as caught:
        login.feed(f"Response: Error\r\nMessage: {text}\r\n\r\n".encode())

    assert str(caught.value) == f"log-in of ann refused: {text}"


@pytest.mark.parametrize("text", ["Asterisk is shutting down", "Login already in use"])
def test_a_refusal_that_passes_is_tried_again(text: str) -> None:
    """Nothing is wrong with the user or the secret."""
    login = Course()
    login.feed(BANNER)

    with pytest.raises(PeerGone, match=f"not logged in: {text}"):
        login.feed(f"Response: Error\r\nMessage: {text}\r\n\r\n".encode())


def test_silence_counts_as_fullybooted() -> None:
    """Three seconds of it, counted from the last byte, even in the middle of a message."""
    login = Course()
    login.feed(BANNER + ACCEPTED)
    assert login.wait == 3.0
    login.feed(EARLY[:9], after=2.9)
    assert (login.state(), login.wait) == (LoginState.BOOT, 3.0)
    login.sleep()

    assert login.state() is LoginState.LIVE
    assert login.live == []


@pytest.mark.parametrize(
    ("banner", "system", "limit"),
    [(BANNER, True, 60.0), (OLD_BANNER, True, 3.0), (BANNER, False, 3.0)],
)
def test_a_busy_asterisk_is_not_waited_for_for_ever(
    banner: bytes, system: bool, limit: float
) -> None:
    """A minute, or three seconds where no FullyBooted can come: old, or a mask without system."""
    login = Course(system=system)
    login.feed(banner + ACCEPTED)
    began = login.now

    while login.state() is not LoginState.LIVE:
        login.feed(EARLY, after=0.5)

    assert login.now - began == limit
    assert len(login.early) == limit / 0.5
    assert login.live == []


def test_without_events_there_is_nothing_to_wait_for() -> None:
    """With ``off`` no FullyBooted comes: the answer is enough."""
    login = Course(events=False, system=False)

    login.feed(BANNER + ACCEPTED + LATER)

    assert login.state() is LoginState.LIVE
    assert names(login.live) == ["Hangup"]


def test_an_event_with_a_response_header_is_no_answer() -> None:
    """OriginateResponse has one."""
    login = Course()
    login.feed(BANNER)
    login.feed(b"Event: OriginateResponse\r\nResponse: Failure\r\n\r\n")

    assert login.state() is LoginState.ANSWER
