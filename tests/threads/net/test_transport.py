# SPDX-License-Identifier: GPL-2.0-or-later
"""Transport and flusher: sends never wait, who takes nothing is dropped."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from amiproxy.errors import PeerGone, SlowPeer
from amiproxy.threads.net.flusher import FLUSHER
from amiproxy.threads.net.transport import Transport
from tests.support import wait_until


@pytest.fixture
def pair():
    made = []

    def make(**options):
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        settings = {"write_timeout": 5.0, "max_backlog": 1 << 20, **options}
        transport = Transport(ours, "peer", **settings)
        made.extend((transport, theirs))
        return transport, theirs

    yield make
    for each in made:
        each.close()


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


def read(sock: socket.socket, count: int) -> bytes:
    sock.settimeout(10)
    data = b""
    while len(data) < count:
        data += sock.recv(65536)
    return data


def test_what_the_socket_does_not_take_follows_in_order(pair):
    """The backlog is flushed by itself once the other side reads on."""
    transport, theirs = pair()
    first = fill(transport)
    for index in range(50):
        send(transport, b"%04d" % index)

    data = read(theirs, len(first) + 200)

    assert data == first + b"".join(b"%04d" % index for index in range(50))
    wait_until(lambda: transport.backlog == 0)


def test_sending_to_who_does_not_read_takes_no_time(pair):
    """Thousands of sends to a full socket return, whatever the other side does."""
    transport, _theirs = pair()
    fill(transport)

    for _ in range(500):
        send(transport, b"y" * 1000)

    assert transport.backlog >= 500 * 1000
    assert not transport.dropped


def test_who_takes_nothing_is_dropped(pair):
    """After write_timeout without progress the owner's recv ends and says why."""
    transport, _theirs = pair(write_timeout=0.05)
    fill(transport)

    with pytest.raises(SlowPeer, match="took nothing for 50 ms"):
        transport.recv(timeout=30)


def test_who_takes_nothing_is_dropped_in_time_while_another_is_given_longer(pair):
    """Each has its own time, though the flusher waits for the patient one already."""
    patient, _ = pair(write_timeout=60.0)
    quick, _ = pair(write_timeout=0.1)
    fill(patient)
    wait_until(lambda: FLUSHER._looks_at > time.monotonic() + 30, what="the flusher waits")

    fill(quick)

    wait_until(lambda: quick.dropped, timeout=5)
    assert not patient.dropped


def test_who_takes_a_little_now_and_then_stays(pair):
    """Progress counts, not speed."""
    transport, theirs = pair(write_timeout=0.5)
    total = len(fill(transport))
    for _ in range(100):
        send(transport, b"z" * 1000)
    total += 100_000
    seen = 0
    deadline = time.monotonic() + 20
    while seen < total and time.monotonic() < deadline:
        seen += len(theirs.recv(2000))
        time.sleep(0.005)  # a slow reader, not a wait for a condition

    assert seen == total
    assert not transport.dropped


def test_a_backlog_over_its_limit_ends_the_session(pair):
    """Memory a client can cost is bounded."""
    transport, _theirs = pair(max_backlog=10_000)
    fill(transport)

    send(transport, b"w" * 20_000)

    with pytest.raises(SlowPeer, match="10000 may wait"):
        transport.recv()
    assert transport.backlog == 0


def test_any_thread_may_let_the_session_go(pair):
    """drop() wakes an owner that waits in recv."""
    transport, _theirs = pair()
    ended = []

    def own():
        try:
            transport.recv()
        except PeerGone as error:
            ended.append(str(error))

    owner = threading.Thread(target=own)
    owner.start()
    transport.drop("no more")
    owner.join(10)

    assert ended == ["no more"]


def test_what_was_said_before_the_end_is_still_drained(pair):
    """finish() keeps the backlog for drain()."""
    transport, theirs = pair()
    first = fill(transport)
    send(transport, b"bye")
    transport.finish("stopping")
    reader = threading.Thread(target=transport.drain, args=(time.monotonic() + 10,))
    reader.start()

    assert read(theirs, len(first) + 3).endswith(b"bye")
    reader.join(10)


def test_recv_tells_time_over_from_end(pair):
    """None is not now, b"" is never again."""
    transport, theirs = pair()

    assert transport.recv(timeout=0.01) is None
    theirs.sendall(b"abc")
    assert transport.peek(5) == b"abc"
    assert transport.recv() == b"abc"
    theirs.shutdown(socket.SHUT_WR)
    assert transport.recv() == b""


def test_a_reset_connection_is_an_end(pair):
    """Sending to who is gone never raises; the owner finds out."""
    transport, theirs = pair()
    theirs.close()

    for _ in range(5):
        send(transport, b"x" * 100)

    with pytest.raises(PeerGone):
        transport.recv(timeout=5)


@pytest.mark.parametrize("most", [100_000, 1 << 20])
def test_a_long_answer_goes_as_fast_as_it_is_taken(pair, most):
    """send_all() waits for room, however little may wait to be sent."""
    transport, theirs = pair(max_backlog=most)
    data = bytes(range(256)) * 20_000
    sender = threading.Thread(target=transport.send_all, args=(data,))
    sender.start()

    assert read(theirs, len(data)) == data
    sender.join(10)


def test_a_wait_in_send_all_is_bounded(pair):
    """A client that asks and does not read its answer is dropped."""
    transport, _theirs = pair(write_timeout=0.05)

    with pytest.raises(SlowPeer):
        transport.send_all(b"x" * 5_000_000)


class Announcing:
    """A lock that tells when somebody comes for it."""

    def __init__(self):
        self.held = threading.Lock()
        self.wanted = threading.Event()

    def __enter__(self):
        self.wanted.set()
        self.held.acquire()

    def __exit__(self, *_):
        self.held.release()


def test_a_send_during_the_close_leaves_nothing_with_the_flusher(pair):
    """Whoever stalls just then would be looked after for ever, a hundred times a second."""
    transport, _theirs = pair()
    transport.lock = Announcing()
    closing = threading.Thread(target=transport.close)
    with transport.lock.held:
        closing.start()
        assert transport.lock.wanted.wait(10)
        while not transport.backlog:
            transport.send(b"x" * 1000)
    closing.join(10)

    assert transport not in FLUSHER._stalled.values()
