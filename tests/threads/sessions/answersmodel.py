# SPDX-License-Identifier: GPL-2.0-or-later
"""A model of who may see which answer, and a proxy without sockets to compare it with.

A history is a string of bytes, each a decision: who asks what of which server, what the
servers say, truly or forged, who changes their autofilter, leaves, or loses a connection.
Every message of a server bears a mark of its own.  The model says of each mark which
clients must see it and which may; it knows nothing of how the proxy finds that out.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from amiproxy.access.user import User
from amiproxy.formats import Limits, load_formats
from amiproxy.message import Message
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.classes import CALL, SYSTEM
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.publisher import Publisher
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.threads.sessions.streamsession import StreamSession
from amiproxy.wire.framing import Framer
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.threads.net.transport import Transport

STANDARD = load_formats(ROOT / "handlers")["standard"]
OFF, ON, UNIQUE = AutoFilter
LIMITS = Limits()
GIVEN = (None, "1", "2", "x" * 80, "amp1-1", "amp1-abcdefABCDEF012345-1")

#: All; a section that reads and writes little; a channel user in C's form, twice.
USERS = (
    None,
    User("limited", "s", read=CALL, write=SYSTEM),
    User("channel", "s", channel="sip/1"),
    User("more", "s", channel="sip/1", more_events=True),
)


class Wire:
    """Stands for a transport: keeps what is sent."""

    counted = True  # nobody asks for its bytes

    def __init__(self) -> None:
        self.peer = "peer"
        self.lock = threading.Lock()
        self.end_reason = None
        self.write_timeout = 1.0
        self.backlog = 0
        self.sent = b""

    def send(self, data: bytes) -> None:
        """Keep *data*."""
        self.sent += data

    def take(self) -> bytes:
        """Return what was sent since the last time."""
        sent, self.sent = self.sent, b""
        return sent


@dataclass
class Seen:
    """Who must see the message of a mark, and who may; what it is, for failures."""

    must: set[int]
    may: set[int]
    what: str
    given: str | None = None


@dataclass(eq=False)
class Asked:
    """One action upstream, as its Asterisk knows it and as the model does."""

    kind: str
    wire_id: str = ""  # once it has gone
    owner: int = 0  # 0: the proxy
    given: str | None = None
    unique: bool = False
    client: Client | None = None
    marked: bool = False  # an item of its list bore the ActionID
    late: bool = False  # its client was told that it is not answered in time


class Client:
    """A client: its session, what it chose, and what it was sent."""

    def __init__(self, mode: AutoFilter, user: User | None) -> None:
        self.wire = Wire()
        self.session = StreamSession(
            cast("Transport", self.wire), "192.0.2.9", mode=mode, guarded=False,
            input_name="standard", output=STANDARD, filter_local="off",
        )  # fmt: skip
        self.mode, self.user = mode, user
        self.last_id: str | None = None
        self.here = True
        self.got: list[str] = []  # messages

    @property
    def number(self) -> int:
        """The number of its session, which changes with its user."""
        return self.session.number


class Server:
    """A server of the proxy and the Asterisk behind it."""

    def __init__(self, number: int, router: Router) -> None:
        self.host = f"pbx{number}"
        spec = ServerSpec(self.host, 5038, "u", "s", "on", False)
        self.link = AsteriskLink(spec, router.ids)
        self.publisher = Publisher(self.link, router)
        self.ours: set[str] = set()  # all ActionIDs that went up
        router.servers += (self.link,)
        self.open()

    def open(self) -> None:
        """Let a connection begin."""
        self.wire = Wire()
        self.framer = Framer(1 << 20, f"\r\nServer: {self.host}\r\n\r\n".encode())
        #: By session, what waits for its turn; then, in the order of Asterisk, what has gone.
        self.waiting: defaultdict[int, deque[Asked]] = defaultdict(deque)
        self.queue: deque[Asked] = deque()
        self.listing: Asked | None = None  # whose list is under way
        self.texting: Asked | None = None  # who is answered with text that may go on
        self._said = b""
        self.calls: list[Asked] = []  # Originates whose response is to come
        self.link.open(cast("Transport", self.wire))
        self.publisher.begin()
        self.link.go_live()

    def say(self, *lines: str) -> None:
        """Say a message, which the next ``flush`` sends."""
        self._said += Message.of(*lines).raw

    def flush(self) -> None:
        """Send what was said, in one write; read what goes up for it."""
        said, self._said = self._said, b""
        if said:
            self.publisher.publish(self.framer.feed(said))
            self.read()

    def read(self) -> None:
        """Read what has come up: each session's actions in their order."""
        for block in self.wire.take().decode("latin-1").split("\r\n\r\n")[:-1]:
            wire_id = value_of(block, "ActionID")
            number = int(wire_id[3 : wire_id.index("-")])
            asked = self.waiting[number].popleft() if number else Asked("ping")
            assert block.startswith("Action: Ping") or number
            asked.wire_id = wire_id
            behind = [each for each in (*self.queue, *self.calls) if each.kind == "held"]
            assert not number or all(each.owner != number for each in behind), "overtaken"
            self.queue.append(asked)
            self.ours.add(wire_id)


class World:
    """Plays one history; ``check`` compares what was seen with the model."""

    def __init__(self, history: bytes) -> None:
        self._decisions: Iterator[int] = iter(history)
        self.router = Router(SessionRegistry())
        self.router.registry.filtering = self.router.keeps_calls = True
        count = 1 + self.pick(3)
        self.servers = [Server(number, self.router) for number in range(count)]
        self.clients: dict[int, Client] = {}
        self.seen: dict[int, Seen] = {}
        self.old: list[str] = []  # ActionIDs whose actions are answered, or begun to be
        self.playing = True

    def pick(self, count: int) -> int:
        """Decide for one of *count* things."""
        number = next(self._decisions, None)
        if number is None:
            self.playing = False
            return 0
        return number % count

    # -- what the model says ---------------------------------------------------------------

    def mark(self, must: set[int], may: set[int], what: str, given: str | None = None) -> str:
        """Return a line that marks a message, which those clients must or may see."""
        here = {number for number, client in self.clients.items() if client.here}
        number = len(self.seen) + 1
        self.seen[number] = Seen(must & here, may & here, what, given)
        return f"Mark: m{number}m"

    def matches(self, client: Client, given: str | None) -> bool:
        """Return whether a client with autofilter ``on`` sees a message with *given*."""
        return given == client.last_id if client.last_id is not None else given is None

    def readers(self, asked: Asked, given: str | None) -> set[int]:
        """Return who sees a part of the answer to *asked*; *given* is the ActionID in it."""
        found: set[int] = set()
        if asked.late:
            return found
        unique = asked.unique or (asked.client is not None and asked.client.mode is UNIQUE)
        for number, client in self.clients.items():
            matches = client.mode is not ON or self.matches(client, given)
            if client.number == asked.owner:
                sees = matches or unique
            else:
                sees = not (unique or client.user or client.mode is UNIQUE) and matches
            if sees and client.here:
                found.add(number)
        return found

    def of_answer(self, asked: Asked, *, bears: bool, what: str) -> str:
        """Mark a part of the answer to *asked*; *bears*: with its ActionID."""
        given = asked.given if bears else None
        readers = self.readers(asked, given)
        return self.mark(readers, readers, what, given)

    def of_event(self, given: str | None, what: str, *, of_class: str, asker: int = 0) -> str:
        """Mark an event with *given* as ActionID."""
        must, may = set(), set()
        for number, client in self.clients.items():
            user = client.user
            if client.mode is ON and client.last_id is not None and given != client.last_id:
                continue
            if user is None or (client.number == asker and user.follows_calls):
                must.add(number)
            elif user.follows_calls or of_class in ("call", ""):
                may.add(number)
        return self.mark(must, may | must, what, given)

    def of_nobody(self, given: str | None, what: str) -> str:
        """Mark what reads as an answer and is none; with autofilter off it may be seen."""
        claims = given is not None and re.match(r"amp\d+-", given) is not None
        may = {
            number
            for number, client in self.clients.items()
            if client.user is None and client.mode is not UNIQUE and not claims
            and (client.mode is OFF or client.last_id is None)
        }  # fmt: skip
        return self.mark(set(), may, what, given)

    # -- what was seen ------------------------------------------------------------------------

    def collect(self) -> None:
        """Take what the clients were sent."""
        for client in self.clients.values():
            data = client.wire.take().decode("latin-1")
            client.got += filter(None, data.split("\r\n\r\n"))

    def check(self) -> None:
        """Compare what was seen with the model."""
        self.collect()
        process = self.router.ids.make(0, None)[5:11]
        for number, client in self.clients.items():
            marks = [
                int(mark) for text in client.got for mark in re.findall(r"Mark: m(\d+)m", text)
            ]
            context = f"client {number} {client.mode} {client.user and client.user.name}"
            assert len(marks) == len(set(marks)), f"{context}: something twice"
            found = set(marks)
            for mark, seen in self.seen.items():
                said = f"{context}: {seen.what} (m{mark})"
                assert mark in found or number not in seen.must, f"{said} not seen"
                assert mark not in found or number in seen.may, f"{said} seen"
            for text in client.got:
                assert process not in text, f"{context}: our ActionID in {text!r}"
                self._check_id(context, text)

    def _check_id(self, context: str, text: str) -> None:
        """Check that a message bears the ActionID that its client gave."""
        mark = re.search(r"Mark: m(\d+)m", text)
        if mark is not None:
            found = re.search(r"(?mi)^ActionID: ([^\r\n]*)", text)
            given = self.seen[int(mark[1])].given
            assert (found and found[1]) == given, f"{context}: {text!r}, not {given!r}"


def value_of(block: str, name: str) -> str:
    """Return the value of a header of *block*."""
    found: Any = re.search(rf"(?m)^{name}: ([^\r\n]*)", block)
    return found[1] if found else ""
