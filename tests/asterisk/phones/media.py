# SPDX-License-Identifier: GPL-2.0-or-later
"""What a phone sends while it talks: silence in PCMU, digits (RFC 4733), RTCP reports."""

from __future__ import annotations

import contextlib
import random
import re
import socket
import struct
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.asterisk.phones.loop import Loop

_DIGITS = "0123456789*#ABCD"
_FRAME = 0.04  # seconds of sound in a packet
_SAMPLES = 320  # in a packet, 8000 in a second
_DIGIT_STEPS = 8
_STEP = 0.02
_REPORT_EVERY = 25  # packets
_NTP = 2_208_988_800  # seconds from 1900 to 1970
_HEADER = struct.Struct("!BBHII")


def _pair() -> tuple[socket.socket, socket.socket]:
    """Return sockets for RTP and RTCP: an even port, and the one above it."""
    for _ in range(200):
        rtp, rtcp = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(2))
        port = random.randrange(40_000, 60_000, 2)
        try:
            rtp.bind(("127.0.0.1", port))
            rtcp.bind(("127.0.0.1", port + 1))
        except OSError:
            rtp.close()
            rtcp.close()
        else:
            return rtp, rtcp
    raise AssertionError("no two free UDP ports")


class Media:
    """The sound of one call: it runs from the moment it knows where to until ``stop``."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._rtp, self._rtcp = _pair()
        self._to: tuple[str, int] | None = None
        self._ssrc, self._number = random.getrandbits(32), random.getrandbits(15)
        self._time, self._sent = random.getrandbits(30), 0
        self._heard = (0, 0)  # the peer's source, and its last number
        self._digits: list[str] = []
        self._version = 0
        self._stopped = False
        loop.add(self._rtp, self._hear)
        loop.add(self._rtcp, lambda data: None)

    def offer(self, direction: str = "sendrecv") -> str:
        """Return what this end offers, as SDP."""
        self._version += 1
        lines = (
            "v=0", f"o=- 1 {self._version} IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1",
            "t=0 0", f"m=audio {self._rtp.getsockname()[1]} RTP/AVP 0 101",
            "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15",
            "a=ptime:20", f"a={direction}",
        )  # fmt: skip
        return "".join(f"{line}\r\n" for line in lines)

    def accept(self, sdp: str) -> None:
        """Send to where the peer's *sdp* says, from now on."""
        port, host = re.search(r"m=audio (\d+)", sdp), re.search(r"c=IN IP4 (\S+)", sdp)
        if port is None or self._stopped:
            return
        begins = self._to is None
        self._to = (host[1] if host else "127.0.0.1", int(port[1]))
        if begins:
            self._tick()

    def dtmf(self, digits: str) -> None:
        """Send *digits*, one after the other."""
        self._digits += digits

    def stop(self) -> None:
        """End it; may be called twice."""
        if not self._stopped:
            self._stopped = True
            self._loop.remove(self._rtp)
            self._loop.remove(self._rtcp)

    def _hear(self, data: bytes) -> None:
        if len(data) >= _HEADER.size:
            _, _, number, _, source = _HEADER.unpack_from(data)
            self._heard = (source, number)

    def _tick(self) -> None:
        """Send a packet, and set the time of the next one."""
        if self._stopped:
            return
        if self._digits:
            self._digit(self._digits.pop(0), 0)
            return
        self._sent += 1
        self._time = (self._time + _SAMPLES) & 0xFFFFFFFF
        self._packet(0, b"\xff" * _SAMPLES)
        if self._sent % _REPORT_EVERY == 10:
            self._report()
        self._loop.later(_FRAME, self._tick)

    def _digit(self, digit: str, step: int) -> None:
        """Send packet number *step* of *digit*; the last three say that it has ended."""
        if self._stopped:
            return
        ends = step >= _DIGIT_STEPS - 3
        length = 160 * (step + 1)
        event = struct.pack("!BBH", _DIGITS.index(digit), (0x80 if ends else 0) | 10, length)
        self._packet(101 | (0x80 if step == 0 else 0), event)
        if step + 1 < _DIGIT_STEPS:
            self._loop.later(_STEP, lambda: self._digit(digit, step + 1))
        else:
            self._time = (self._time + 160 * (_DIGIT_STEPS + 1)) & 0xFFFFFFFF
            self._loop.later(4 * _STEP, self._tick)

    def _packet(self, kind: int, payload: bytes) -> None:
        self._number = (self._number + 1) & 0xFFFF
        head = _HEADER.pack(0x80, kind, self._number, self._time, self._ssrc)
        with contextlib.suppress(OSError):
            assert self._to
            self._rtp.sendto(head + payload, self._to)

    def _report(self) -> None:
        """Send a sender's report (RFC 3550, 6.4.1) with one block about the peer."""
        now, (source, number) = time.time() + _NTP, self._heard
        sender = struct.pack(
            "!BBHIIIIII", 0x81, 200, 12, self._ssrc, int(now), int((now % 1) * 2**32),
            self._time, self._sent, self._sent * _SAMPLES,
        )  # fmt: skip
        with contextlib.suppress(OSError):
            assert self._to
            block = struct.pack("!IIIIII", source, 0, number, 5, 0, 0)
            self._rtcp.sendto(sender + block, (self._to[0], self._to[1] + 1))
