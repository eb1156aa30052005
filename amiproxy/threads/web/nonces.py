# SPDX-License-Identifier: GPL-2.0-or-later
"""Nonces of Digest authentication: made by us, for a time, each request once.

A nonce carries the time when it was made and proves, by a key that only this process has,
that we made it: those that nobody has used yet are kept nowhere, and strangers fill no table.
Of those that were used with a right secret it is kept how often, so that a request that
somebody has listened to cannot be sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from typing import Callable

#: Seconds that a nonce is good for; then the client gets a new one and goes on.
LIFE = 300.0

#: Nonces in use that are kept.
MOST = 10000

#: Requests of a client may overtake each other by so many.
_WINDOW = 64
_ALL = (1 << _WINDOW) - 1

_TIME, _RANDOM, _PROOF = 16, 16, 32  # digits


class Nonces:
    """Makes nonces and knows which of their counts were used.  Any thread may call it."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, life: float = LIFE, most: int = MOST
    ) -> None:
        self._clock, self._life, self._most = clock, life, most
        self._began = clock()  # how long the machine runs is nobody's business
        self._key = secrets.token_bytes(32)
        # Guards _used and _floor: dict operations.
        self._lock = threading.Lock()
        # By nonce, the one that was used first is the first: the highest count, and which of
        # the counts below it were used, a bit for each.
        self._used: OrderedDict[str, tuple[int, int]] = OrderedDict()
        # A nonce made at this moment, in ms, or before may have been used and forgotten.
        self._floor = -1

    def make(self) -> str:
        """Return a new nonce."""
        text = f"{self._now():016x}{secrets.token_hex(_RANDOM // 2)}"
        return text + self._proof(text)

    def is_fresh(self, nonce: str) -> bool:
        """Return whether we have made *nonce*, and not too long ago."""
        text, proof = nonce[: _TIME + _RANDOM], nonce[_TIME + _RANDOM :]
        if len(proof) != _PROOF or not nonce.isascii():
            return False
        if not hmac.compare_digest(proof, self._proof(text)):
            return False
        made = self._made(nonce)
        with self._lock:
            is_kept = nonce in self._used or made > self._floor
        return is_kept and self._now() - made < self._life * 1000

    def use(self, nonce: str, count: int) -> bool:
        """Note that *nonce*, a fresh one, was used for the *count*-th time; return if it may be."""
        with self._lock:
            if nonce not in self._used and self._made(nonce) <= self._floor:
                return False
            highest, seen = self._used.get(nonce, (0, 0))
            newer = count - highest
            if newer > 0:
                seen = (seen << newer | 1) & _ALL if newer < _WINDOW else 1
            else:
                bit = 1 << -newer
                if count < 1 or bit > _ALL or seen & bit:
                    return False
                seen |= bit
            self._used[nonce] = max(count, highest), seen
            while len(self._used) > self._most:
                oldest, _ = self._used.popitem(last=False)
                self._floor = max(self._floor, self._made(oldest))
            return True

    @staticmethod
    def _made(nonce: str) -> int:
        """Return when *nonce* was made, in ms."""
        return int(nonce[:_TIME], 16)

    def _now(self) -> int:
        """Return the time since this was made, in ms."""
        return int((self._clock() - self._began) * 1000)

    def _proof(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:_PROOF]
