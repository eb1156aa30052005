# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may be sent a plain answer as it is; that it is the same answer, test_plain_ways.py tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.access.user import User
from amiproxy.routing.pending import PendingAction
from amiproxy.routing.plainanswers import PlainAnswer
from amiproxy.threads.net.transport import Transport
from tests.threads.sessions.support import FORMATS, received, session_over

if TYPE_CHECKING:
    import pytest

    from amiproxy.threads.sessions.streamsession import StreamSession
    from tests.threads.conftest import MakePair

RAW = b"Response: Success\r\nPing: Pong\r\n\r\n"


def answer_to(session: StreamSession) -> list[PlainAnswer]:
    """Return the answer to what *session* has asked just now."""
    return [PlainAnswer(PendingAction(session.number, b"", private=True), RAW, True)]


def test_an_answer_is_sent_as_it_is(pair: MakePair) -> None:
    """To a client that reads AMI and needs not log in."""
    transport, theirs = pair()
    session = session_over(transport)

    assert session.take_answers(answer_to(session))
    assert received(theirs) == RAW


def test_who_logs_in_gets_no_answer_to_what_another_user_has_asked(pair: MakePair) -> None:
    """Even if it is on its way just then, found by the number that the session had."""
    transport, theirs = pair()
    session = session_over(transport)
    answers = answer_to(session)
    session.log_in(User("ann", "secret"), None)

    assert not session.take_answers(answers)
    assert not received(theirs)


def test_a_client_that_was_not_answered_yet_is_looked_at(pair: MakePair) -> None:
    """Its answer comes before what is held back; and so is one that may see nothing."""
    transport, theirs = pair()
    session = session_over(transport)
    session.hold_back()
    stranger = session_over(pair()[0], guarded=True)

    assert not session.take_answers(answer_to(session))
    assert not stranger.take_answers(answer_to(stranger))
    session.release()
    assert session.take_answers(answer_to(session))
    assert received(theirs) == RAW


def test_a_client_of_another_format_is_looked_at(pair: MakePair) -> None:
    """The answer has to be written in it."""
    session = session_over(pair()[0], output=FORMATS["json"])

    assert not session.take_answers(answer_to(session))


def test_who_cannot_be_sent_an_answer_is_dropped_alone(
    pair: MakePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For want of memory, say: the server's thread has others to answer."""
    session = session_over(pair()[0])

    def fail(_transport: Transport, _data: bytes) -> None:
        raise MemoryError

    monkeypatch.setattr(Transport, "send", fail)

    assert session.take_answers(answer_to(session))
    assert session.ended
