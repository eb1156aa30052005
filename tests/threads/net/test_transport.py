# SPDX-License-Identifier: GPL-2.0-or-later
"""Transport and flusher: sends never wait, a peer that takes nothing is dropped."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from amiproxy.basics.deadline import Deadline
from amiproxy.errors import PeerGone, SlowPeer
from amiproxy.threads.net.parting import flush_until
from tests.support import wait_until

if TYPE_CHECKING:
    from amiproxy.threads.net.flusher import Flusher
    from amiproxy.threads.net.transport import Transport
    from tests.threads.conftest import MakePair


def send(transport: Transport, data: bytes) -> None:
    with transport.lock:
        transport.send(data)


def fill(transport: Transport) -> bytes:
    """Send until the socket takes no more; return all that was sent."""
    sent = b""
    while not transport.backlog:
        send(transport, b"x" * 1000)
        sent += b"x" * 1000
    return sent


def no_memory(*_: object) -> None:
    raise MemoryError


def read(sock: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        data += sock.recv(65536)
    return bytes(data)


def test_what_the_socket_does_not_take_follows_in_order(pair: MakePair) -> None:
    """The backlog is flushed by itself once the other side reads on."""
    transport, theirs = pair()
    first = fill(transport)
    for index in range(50):
        send(transport, b"%04d" % index)

    data = read(theirs, len(first) + 200)

    assert data == first + b"".join(b"%04d" % index for index in range(50))
    wait_until(lambda: transport.backlog == 0)


def test_sending_to_a_peer_that_does_not_read_takes_no_time(pair: MakePair) -> None:
    """Hundreds of sends to a full socket return, whatever the other side does."""
    transport, _theirs = pair()
    fill(transport)

    for _ in range(500):
        send(transport, b"y" * 1000)

    assert transport.backlog >= 500 * 1000
    assert transport.end_reason is None


def test_a_peer_that_takes_nothing_is_dropped(pair: MakePair) -> None:
    """After write_timeout without progress the owner's recv ends and says why."""
    transport, _theirs = pair(write_timeout=0.05)
    fill(transport)

    with pytest.raises(SlowPeer, match="took nothing for 50 ms"):
        transport.recv(timeout=30)


def test_a_short_limit_counts_while_another_is_given_longer(
    pair: MakePair, flusher: Flusher
) -> None:
    """Each has its own time, though the flusher waits for the patient one already."""
    patient, _ = pair(write_timeout=60.0)
    quick, _ = pair(write_timeout=0.1)
    fill(patient)
    wait_until(lambda: flusher.wakes_at > time.monotonic() + 0.3, what="the flusher waits")

    fill(quick)

    wait_until(lambda: quick.end_reason is not None, timeout=5)
    assert patient.end_reason is None


def test_a_peer_that_takes_a_little_now_and_then_stays(pair: MakePair) -> None:
    """Progress counts, not speed."""
    transport, theirs = pair(write_timeout=0.5)
    total = len(fill(transport))
    for _ in range(100):
        send(transport, b"z" * 1000)
    total += 100_000
    seen = 0
    deadline = Deadline(20)
    while seen < total and not deadline.over:
        seen += len(theirs.recv(2000))
        time.sleep(0.005)  # a slow reader, not a wait for a condition

    assert seen == total
    assert transport.end_reason is None


def test_an_answer_over_the_limit_arrives_whole(pair: MakePair) -> None:
    """What it is sent meanwhile follows; a client that reads is not dropped for its size."""
    transport, theirs = pair(max_backlog=100_000)
    first = fill(transport)
    for index in range(40):
        send(transport, b"%d" % (index % 10) * 15_000)

    data = read(theirs, len(first) + 600_000)

    assert data.endswith(b"9" * 15_000)
    assert transport.end_reason is None


def test_a_peer_that_leaves_much_lying_is_dropped_soon(pair: MakePair) -> None:
    """Memory a client can cost is bounded."""
    transport, _theirs = pair(max_backlog=10_000, write_timeout=60.0)
    fill(transport)

    for index in range(17):
        send(transport, bytes([index]) * 10_000)

    with pytest.raises(SlowPeer, match=r"leaves \d{6} bytes unread while \d{6} more came"):
        transport.recv()
    assert transport.backlog == 0


def test_a_send_that_fails_for_want_of_memory_costs_one_session(
    pair: MakePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sends goes on with the others."""
    transport, theirs = pair()
    fill(transport)
    monkeypatch.setattr("amiproxy.threads.net.backlog.Backlog.append", no_memory)

    send(transport, b"too much")

    with pytest.raises(PeerGone, match="MemoryError"):
        transport.recv(timeout=5)
    transport.close()
    while theirs.recv(65536):
        pass


def test_to_close_needs_no_memory(
    pair: MakePair, flusher: Flusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that fails does not keep the others from being taken."""
    transport, theirs = pair()
    fill(transport)
    theirs.sendall(b"unread" * 1000)
    monkeypatch.setattr(flusher, "forget", no_memory)
    monkeypatch.setattr("amiproxy.threads.net.transport.PeerGone", no_memory)

    with pytest.raises(MemoryError):
        transport.close()

    assert transport.fileno() == -1
    assert transport.end_reason is not None


@pytest.mark.parametrize("how", ["abort", "finish"])
def test_any_thread_may_end_the_session(pair: MakePair, how: str) -> None:
    """An owner that waits in recv wakes up and finds the first reason."""
    transport, _theirs = pair()
    ended: list[str] = []

    def own() -> None:
        try:
            transport.recv()
        except PeerGone as error:
            ended.append(str(error))

    owner = threading.Thread(target=own)
    owner.start()
    if how == "finish":
        transport.finish("no more")
    with transport.lock:
        transport.abort(PeerGone("no more"))
        transport.abort(PeerGone("too late"))
    owner.join(10)

    assert ended == ["no more"]


def test_what_was_said_before_the_end_is_still_sent(pair: MakePair) -> None:
    """finish() keeps the backlog for flush_until()."""
    transport, theirs = pair()
    first = fill(transport)
    send(transport, b"bye")
    transport.finish("stopping")
    owner = threading.Thread(target=flush_until, args=(transport, Deadline(10)))
    owner.start()

    assert read(theirs, len(first) + 3).endswith(b"bye")
    owner.join(10)


def test_flush_until_is_over_in_time(pair: MakePair) -> None:
    """The other side takes nothing: what waits is given up."""
    transport, _theirs = pair()
    fill(transport)

    flush_until(transport, Deadline(0.02))

    assert transport.backlog


def test_recv_tells_time_over_from_end(pair: MakePair) -> None:
    """None is not now, b"" is never again."""
    transport, theirs = pair()

    assert transport.recv(timeout=0.01) is None
    theirs.sendall(b"abc")
    assert transport.peek(5, 8) == b"abc"
    assert transport.recv() == b"abc"
    assert transport.recv_into(memoryview(bytearray(10)), 0.01) is None
    theirs.sendall(b"def")
    buffer = bytearray(10)
    assert transport.recv_into(memoryview(buffer)) == 3
    assert buffer[:3] == b"def"
    theirs.shutdown(socket.SHUT_WR)
    assert transport.recv() == b""
    assert transport.recv_into(memoryview(buffer)) == 0


def test_a_reset_connection_is_an_end(pair: MakePair) -> None:
    """Sending to a peer that is gone never raises; the owner finds out."""
    transport, theirs = pair()
    theirs.close()

    for _ in range(5):
        send(transport, b"x" * 100)

    with pytest.raises(PeerGone):
        transport.recv(timeout=5)


@pytest.mark.parametrize("most", [100_000, 1 << 20])
def test_a_long_answer_goes_as_fast_as_it_is_taken(pair: MakePair, most: int) -> None:
    """send_all() waits for room, however little may wait to be sent."""
    transport, theirs = pair(max_backlog=most)
    data = bytes(range(256)) * 20_000
    sender = threading.Thread(target=transport.send_all, args=(data,))
    sender.start()

    assert read(theirs, len(data)) == data
    sender.join(10)


def test_a_wait_in_send_all_is_bounded(pair: MakePair) -> None:
    """A client that asks and does not read its answer is dropped."""
    transport, _theirs = pair(write_timeout=0.05)

    with pytest.raises(SlowPeer):
        transport.send_all(b"x" * 5_000_000)


def test_it_lingers_and_waits_for_the_other_side(pair: MakePair) -> None:
    """It reads our end after our last answer, and what it still sends does no harm."""
    transport, theirs = pair()
    send(transport, b"last")
    theirs.sendall(b"too late")
    owner = threading.Thread(target=transport.linger, args=(Deadline(10),))
    owner.start()

    assert theirs.recv(100) == b"last"
    assert theirs.recv(100) == b""
    theirs.close()
    owner.join(10)
    assert not owner.is_alive()


class Announcing:
    """A lock that tells when somebody comes for it."""

    def __init__(self) -> None:
        self.held = threading.Lock()
        self.wanted = threading.Event()

    def locked(self) -> bool:
        return self.held.locked()

    def __enter__(self) -> None:
        self.wanted.set()
        self.held.acquire()

    def __exit__(self, *_: object) -> None:
        self.held.release()


def test_a_send_during_the_close_leaves_nothing_with_the_flusher(
    pair: MakePair, flusher: Flusher
) -> None:
    """Otherwise a closed connection would be checked for ever, a hundred times a second."""
    transport, _theirs = pair()
    lock = Announcing()
    transport.lock = lock  # type: ignore[assignment]
    closing = threading.Thread(target=transport.close)
    with lock.held:
        closing.start()
        assert lock.wanted.wait(10)
        while not transport.backlog:
            transport.send(b"x" * 1000)
    closing.join(10)

    assert not flusher.is_watching(transport)
