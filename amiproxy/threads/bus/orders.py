# SPDX-License-Identifier: GPL-2.0-or-later
"""Orders: the operator of one proxy has others do something, and is told what came of it.

One thread reads what other proxies want and what they say; each order is carried out in a
short-lived thread of its own, as a command of the control socket is.  Who asks waits in the own
thread: no server's thread and no client but the asking one takes part.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import secrets
import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Callable

from amiproxy.bus.fields import Malformed
from amiproxy.bus.keys import Keys
from amiproxy.bus.members import slot_text
from amiproxy.bus.orders import (
    MOST_WHO,
    Order,
    Reply,
    decode_order,
    decode_reply,
    encode_order,
    encode_reply,
    pack,
    unpack,
)
from amiproxy.threads.bus.client import BusError
from amiproxy.threads.net.endless import endless
from amiproxy.threads.net.starting import StartingThread
from amiproxy.threads.sessions.cluster import Told

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Optional

    from amiproxy.basics.deadline import Deadline
    from amiproxy.threads.bus.client import BusClient, Line

log = logging.getLogger("amiproxy.bus")

#: Seconds within which a proxy has to say that it has taken an order, and then to have done it: a
#: pause waits ten seconds for answers.
PATIENCE = 2.0
LONGEST = 30.0

#: Orders of others that may be under way at once.
MOST = 16

#: How long Redis keeps what nobody has read, in milliseconds, and how many entries.
_KEPT_MS = 60_000
_KEPT = 256

#: How long the reader waits inside Redis, and after it has lost that, in seconds.
_BLOCK = 2.0
_PAUSE = 0.5

Perform = Callable[[str, str], Told]


class Orders:
    """Orders to the proxy *slot*, and those of its own operator.

    *perform* carries out a command line for somebody; *now* is Redis' clock in milliseconds.
    ``order`` may be called by any thread that may wait.
    """

    def __init__(
        self,
        client: BusClient,
        prefix: str,
        slot: int,
        perform: Perform,
        now: Callable[[], int],
        *,
        patience: float = PATIENCE,
    ) -> None:
        self._client = client
        self._keys = Keys(prefix)
        self._slot = slot
        self._perform = perform
        self._now = now
        self._patience = patience
        # By number of an order, where its replies go; each access is one step.
        self._waiting: dict[int, SimpleQueue[Reply]] = {}
        # One item for each order under way; append and pop are one step each.
        self._under_way: list[None] = []
        self._stopping = threading.Event()
        self._line: Line | None = None
        self._last = {self._keys.orders(slot): b"0-0", self._keys.told(slot): b"0-0"}
        self._thread: threading.Thread | None = None
        #: Entries that could not be read.
        self.dropped = 0

    def start(self) -> None:
        """Start to read."""
        run = functools.partial(endless, "bus-orders", self._read)
        self._thread = StartingThread("bus-orders", run)
        self._thread.start()

    def stop(self, deadline: Deadline) -> None:
        """End the thread; waits for it until *deadline*."""
        self._stopping.set()
        line, thread = self._line, self._thread
        if line is not None:
            line.interrupt()
        if thread is not None:
            thread.join(deadline.left())

    # -- the own operator's --------------------------------------------------------------------

    def order(self, slots: Collection[int], line: str, who: str) -> Mapping[int, Optional[Told]]:
        """Have the proxies *slots* carry out *line*; see ``Bus.order``."""
        number = secrets.randbelow(2**52) + 1
        replies = self._waiting[number] = SimpleQueue()
        try:
            until = self._now() + int(self._patience * 1000)
            body = encode_order(Order(number, self._slot, until, who[:MOST_WHO], line))
            with contextlib.closing(self._client.connection()) as there:
                for slot in slots:
                    _add(there, self._keys.orders(slot), body)
            return self._collect(replies, slots)
        except Malformed as error:
            return dict.fromkeys(slots, Told(False, (str(error),)))
        except BusError as error:
            return dict.fromkeys(slots, Told(False, (f"the bus does not answer: {error}",)))
        finally:
            del self._waiting[number]

    def _collect(
        self, replies: SimpleQueue[Reply], slots: Collection[int]
    ) -> Mapping[int, Optional[Told]]:
        """Return what *slots* say, as it comes, until none is waited for any more."""
        found: dict[int, Optional[Told]] = dict.fromkeys(slots)
        taken: set[int] = set()
        left = set(slots)
        began = time.monotonic()
        while left:
            limit = LONGEST if left <= taken else self._patience
            wait = began + limit - time.monotonic()
            try:
                reply = replies.get(timeout=max(0.001, wait))
            except Empty:
                left &= taken if limit < LONGEST else set()
                continue
            if reply.slot not in left:
                continue
            taken.add(reply.slot)
            if reply.is_final:
                left.discard(reply.slot)
                found[reply.slot] = _told(reply)
        return found

    # -- the thread ----------------------------------------------------------------------------

    def _read(self) -> bool:
        """Take what has come, or wait for it; return False once stopped."""
        if self._stopping.is_set():
            if self._line is not None:
                self._line.close()
            return False
        try:
            if self._line is None or not self._line.is_open:
                self._line = self._client.connection()
            if not self._stopping.is_set():
                self._take(self._line)
        except BusError:  # the keeper says so
            self._line = None
            self._stopping.wait(_PAUSE)
        return True

    def _take(self, line: Line) -> None:
        """Read once from *line*."""
        keys = list(self._last)
        came = line.command(
            "XREAD", "COUNT", 8, "BLOCK", int(_BLOCK * 1000), "STREAMS", *keys,
            *(self._last[key] for key in keys), timeout=_BLOCK * 2,
        )  # fmt: skip
        for key, entries in came or ():
            name = key.decode()
            for entry_id, fields in entries:
                self._last[name] = entry_id
                try:
                    self._enter(name, _body(fields))
                except Malformed:
                    self.dropped += 1

    def _enter(self, key: str, body: bytes) -> None:
        """Take one entry; raises Malformed."""
        if key == self._keys.told(self._slot):
            reply = decode_reply(body)
            replies = self._waiting.get(reply.number)
            if replies is not None:
                replies.put(reply)
            return
        order = decode_order(body)
        if order.until < self._now():
            return  # nobody waits for it any more
        if len(self._under_way) >= 2 * MOST:
            raise Malformed("too many orders at once")
        self._under_way.append(None)
        perform = _busy if len(self._under_way) > MOST else self._perform
        try:
            run = functools.partial(self._obey, order, perform)
            StartingThread(f"bus-order-{slot_text(order.asker)}", run).start()
        except (RuntimeError, MemoryError) as error:
            self._under_way.pop()
            log.warning("bus: no thread for an order: %s", error)

    # -- the thread of one order ---------------------------------------------------------------

    def _obey(self, order: Order, perform: Perform) -> None:
        """Carry out *order*, and answer it."""
        try:
            key = self._keys.told(order.asker)
            with contextlib.closing(self._client.connection()) as there:
                _add(there, key, encode_reply(Reply(order.number, self._slot, is_final=False)))
                packed = _done(order, perform)
                _add(there, key, encode_reply(Reply(order.number, self._slot, True, packed)))
        except BusError as error:
            log.warning("bus: an order is not answered: %s", error)
        finally:
            self._under_way.pop()


def _busy(_line: str, _who: str) -> Told:
    """Carry nothing out."""
    return Told(False, (f"{MOST} orders are under way; try again",))


def _done(order: Order, perform: Perform) -> bytes:
    """Carry out *order*; return what came of it, packed."""
    try:
        told = perform(order.line, order.who)
        return pack(is_good=told.is_good, lines=list(told.lines), data=told.data)
    except Malformed as error:
        return pack(is_good=False, lines=[str(error)])
    except Exception:
        log.exception("bus: order %s: bug in the proxy", ascii(order.line))
        return pack(is_good=False, lines=["bug in the proxy: see its log"])


def _add(line: Line, key: str, body: bytes) -> None:
    """Append *body* to the stream *key*, which is forgotten where nobody reads it."""
    line.command("XADD", key, "MAXLEN", "~", _KEPT, "*", "b", body)
    line.command("PEXPIRE", key, _KEPT_MS)


def _body(fields: Any) -> bytes:
    """Return the one field of an entry; raises Malformed."""
    if not isinstance(fields, list) or len(fields) != 2 or fields[0] != b"b":
        raise Malformed("an entry has other fields")
    body: bytes = fields[1]
    return body


def _told(reply: Reply) -> Told:
    """Return what *reply* says."""
    try:
        is_good, lines, data = unpack(reply.packed)
    except Malformed as error:
        return Told(False, (f"its answer cannot be read: {error}",))
    return Told(is_good, tuple(lines), data)
