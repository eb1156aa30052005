# SPDX-License-Identifier: GPL-2.0-or-later
"""Log-ins of the console: a cookie stands for one, over many requests and for days."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Callable

from amiproxy.threads.web.revocation import end_streams

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.access.stamp import Stamp
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.registry import SessionRegistry

#: Seconds without a request, and without an open stream, after which a log-in is over; and
#: after which it is in any case.
IDLE = 12 * 3600.0
LIFE = 7 * 24 * 3600.0

#: Log-ins of all users, and of one; the one that was used longest ago makes room.
MOST = 2000
MOST_PER_USER = 100

#: How often it is looked for those that are over, at the most, in seconds.
_LOOK_INTERVAL = 60.0

_OVER = "the log-in is over"


class Login:
    """One log-in.  The lock of Logins guards *used* and *digest*."""

    def __init__(self, stamp: Stamp, now: float) -> None:
        self.stamp = stamp
        self.began = self.used = now
        self.digest = b""  # of its cookie


def logins_of(context: ProxyContext) -> Logins:
    """Return the log-ins of the proxy of *context*."""
    found = context.made.setdefault("logins", Logins(context.registry))
    assert isinstance(found, Logins)
    return found


class Logins:
    """All log-ins of cookies.  Any thread may call; *clock* returns monotonic seconds.

    Those that are over are found by whoever comes next.
    """

    def __init__(
        self,
        registry: SessionRegistry,
        *,
        clock: Callable[[], float] = time.monotonic,
        most: int = MOST,
        most_per_user: int = MOST_PER_USER,
    ) -> None:
        self._registry, self._clock = registry, clock
        self._most, self._most_per_user = most, most_per_user
        # Guards _logins, _looked, and used and digest of each: dict operations, a look at all
        # of them.
        self._lock = threading.Lock()
        # By the hash of the cookie: what is kept here lets nobody in.  The one that was used
        # longest ago is the first.
        self._logins: OrderedDict[bytes, Login] = OrderedDict()
        self._looked = clock()

    def __len__(self) -> int:
        with self._lock:
            return len(self._logins)

    def begin(self, stamp: Stamp, earlier: Login | None = None) -> str:
        """Begin a log-in of whom *stamp* says; return its cookie, a new one each time.

        *earlier* is that of the cookie which came with it: it is over, and with it what is open
        by it; but of the same user it is this one.
        """
        now = self._clock()
        if earlier is not None and earlier.stamp.user != stamp.user:
            self.end(earlier, "another log-in took its place")
            earlier = None
        login = earlier or Login(stamp, now)
        cookie = secrets.token_urlsafe(32)
        with self._lock:
            self._logins.pop(login.digest, None)
            login.stamp, login.began, login.used = stamp, now, now
            login.digest = _digest(cookie)
            self._logins[login.digest] = login
            doomed = self._crowded(login)
            self._take_out(doomed)
        end_streams(self._registry, doomed, _OVER)
        return cookie

    def find(self, cookie: str) -> Login | None:
        """Return the log-in of *cookie*, which is used by that, or None."""
        self.clear()
        now = self._clock()
        with self._lock:
            login = self._logins.get(_digest(cookie)) if cookie else None
            if login is None or now - login.began >= LIFE:
                return None
            self._use(login)
        return login

    def is_there(self, login: object) -> bool:
        """Return whether *login* is still one, for who has a stream open by it."""
        self.clear()
        with self._lock:
            return isinstance(login, Login) and self._logins.get(login.digest) is login

    def end(self, login: Login, reason: str) -> None:
        """End *login* for *reason*, and the streams that were opened by it."""
        with self._lock:
            self._take_out([login])
        end_streams(self._registry, [login], reason)

    def clear(self) -> None:
        """End those that are over."""
        now = self._clock()
        if now < self._looked + _LOOK_INTERVAL:
            return
        with self._lock:
            self._looked = now
            doomed = [each for each in self._oldest() if now - each.began >= LIFE]
            idle = [each for each in self._oldest() if now - each.used >= IDLE]
        if idle:
            used = {each.stamp.login for each in self._registry.snapshot() if each.stamp}
            with self._lock:
                for login in idle:
                    if login in used and login not in doomed:
                        self._use(login)
            doomed += [each for each in idle if each not in used]
        self._end_all(doomed, _OVER)

    def end_where(self, is_over: Callable[[Stamp], bool], reason: str) -> None:
        """End those whose stamp *is_over*."""
        with self._lock:
            doomed = [each for each in self._logins.values() if is_over(each.stamp)]
        self._end_all(doomed, reason)

    def _end_all(self, doomed: list[Login], reason: str) -> None:
        if doomed:
            with self._lock:
                self._take_out(doomed)
            end_streams(self._registry, doomed, reason)

    # -- the caller holds the lock ---------------------------------------------------------------

    def _oldest(self) -> Iterable[Login]:
        """Yield log-ins, the one that was used longest ago first."""
        assert self._lock.locked()
        return self._logins.values()

    def _use(self, login: Login) -> None:
        assert self._lock.locked()
        if self._logins.get(login.digest) is login:
            login.used = self._clock()
            self._logins.move_to_end(login.digest)

    def _crowded(self, new: Login) -> list[Login]:
        """Return those that make room for *new*, which is among them already."""
        assert self._lock.locked()
        own = [each for each in self._oldest() if each.stamp.name == new.stamp.name]
        if len(own) > self._most_per_user:
            return own[:1]
        return [next(iter(self._oldest()))] if len(self._logins) > self._most else []

    def _take_out(self, doomed: Iterable[Login]) -> None:
        assert self._lock.locked()
        for each in doomed:
            if self._logins.get(each.digest) is each:
                del self._logins[each.digest]


def _digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode("latin-1", "replace")).digest()
