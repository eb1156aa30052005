# SPDX-License-Identifier: GPL-2.0-or-later
"""A relay that delays what it passes on, resets its connections, or falls silent: a bad network."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_RESET = struct.pack("ii", 1, 0)
#: Bytes that one direction of a connection holds; then the sender has to wait.
_MOST = 1 << 20
_PIECE = 65536
_POLLS_ALWAYS = select.POLLERR | select.POLLHUP


class Flow:
    """One direction of a connection: what has been read and is not passed on yet."""

    def __init__(self, source: socket.socket, sink: socket.socket, *, is_up: bool) -> None:
        self.source, self.sink, self.is_up = source, sink, is_up
        #: When to pass it on, and what; b"": the end.
        self.queue: deque[tuple[float, bytes]] = deque()
        self.size = 0
        self.has_ended = self.is_over = False

    @property
    def takes_more(self) -> bool:
        """Whether its source is to be read."""
        return not self.has_ended and self.size < _MOST

    def read(self, delay: float) -> bool:
        """Read what there is; return False if the connection was reset."""
        try:
            data = self.source.recv(_PIECE)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.has_ended = not data
        self.size += len(data)
        self.queue.append((time.monotonic() + delay, data))
        return True

    def write(self) -> bool:
        """Pass on what is due; return False if the connection was reset."""
        try:
            while self.queue and self.queue[0][0] <= time.monotonic():
                due, data = self.queue[0]
                if not data:
                    self.is_over = True
                    self.sink.shutdown(socket.SHUT_WR)
                sent = self.sink.send(data) if data else 0
                self.size -= sent
                self.queue.popleft()
                if sent < len(data):
                    self.queue.appendleft((due, data[sent:]))
                    return True
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True


class FaultyRelay:
    """Passes on what comes to its port to *target*, a port of *host*; use it as a context manager.

    *up* is the direction from who connects to the target.  Any thread may give orders; delay, in
    seconds each way, may be set at any time.
    """

    def __init__(self, target: int, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.delay = 0.0
        #: Bytes passed on.
        self.passed = 0
        self._target = (host, target)
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[Flow, Flow]] = []
        self._silent = {True: False, False: False}  # is_up -> whether nothing is passed on
        self._cuts = self._cuts_done = 0
        self._over = False
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="faulty-relay")

    def __enter__(self) -> FaultyRelay:  # noqa: PYI034 - Self is not in 3.9
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._tell()
        self._thread.join()
        self._reset_all()
        for sock in (self._listener, self._wake, self._woken):
            sock.close()

    def cut(self) -> None:
        """Reset all connections that there are, and return when that is done."""
        self._cuts += 1
        wanted = self._cuts
        self._tell()
        while self._cuts_done < wanted and self._thread.is_alive():
            time.sleep(0.001)

    def fall_silent(self, *, up: bool = True, down: bool = True) -> None:
        """Pass on nothing any more, neither bytes nor ends; connections seem to stay."""
        self._silent = {True: up, False: down}
        self._tell()

    def heal(self) -> None:
        """Pass on all again, at once; what has waited first."""
        self._silent, self.delay = {True: False, False: False}, 0.0
        self._tell()

    @contextlib.contextmanager
    def silence(self, *, up: bool = True, down: bool = True) -> Iterator[None]:
        """Pass on nothing in the block."""
        self.fall_silent(up=up, down=down)
        try:
            yield
        finally:
            self.heal()

    def _tell(self) -> None:
        with contextlib.suppress(OSError):
            self._wake.send(b"!")

    # -- its thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._over:
            ready = self._wait()
            if self._woken.fileno() in ready:
                self._woken.recv(4096)
            if self._cuts_done < self._cuts:
                cuts = self._cuts
                self._reset_all()
                self._cuts_done = cuts
                continue
            if self._listener.fileno() in ready:
                self._accept()
            for pair in list(self._pairs):
                if not all(self._serve(flow, ready) for flow in pair):
                    self._drop(pair)
                elif all(flow.is_over for flow in pair):
                    self._drop(pair, reset=False)

    def _serve(self, flow: Flow, ready: dict[int, int]) -> bool:
        """Read and write what is possible; return whether the connection stands."""
        if self._silent[flow.is_up]:
            return True
        events = ready.get(flow.source.fileno(), 0)
        if events & (select.POLLIN | _POLLS_ALWAYS) and flow.takes_more:
            before = flow.size
            if not flow.read(self.delay):
                return False
            self.passed += flow.size - before
        return flow.write()

    def _wait(self) -> dict[int, int]:
        """Return what is ready, by descriptor."""
        wanted = {self._woken.fileno(): select.POLLIN}
        if not all(self._silent.values()):
            wanted[self._listener.fileno()] = select.POLLIN
        now, wait = time.monotonic(), 1.0
        for flow in (flow for pair in self._pairs for flow in pair):
            if self._silent[flow.is_up]:
                continue
            source, sink = flow.source.fileno(), flow.sink.fileno()
            if flow.takes_more:
                wanted[source] = wanted.get(source, 0) | select.POLLIN
            if flow.queue and flow.queue[0][0] > now:
                wait = min(wait, flow.queue[0][0] - now)
            elif flow.queue:
                wanted[sink] = wanted.get(sink, 0) | select.POLLOUT
        poll = select.poll()
        for descriptor, events in wanted.items():
            poll.register(descriptor, events)
        return dict(poll.poll(max(1, round(wait * 1000))))

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        try:
            far = socket.create_connection(self._target, 2)
        except OSError:
            _reset(near)
            return
        for sock in (near, far):
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pairs.append((Flow(near, far, is_up=True), Flow(far, near, is_up=False)))

    def _drop(self, pair: tuple[Flow, Flow], *, reset: bool = True) -> None:
        self._pairs.remove(pair)
        for flow in pair:
            if reset:
                _reset(flow.source)
            else:
                flow.source.close()

    def _reset_all(self) -> None:
        for pair in list(self._pairs):
            self._drop(pair)


def _reset(sock: socket.socket) -> None:
    """Close *sock* without a word of goodbye."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    sock.close()
