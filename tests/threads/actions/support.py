# SPDX-License-Identifier: GPL-2.0-or-later
"""One client of a proxy without sockets: call actions, and see what they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amiproxy.access.user import Users
from amiproxy.formats import load_formats
from amiproxy.message import Message
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.settings.usersfile import read_users
from amiproxy.threads.actions import dispatch
from amiproxy.threads.actions.call import Call, Outcome
from amiproxy.threads.sessions.context import ProxyContext
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.threads.sessions.session import ClientSession
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Collection

FORMATS = load_formats(ROOT / "handlers")


class Control:
    """Servers of a proxy, by name only; *known* are there."""

    def __init__(self, *known: str) -> None:
        self.known = list(known)
        self.added: list[ServerSpec] = []
        self.asked: tuple[list[str], str] = ([], "")

    def add_server(self, spec: ServerSpec) -> bool:
        """Add *spec* unless its host is known."""
        if spec.host in self.known:
            return False
        self.added.append(spec)
        return True

    def drop_server(self, name: str) -> bool:
        """Drop the server *name*."""
        if name not in self.known:
            return False
        self.known.remove(name)
        return True

    def reconnect(self, names: Collection[str], reason: str) -> None:
        """Note whom to connect to anew."""
        self.asked = (sorted(names), reason)


class Session(ClientSession):
    """A client that keeps the text of all it is told in *told*."""

    input_name = "standard"

    def __init__(self, *, guarded: bool, address: str = "192.0.2.1") -> None:
        super().__init__(
            f"client {address}:1",
            address,
            mode=AutoFilter.OFF,
            guarded=guarded,
            output=FORMATS["standard"],
            filter_local="off",
        )
        self.told: list[list[str]] = []

    def _tell(self, message: Message) -> None:
        self.told.append(list(message.lines))

    @property
    def ended(self) -> bool:
        """Nobody lets this client go."""
        return False


class Client:
    """One client of a proxy with these users and settings, and no Asterisk."""

    def __init__(self, users: str = "", *, control: Control | None = None, **settings: Any) -> None:
        self.control = control or Control()
        self.context = ProxyContext(
            Config(**settings),
            read_users(users, "users")[0] if users else Users(),
            FORMATS,
            None,
            Router(SessionRegistry()),
            self.control,
        )
        self.session = self.join()

    def join(self, address: str = "192.0.2.1") -> Session:
        """Return a further client's session, which is in the registry."""
        router = self.context.router
        session = Session(guarded=self.context.config.guarded, address=address)
        router.registry.add(session)
        return session

    def handle(self, *lines: str, session: Session | None = None) -> Outcome:
        """Carry out the block of *lines*; answer a logoff, as the client's thread does."""
        session = session or self.session
        outcome = dispatch.handle(Call(self.context, session, Message.of(*lines)))
        if outcome.goodbye is not None:
            session.say(outcome.goodbye)
        return outcome

    def ask(self, *lines: str, session: Session | None = None) -> list[str]:
        """Carry out the block of *lines* and return its one answer."""
        session = session or self.session
        before = len(session.told)
        self.handle(*lines, session=session)
        (answer,) = session.told[before:]
        return answer
