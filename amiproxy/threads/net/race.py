# SPDX-License-Identifier: GPL-2.0-or-later
"""One connection to whichever of several addresses answers first (RFC 8305, Happy Eyeballs).

An address that swallows what is sent there costs a quarter of a second instead of all the
time there is: the next one is tried beside it.  One thread, which waits in ``poll``.
"""

from __future__ import annotations

import errno
import itertools
import os
import selectors
import socket
import time
from typing import TYPE_CHECKING, Callable, NamedTuple

from amiproxy.basics.deadline import Deadline
from amiproxy.errors import PeerGone

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Seconds between two attempts, "Connection Attempt Delay" of RFC 8305, section 5.
DELAY = 0.25
#: The least it may be (there as well), however many addresses share the time.
_LEAST_DELAY = 0.01
#: How often it is looked whether the attempts are still wanted, in seconds.
_LOOK = 0.25
#: Addresses of one name that are tried: each is a descriptor.
MOST = 64
#: Addresses whose errors are told.
_TOLD = 4


class Place(NamedTuple):
    """Where to connect to: what socket.getaddrinfo says of one address."""

    family: int
    kind: int
    proto: int
    address: tuple[object, ...]

    @property
    def ip(self) -> str:
        """The IP address, as text."""
        return str(self.address[0])


def alternating(places: Iterable[Place]) -> list[Place]:
    """Return *places*, each once, IPv6 and IPv4 by turns; the first one stays first.

    As in RFC 8305, section 4: where one family leads nowhere, one attempt is lost by it.
    """
    by_family: dict[int, list[Place]] = {}
    for place in dict.fromkeys(places):
        by_family.setdefault(place.family, []).append(place)
    turns = itertools.zip_longest(*by_family.values())
    return [place for turn in turns for place in turn if place is not None]


class Race:
    """Attempts to connect to *places*, in their order, for *seconds* from now.

    *wanted* is asked a few times a second whether it is to go on.
    """

    def __init__(self, places: Sequence[Place], seconds: float, wanted: Callable[[], bool]) -> None:
        self._places = list(places)[:MOST]
        self._deadline = Deadline(seconds)
        # All get a share of the time, the last one too.
        self._delay = max(_LEAST_DELAY, min(DELAY, seconds / (len(self._places) + 1)))
        self._wanted = wanted
        self._under_way: dict[socket.socket, Place] = {}
        self._failed: list[tuple[Place, str]] = []

    def run(self) -> tuple[socket.socket, Place]:
        """Return the first socket that is connected, and where to; it does not block.

        All others are closed.

        Raises:
            PeerGone: there is none, and why.

        """
        with selectors.PollSelector() as selector:
            try:
                return self._winner(selector)
            finally:
                for sock in self._under_way:
                    sock.close()

    def _winner(self, selector: selectors.BaseSelector) -> tuple[socket.socket, Place]:
        waiting = iter(self._places)
        place = next(waiting, None)
        due = time.monotonic()  # when the next attempt begins
        while place is not None or self._under_way:
            now = time.monotonic()
            if place is not None and (now >= due or not self._under_way):
                begun = self._begin(selector, place)
                place = next(waiting, None)
                due = now + self._delay if begun else now
            left = self._deadline.left()
            wait = min(left, _LOOK, due - now if place is not None else _LOOK)
            for key, _ in selector.select(max(0.0, wait)):
                sock = key.fileobj
                assert isinstance(sock, socket.socket)
                selector.unregister(sock)
                there = self._under_way.pop(sock)
                if self._is_connected(sock, there):
                    return sock, there
                due = 0.0  # RFC 8305, section 5: no need to wait for what has failed
            if not left or not self._wanted():
                break
        raise PeerGone(f"cannot connect: {self._failures()}", told="cannot connect")

    def _begin(self, selector: selectors.BaseSelector, place: Place) -> bool:
        """Begin an attempt; return whether it is under way, or note why it failed at once."""
        try:
            sock = socket.socket(place.family, place.kind, place.proto)
        except OSError as error:  # no descriptors left, or no such family here
            self._note(place, error)
            return False
        try:
            sock.setblocking(False)
            code = sock.connect_ex(place.address)
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, os.strerror(code))
            selector.register(sock, selectors.EVENT_WRITE)
        except OSError as error:
            sock.close()
            self._note(place, error)
            return False
        self._under_way[sock] = place
        return True

    def _is_connected(self, sock: socket.socket, place: Place) -> bool:
        """Return whether the attempt to connect *sock* succeeded; it is closed if not."""
        try:
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise OSError(code, os.strerror(code))
            if sock.getsockname() == sock.getpeername():
                # A port of the ephemeral range where nobody listens: the kernel gave it to us.
                raise OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        except OSError as error:
            sock.close()
            self._note(place, error)
            return False
        return True

    def _note(self, place: Place, error: OSError) -> None:
        """Keep why *place* was not reached."""
        self._failed.append((place, error.strerror or str(error)))

    def _failures(self) -> str:
        """Return in words what became of all attempts."""
        failed = [*self._failed, *((place, "no answer") for place in self._under_way.values())]
        if len(self._places) == len(failed) == 1:
            return failed[0][1]
        told = [f"{place.ip}: {why}" for place, why in failed[:_TOLD]]
        more = len(self._places) - len(told)
        return "; ".join([*told, *([f"and {more} more"] if more else [])]) or "no address"


def resolve(host: str, port: int) -> list[Place]:
    """Return where *host* may be reached, the system's favourite first.

    The system's resolver has time limits of its own.

    Raises:
        PeerGone: the name has no address, and why.

    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, LookupError) as error:  # LookupError: no codec for it
        why = getattr(error, "strerror", None) or error
        raise PeerGone(f"cannot resolve {host}: {why}", told="its name has no address") from error
    return [Place(family, kind, proto, to) for family, kind, proto, _, to in found]
