# SPDX-License-Identifier: GPL-2.0-or-later
"""The kinds of clients, and what each of them may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple

if TYPE_CHECKING:
    from benchmarks.resumes.asterisk import Said

USERS = """\
board=secret
phone=secret,SIP/100
[agent]
secret = secret
read = agent
write = all
[filtered]
secret = secret
read = all
write = all
eventfilter = Kind: b
[local]
secret = secret
read = all
write = all
server = one
"""


def _all(_: Said) -> bool:
    return True


class Kind(NamedTuple):
    """One kind of client: how it comes, and which events it is to see."""

    name: str
    user: str = "board"
    form: str = "standard"
    tls: bool = False
    sees: Callable[[Said], bool] = _all
    servers: tuple[str, ...] = ("one", "two")
    mask: str = "on"
    #: Whether it logs in with events on before it resumes.
    is_early: bool = False
    #: Whether it reads slowly.
    is_slow: bool = False
    #: Whether it asks for snapshots meanwhile.
    asks: bool = False
    #: Whether it is never cut off.
    is_steady: bool = False
    #: Whether its events bear ids.
    has_ids: bool = True

    @property
    def is_told_numbers(self) -> bool:
        """Whether it sees all events, so that it is told how many are missing."""
        return self.sees is _all and self.servers == ("one", "two")


#: The one who has seen all that the proxy was sent.
WITNESS = Kind("witness, no ids", is_steady=True, has_ids=False)

KINDS = (
    Kind("AMI"),
    Kind("AMI, TLS", tls=True),
    Kind("JSON", form="json"),
    Kind("JSON, TLS", form="json", tls=True),
    Kind("read = agent", "agent", sees=lambda said: said.event_class == "agent"),
    Kind("eventfilter", "filtered", sees=lambda said: said.kind == "b"),
    Kind("channel user", "phone", sees=lambda said: said.is_phone),
    Kind("server = one", "local", servers=("one",)),
    Kind("EventMask: call", mask="call", sees=lambda said: said.event_class == "call"),
    Kind("slow", is_slow=True),
    Kind("events on", is_early=True),
    Kind("events on, TLS", tls=True, is_early=True),
    Kind("snapshots", asks=True),
    Kind("never cut", is_steady=True),
    Kind("never cut, snapshots", is_steady=True, asks=True),
)
