# SPDX-License-Identifier: GPL-2.0-or-later
"""The thread of one Asterisk: keep it connected, read it, publish what it says.

While connected this thread only ever reads, and sends without blocking: no
client, no disk and no lock held across I/O can make it wait.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING, Callable, NoReturn

from amiproxy.basics.deadline import Deadline
from amiproxy.basics.growingpause import GrowingPause
from amiproxy.errors import LoginRefused, PeerError, PeerGone
from amiproxy.status.values import RECONNECTED
from amiproxy.threads.credentials import credentials
from amiproxy.threads.keepalive import Keepalive
from amiproxy.threads.net.dial import Route, watch_host
from amiproxy.threads.net.endless import endless
from amiproxy.threads.net.parting import flush_until
from amiproxy.threads.net.transport import READ_SIZE, Transport
from amiproxy.threads.net.watched import WatchedThread
from amiproxy.threads.sessions import pausing
from amiproxy.threads.sessions.overdue import refuse_overdue
from amiproxy.threads.standing import Standing
from amiproxy.threads.straight import straight
from amiproxy.wire import circles
from amiproxy.wire.framing import Chunk, Framer
from amiproxy.wire.login import LoginDialogue, LoginState, LoginTimes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.routing.actionids import ActionIds
    from amiproxy.routing.pending import PendingAction
    from amiproxy.settings.config import Config, ServerSpec
    from amiproxy.threads.sessions.publisher import Audience
    from amiproxy.threads.share import Share

log = logging.getLogger("amiproxy.asterisk")

#: Poll interval for Originates whose OriginateResponse is late, in seconds.
LATE_POLL_INTERVAL = 1.0

#: Seconds that a Logoff may take to reach Asterisk.
_LOGOFF_TIME = 0.5

#: Seconds that a connection must have been live, for the next pause to be the first again: who
#: accepts a connection and ends it at once is not to be asked all the time.
LASTING = 10.0

#: Makes a connection by a route or raises PeerError.
Connect = Callable[["ServerSpec", "Config", Route], Transport]


class AsteriskServer:
    """The thread that keeps the link to one Asterisk up and reads it.

    ``start`` starts it; ``stop`` and ``configure`` may be called by any thread.  What
    other threads ask of the Asterisk, they ask of ``link``.  *share* says when to connect.
    """

    def __init__(
        self,
        config: Config,
        ids: ActionIds,
        audience: Audience,
        share: Share,
        *,
        connect: Connect,
        late_poll_interval: float = LATE_POLL_INTERVAL,
        lasting: float = LASTING,
    ) -> None:
        self._share = share
        self.link = share.link
        self._ids = ids
        self._config = config  # replaced by configure, read anew for each use
        self._connect = connect
        self._late_poll_interval = late_poll_interval
        self._audience = audience
        self._publisher = share.publisher
        self._standing = Standing(self.link, self._publisher)
        self.configure(config)
        self._stopping = threading.Event()
        self._hurry = threading.Event()  # no pause before the next try
        wanted = lambda: share.is_ours and not self._stopping.is_set()  # noqa: E731
        self._route = Route(self.link.set_address, wanted)
        self._pauses = GrowingPause()
        self._lasting = lasting
        self._record = self.link.record
        self._lost = 0  # actions of clients that were unanswered at its end
        self._tries = 0  # to connect, since the last log-in
        self.busy_since = 0.0  # for the watchdog
        self._thread_name = f"asterisk-{self.link.scope}"
        self._thread: WatchedThread | None = None  # once it could be started
        self._complained = False  # that it cannot

    # -- any thread -------------------------------------------------------------------------

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def configure(self, config: Config) -> None:
        """Take the limits of *config*, also for the connection there is."""
        self._config = config
        self._sign(config)
        self.link.remember(config.replay, config.replay_seconds)
        self.link.set_write_timeout(config.server_write_timeout)
        transport = self.link.transport
        if transport is not None:
            with contextlib.suppress(OSError):  # it has just been closed
                watch_host(transport.sock, config.keepalive)

    def _sign(self, config: Config) -> None:
        """Have messages say from which server they are, or not."""
        name = self.link.name if config.server_header else ""
        self.link.ledger.host = name
        header = f"\r\nServer: {name}" if name and not self.link.spec.proxy else ""
        self._ending = f"{header}\r\n\r\n".encode("latin-1", "replace")

    def start(self) -> None:
        """Start the server's thread, unless it is; ask again where there can be none now."""
        if self._thread is not None or self._stopping.is_set():
            return
        thread = WatchedThread(self._thread_name, self.run, self)
        try:
            thread.start()
        except (RuntimeError, MemoryError) as error:
            if not self._complained:
                self._complained = True
                log.error("asterisk@%s: %s; trying again", self.link.scope, error)
            return
        self._thread = thread

    def stop(self, reason: str, told: str = "") -> None:
        """Log off and let the thread end, which clients are *told*, "": not.  Never waits."""
        self._standing.asked = told
        self._stopping.set()
        self._hurry.set()
        self._share.wake()
        pausing.open_for_good(self.link)
        self.link.log_off(reason)

    def reconnect(self, reason: str) -> None:
        """Log off, and connect anew at once; actions wait meanwhile.  Never waits."""
        self._hurry.set()
        if self.link.has_connection:
            self._standing.asked = RECONNECTED
            pausing.wait_for_connect(self.link)
            self.link.log_off(reason)

    def refuse_overdue(self) -> None:
        """Answer the actions that take too long, or have waited for too long.  Never waits."""
        refuse_overdue(self.link, self._publisher, self._config.action_timeout)
        self._share.tend()

    def try_now(self) -> None:
        """End the pause before the next try to connect, if there is one.  Never waits."""
        self._share.try_again()
        if not self.link.has_connection:
            self._hurry.set()

    def join(self, timeout: float) -> None:
        """Wait up to *timeout* seconds for the thread to end."""
        if self._thread is not None:
            self._thread.join(timeout)

    # -- the server's thread ------------------------------------------------------------------

    def run(self) -> None:
        """Keep the connection until stopped, refused or tried too often in vain."""
        endless(self._thread_name, self._serve_once)
        self._publisher.abandon(self.link.lose())  # what waits for a pause to end
        self._share.end()

    def _serve_once(self) -> bool:
        """Connect, serve until that is over, and pause; return whether to try again."""
        if not self._share.await_turn(self):
            return False
        self._tries += 1
        self._hurry.clear()
        try:
            with self._connection() as transport:
                self._serve(transport, self._log_in(transport))
        except LoginRefused as error:
            return self._give_up(f"{error}; given up until SIGHUP or AddServer", error)
        except PeerError as error:
            if self._stopping.is_set():
                return False
            if self._config.max_retries and self._tries >= self._config.max_retries:
                past = self._record.past(self._lost)
                return self._give_up(f"{error}; given up after {self._tries} tries{past}", error)
            scope, past, pause = self.link.scope, self._record.past(self._lost), self._next_pause()
            if self._hurry.is_set():
                pause = 0.0
                log.info("asterisk@%s: %s; connecting anew%s", scope, error, past)
            else:
                log.warning("asterisk@%s: %s; trying again in %g s%s", scope, error, pause, past)
            self._record.down(str(error), self._standing.reason(error), pause)
        except Exception as error:
            pause = self._next_pause()
            log.exception("asterisk@%s: bug in the proxy", self.link.scope)
            self._record.down("bug in the proxy", self._standing.reason(error), pause)
        self._pause(self._share.over(self._tries, pause))
        return not self._stopping.is_set()

    def _next_pause(self) -> float:
        """Return how long to wait after the connection that is over, in seconds."""
        since = self._record.live_since
        if since and time.monotonic() - since >= self._lasting:
            self._pauses.reset()
        config = self._config
        return round(self._pauses.next(config.retry_interval, config.retry_longest), 3)

    def _pause(self, seconds: float) -> None:
        """Wait, until it is to stop or to try now."""
        self.busy_since, self.link.tried = 0.0, True
        # What came before _hurry was cleared is seen here, what comes later ends the wait.
        if not self._stopping.is_set() and self._hurry.wait(seconds):
            self._pauses.reset()

    def _give_up(self, reason: str, error: PeerError) -> bool:
        """Try no more for *reason*, the *error*; return whether other proxies may."""
        log.error("asterisk@%s: %s", self.link.scope, reason)
        self._record.down(reason.partition("; given up")[0], self._standing.reason(error), 0.0)
        if self._share.pass_on():
            self._tries = 0
            return True
        self.link.given_up = True
        pausing.open_for_good(self.link)
        return False

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Transport]:
        """Connect; whatever happens then, leave nothing behind."""
        self._record.trying()
        transport = self._connect(self.link.spec, self._config, self._route)
        self.link.open(transport)
        try:
            if self._stopping.is_set():
                raise PeerGone("stopped")
            yield transport
        except BaseException as error:
            if not self._record.live_since:
                self._route.failed()
            self._part(transport, error)
            raise

    def _part(self, transport: Transport, error: BaseException) -> None:
        """Give up the connection that *error* has ended.

        Each step is taken, whatever the one before raises.
        """
        lost: list[PendingAction] = []
        self.busy_since = time.monotonic()
        try:
            lost = self.link.lose()
            self._lost = len(lost)
        finally:
            try:
                if self._stopping.is_set():
                    flush_until(transport, Deadline(_LOGOFF_TIME))
            finally:
                try:
                    transport.close()
                finally:
                    try:
                        self._publisher.abandon(lost)
                    finally:
                        tell, stopping = self._config.server_events, self._stopping.is_set()
                        self._standing.end(error, stopping=stopping, tell=tell)

    def _log_in(self, transport: Transport) -> Framer:
        """Log in and wait until Asterisk has booted; publish nothing before.

        Returns the framer, which may hold the head of the next message.

        Raises:
            LoginRefused: Asterisk does not accept our user or secret.
            PeerError: the connection is over, or it took too long.

        """
        framer = Framer(self._config.max_message, self._ending, self._ids.is_made_here)
        times = LoginTimes(self._config.login_timeout)
        dialogue = LoginDialogue(
            framer, time.monotonic(), credentials(self.link, self._audience.path()), times
        )
        while True:
            before = dialogue.state
            left = dialogue.wake_at - time.monotonic()
            data = transport.recv(timeout=left) if left > 0 else None
            if data == b"":
                text = f"closed the connection ({before.value})"
                raise PeerGone(text, told="closed the connection")
            step = dialogue.feed(data or b"", time.monotonic())
            if step.send:
                with transport.lock:
                    transport.send(step.send)
            self._publisher.keep(step.early)
            if dialogue.state is not before and before is LoginState.ANSWER:
                log.debug("asterisk@%s: logged in", self.link.scope)
                self.link.proxy_path = dialogue.proxy_path
            if dialogue.state is LoginState.LIVE:
                self.link.banner = dialogue.banner
                self._tries = 0
                self._hurry.clear()
                self._route.worked()
                self._standing.begin(step.live, tell=self._config.server_events)
                self._publisher.publish(Chunk(exact=[message.raw for message in step.live]))
                return framer

    def _serve(self, transport: Transport, framer: Framer) -> NoReturn:
        """Read and publish until the connection is over."""
        link, publisher, record = self.link, self._publisher, self._record
        alive, holds_back, now = Keepalive(link), False, time.monotonic()
        view = memoryview(bytearray(READ_SIZE))
        while True:
            keepalive = self._config.keepalive  # SIGHUP may change it
            patience = alive.patience(keepalive, now)
            timeout = min(patience, self._late_poll_interval) if holds_back else patience
            self.busy_since = 0.0
            count = transport.recv_into(view, timeout)
            self.busy_since = now = time.monotonic()
            if count:
                alive.hear(now)
                record.heard = now
                if link.probe.came_back:
                    text = "this proxy reaches itself"
                    raise LoginRefused(f"{text}, and messages go round", told=text)
                if framer.ending is not self._ending:  # SIGHUP has changed it
                    framer.end_with(self._ending)
                chunk = framer.feed(bytes(view[:count]))
                if chunk.wire.count(circles.SERVER, -circles.TAIL) > circles.MOST or chunk.exact:
                    chunk = straight(chunk, link, self._ids)
                publisher.publish(chunk)
            elif count is not None:
                raise PeerGone(text := "closed the connection", told=text)
            holds_back = bool(link.ledger.held)
            if holds_back:
                publisher.answer_late(now)
            if count is None:
                alive.check(keepalive, now)
                publisher.tidy()
