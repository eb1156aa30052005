# SPDX-License-Identifier: GPL-2.0-or-later
"""What another proxy sends is cut where the server changes, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.message import END
from amiproxy.wire.framing import Framer
from amiproxy.wire.inner import runs, server_of

TEXT = b"Response: Follows\r\n%bPrivilege: Command\r\nActionID: 5\r\na\n\nServer: text\n--END COMMAND--\r\n%b\r\n"

values = st.text(st.characters(blacklist_characters="\r\n", max_codepoint=255), max_size=70).map(
    lambda text: text.encode("latin-1")
)
servers = st.one_of(st.sampled_from([b"pbx1", b"PBX2", b"10.0.0.1", b"fd00::1"]), values)
lines = st.builds(
    lambda name, value: name + b": " + value, st.sampled_from([b"A", b"Server"]), values
)


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, bytes | None]:
    """Return a message and which server a proxy has put behind it, None for none."""
    kind = draw(st.sampled_from([b"Event: X", b"Response: Success"]))
    server = draw(st.none() | servers)
    last = [b"Server: " + server] if server is not None else [b"Last: 1"]
    return b"\r\n".join([kind, *draw(st.lists(lines, max_size=3)), *last]) + END, server


@given(st.lists(messages(), max_size=12), st.lists(st.integers(1, 60), max_size=6))
def test_the_runs_are_the_messages_in_order(
    sent: list[tuple[bytes, bytes | None]], cuts: list[int]
) -> None:
    """However they were cut into reads, and whatever they say."""
    data = b"".join(raw for raw, _ in sent)
    framer = Framer(1 << 20)
    found: list[tuple[str, bytes]] = []
    at = 0
    for size in [*cuts, len(data) + 1]:
        for name, chunk in runs(framer.feed(data[at : at + size])) if data[at : at + size] else ():
            messages = [message.raw for message in chunk.messages()]
            assert messages
            assert chunk.number in (0, len(messages))
            assert not chunk.only_events or all(raw.startswith(b"Event: ") for raw in messages)
            found += [(name, raw) for raw in messages]
        at += size
    assert [raw for _, raw in found] == [raw for raw, _ in sent]
    for (name, _), (_, server) in zip(found, sent):
        assert name in ("", (server or b"").decode("latin-1").lower())
        if server in (b"pbx1", b"PBX2", b"10.0.0.1", b"fd00::1"):
            assert name == (server or b"").decode().lower()


def test_messages_in_a_row_of_one_server_stay_together() -> None:
    """One batch for each, and the bytes as they are where there is one server only."""
    framer = Framer(1 << 20)
    one, other = b"Event: A\r\nServer: pbx1" + END, b"Event: B\r\nServer: pbx2" + END
    own = b"Event: C" + END

    whole = framer.feed(one * 3)
    assert [(name, chunk is whole) for name, chunk in runs(whole)] == [("pbx1", True)]

    found = [(name, chunk.number) for name, chunk in runs(framer.feed(one * 2 + other + own + one))]
    assert found == [("pbx1", 2), ("pbx2", 1), ("", 1), ("pbx1", 1)]


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"Event: A\r\nServer: far\r\nServer: Near\r\n\r\n", "near"),
        (b"Event: A\r\nServer: forged\r\nX: 1\r\n\r\n", ""),
        (b"Event: ProxyServerLost\r\nPrivilege: system,all\r\nServer: Pbx1\r\nX: 1\r\n\r\n", "pbx1"),
        (b"Event: ProxyServerConnected\r\nServer: p\r\nServer: q\r\n\r\n", "p"),
        (b"Event: ProxyServerGone\r\nServer: p\r\nX: q\r\n\r\n", ""),
        (b"Event: ProxyServerLost\r\nX: 1\r\n\r\n", ""),
        (b"Server: alone\r\n\r\n", ""),
        (b"Event: A\r\nServer: \r\n\r\n", ""),
        (b"Event: A\r\nServer: a b\r\n\r\n", ""),
        (b"Event: A\r\nServer: -a\r\n\r\n", ""),
        (b"Event: A\r\nServer: " + b"a" * 64 + b"\r\n\r\n", "a" * 64),
        (b"Event: A\r\nServer: " + b"a" * 65 + b"\r\n\r\n", ""),
        (b"Response: Success\r\nServer: pbx1\r\nOutput: a\r\nOutput: b\r\n\r\n", "pbx1"),
        (b"Response: Success\r\nOutput: a\r\nServer: pbx1\r\n\r\n", "pbx1"),
        (b"Response: Success\r\nOutput: a\r\nOutput: Server: no\r\n\r\n", ""),
        (b"Event: A\r\nServer: x\r\nOutput: a\r\n\r\n", ""),
        (TEXT % (b"", b""), ""),
        (TEXT % (b"Server: pbx1\r\n", b""), "pbx1"),
        (TEXT % (b"Server: far\r\nServer: near\r\n", b""), "near"),
        (TEXT % (b"", b"Server: pbx2\r\n"), "pbx2"),
        (TEXT % (b"Server: far\r\n", b"Server: near\r\n"), "near"),
    ],
)  # fmt: skip
def test_which_server_a_message_is_from(raw: bytes, name: str) -> None:
    """What the next proxy has written counts, where it writes it, and nothing else."""
    assert server_of(raw) == name


def test_text_that_no_command_ends_is_of_the_server_behind_its_first_line() -> None:
    """Its last line is a value like any other: Asterisk may say anything there."""
    raw = b"Response: Follows\r\nServer: pbx1\r\nA: 1\r\nServer: other\r\n\r\n"

    assert server_of(raw) == "pbx1"
