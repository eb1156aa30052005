# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of a real Asterisk are made of finds what is wrong; none of this needs one."""

from __future__ import annotations

import pytest

from amiproxy.message import Message
from tests.asterisk.compare import WrongServerError, compared, without_server
from tests.asterisk.decoding import DECODERS, NotReadableError
from tests.asterisk.figures import Figures
from tests.asterisk.ownership import Owner, Share, beside, unannounced
from tests.asterisk.phones.message import SipMessage, credentials, tag, uri, written
from tests.handlers.support import write

EVENTS = [
    (b"Event: Newchannel", b"Channel: PJSIP/101-1", b"Uniqueid: 1.1", b"Linkedid: 1.1"),
    (b"Event: VarSet", b"Channel: PJSIP/101-1", b"Uniqueid: 1.1", b"Linkedid: 1.1"),
    (b"Event: Hangup", b"Channel: PJSIP/101-1", b"Uniqueid: 1.1", b"Linkedid: 1.1"),
]
#: Lines that are not easy to write in every format.
ODD = (
    b"Event: Odd", b"Latin: M\xfcller", b"Utf8: M\xc3\xbcller", b"Quote: \"'<&>\\", b"Empty: ",
    b"Twice: a", b"Between: b", b"Twice: \xe9", b"No colon here", b"Colon: a: b: c", b"No:blank",
    b"Bell: \x07\x1b", b"  indented: x",
)  # fmt: skip


def event(name: str, *lines: str) -> tuple[bytes, ...]:
    """Return the event *name*."""
    return tuple(line.encode() for line in (f"Event: {name}", *lines))


@pytest.mark.parametrize("name", ["standard", "xml", "csv", "json"])
def test_every_byte_comes_back_from_every_format(name: str) -> None:
    """The decoders share no code with what writes."""
    data = b"".join(write(name, Message(b"\r\n".join(one) + b"\r\n\r\n")) for one in (ODD, *EVENTS))

    assert DECODERS[name](data) == [ODD, *EVENTS]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("standard", b"Event: A\r\n\r\n\r\nEvent: B\r\n\r\n"),
        ("standard", b"Event: A\r\n\r\nhalf"),
        ("xml", b"x<AsteriskManagerOutput>\r\n</AsteriskManagerOutput>\r\n\r\n"),
        ("json", b"{}\n{"),
        ("asterisk", b"Event: A\r\n\r\nhalf"),
    ],
)
def test_what_is_no_message_is_not_passed_over(name: str, data: bytes) -> None:
    """A blank line too many is one that a proxy must not write, but Asterisk does."""
    try:
        found = DECODERS[name](data)
    except NotReadableError:
        return
    assert found == [(b"Event: A",), (b"", b"Event: B")]


def test_asterisk_may_write_a_blank_line_too_many() -> None:
    """It does behind TestEvents."""
    data = b"Event: A\r\n\r\n\r\nEvent: B\r\n\r\n\r\n"

    assert DECODERS["asterisk"](data) == [(b"Event: A",), (b"Event: B",)]


@pytest.mark.parametrize(
    "seen",
    [
        EVENTS[1:],
        EVENTS[:1] + EVENTS[2:],
        [EVENTS[0], EVENTS[2], EVENTS[1]],
        [*EVENTS, EVENTS[0]],
        [EVENTS[0], (*EVENTS[1][:-1], b"Linkedid: 1.1 "), EVENTS[2]],
    ],
)
def test_what_is_missing_moved_double_or_changed_is_told(seen: list[tuple[bytes, ...]]) -> None:
    """A blank at the end of a line is enough."""
    assert compared(EVENTS, EVENTS).differences == []
    assert compared(EVENTS, seen).differences != []


def test_server_stands_once_and_at_the_end() -> None:
    """It says which Asterisk."""
    mark = b"Server: pbx"

    assert without_server([(b"Event: A", mark)], "pbx") == [(b"Event: A",)]
    for wrong in [(b"Event: A",), (b"Event: A", mark, mark), (mark, b"Event: A")]:
        with pytest.raises(WrongServerError):
            without_server([wrong], "pbx")


CALL = [
    event("Newchannel", "Channel: PJSIP/101-1", "Uniqueid: 1.1", "Linkedid: 1.1"),
    event("Newchannel", "Channel: PJSIP/102-2", "Uniqueid: 1.2", "Linkedid: 1.1"),
    event("DialBegin", "Uniqueid: 1.1", "Linkedid: 1.1", "DestUniqueid: 1.2", "DestLinkedid: 1.1"),
    event("Newchannel", "Channel: PJSIP/103-3", "Uniqueid: 1.3", "Linkedid: 1.3"),
    event("DeviceStateChange", "Device: PJSIP/102", "State: INUSE"),
    event("ContactStatus", "AOR: 103", "EndpointName: 103"),
    event("Hangup", "Channel: PJSIP/102-2", "Uniqueid: 1.2", "Linkedid: 1.1"),
    event("Cdr", "Channel: PJSIP/101-1", "UniqueID: 1.1"),
]  # fmt: skip


def test_what_is_whose_follows_from_a_recording() -> None:
    """The call from the moment that it is somebody's, and the device."""

    def own(device: str) -> list[int]:
        owner = Owner(device)
        return [number for number, one in enumerate(CALL) if owner.share(one) is Share.OWN]

    assert own("PJSIP/101") == [0, 1, 2, 6, 7]
    assert own("PJSIP/102") == [1, 2, 4, 6, 7]
    assert own("PJSIP/103") == [3, 5]
    assert own("PJSIP/10") == []


def test_a_user_is_compared_with_what_is_his() -> None:
    """A Newchannel of the past may be sent once more; nothing else."""
    owner = Owner("PJSIP/102")
    shared = [(one, owner.share(one)) for one in CALL]
    mine = [one for one, share in shared if share is Share.OWN]

    assert beside(shared, mine) == (5, [], [], [])
    assert beside(shared, [CALL[0], *mine]).replayed == [CALL[0]]
    assert beside(shared, [*mine, CALL[5]]).foreign == [CALL[5]]
    assert beside(shared, mine[1:]).missing == mine[:1]
    assert beside(shared, [mine[1], mine[0], *mine[2:]]).missing == mine[:1]
    assert unannounced(mine, set()) == [CALL[2]]
    assert unannounced([CALL[0], *mine], set()) == []


def test_figures_add_up() -> None:
    """By flow, and in all."""
    figures = Figures()
    figures.flow("talk", 100, 3)
    figures.flow("hold", 50, 2)
    figures.counts["actions"] += 7

    assert figures.text().splitlines()[1:] == [
        f"{'talk':32} {100:>7} {3:>8} {300:>9}",
        f"{'hold':32} {50:>7} {2:>8} {100:>9}",
        f"{'all':32} {150:>7} {'':>8} {400:>9}",
        "actions: 7",
    ]


def test_phones_read_and_write_sip() -> None:
    """Short forms, tags, addresses, the branch."""
    lines = ["v: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bKa;rport", 'f: "A" <sip:a@b>;tag=t',
             "t: <sip:c@d>", "i: id", "CSeq: 7 INVITE"]  # fmt: skip
    message = SipMessage.parse(written("SIP/2.0 180 Ringing", lines, "body"))

    assert (message.code, message.method, message.number) == (180, "INVITE", 7)
    assert (message.branch, message.body) == ("z9hG4bKa", "body")
    assert (tag(message.get("from")), uri(message.get("from"))) == ("t", "sip:a@b")
    assert (tag(message.get("to")), uri(message.get("to"))) == ("", "sip:c@d")
    assert message.get("content-length") == "4"


def test_phones_give_credentials() -> None:
    """The example of RFC 2617, 3.5, without qop."""
    head = (
        'Digest realm="testrealm@host.com",nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",opaque="5c"'
    )
    challenge = SipMessage.parse(
        written("SIP/2.0 401 Unauthorized", [f"WWW-Authenticate: {head}", "CSeq: 1 GET"])
    )

    given = credentials(challenge, "Mufasa", "Circle Of Life", "GET", "/dir/index.html")

    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in given
    assert given.endswith(',opaque="5c"')
