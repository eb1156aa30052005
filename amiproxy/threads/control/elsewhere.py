# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that reach other proxies of the cluster, and what these may have this one do.

A command is looked at twice: the asking proxy says who may give it; the other one carries out
only what is in REACHABLE, and passes nothing on.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Callable, Optional

from amiproxy.status import units
from amiproxy.status.clustervalues import ALONE
from amiproxy.threads.control.command import Answer, Request, refusal
from amiproxy.threads.sessions.numbers import slot_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amiproxy.threads.sessions.cluster import Bus, Member, Told
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.link import AsteriskLink

#: What another proxy may ask for, by the names of the commands.
REACHABLE = frozenset(
    {"kick", "kick user", "pause", "reconnect", "resume", "show clients", "show listeners",
     "show memory", "show servers", "show stats", "show threads", "show users"}
)  # fmt: skip

#: All proxies of the cluster, as an argument.
ALL = "cluster"

_NO_CLUSTER = "this proxy is in no cluster: bus in astmanproxy.conf names none"


def reach(request: Request) -> Bus | None:
    """Return the bus by which *request* may be passed on; None: it is about this proxy alone."""
    return None if request.is_order else request.context.bus


def name_of(bus: Bus, slot: int) -> str:
    """Return what the proxy *slot* is called."""
    return next((each.name for each in bus.members() if each.slot == slot), units.slot(slot))


def others(bus: Bus) -> list[int]:
    """Return the slots of all proxies but this one."""
    return [each.slot for each in bus.members() if each.slot != bus.me.slot]


def order(request: Request, bus: Bus, slots: Sequence[int], *words: str) -> Asked:
    """Have the proxies *slots* carry out the command *words* for who asks; waits for them."""
    if not slots:
        return Asked(bus, {})
    line = shlex.join(words)
    return Asked(bus, bus.order(slots, line, f"{request.who} at {bus.me.name}"))


class Asked:
    """What other proxies have said."""

    def __init__(self, bus: Bus, found: Mapping[int, Optional[Told]]) -> None:
        self._bus = bus
        self.found = found

    @property
    def silent(self) -> list[str]:
        """A line for each that does not answer."""
        return [
            f"{name_of(self._bus, slot)} does not answer"
            for slot, told in self.found.items()
            if told is None
        ]

    @property
    def done(self) -> list[str]:
        """What those say that have done it."""
        return [
            f"{line} (at {name})" for name, told in self._told(good=True) for line in told.lines
        ]

    @property
    def refused(self) -> list[str]:
        """What those say that have not."""
        return [
            f"{line} (at {name})" for name, told in self._told(good=False) for line in told.lines
        ]

    def _told(self, *, good: bool) -> Iterable[tuple[str, Told]]:
        for slot, told in self.found.items():
            if told is not None and told.is_good == good:
                yield name_of(self._bus, slot), told


def joined(answer: Answer | None, asked: Asked, *, must: bool = True) -> Answer:
    """Return the *answer* of this proxy, None if it has none, with what others have said.

    *must*: what others refuse counts as refused; else only that they do not answer.
    """
    lines = [*(answer.lines if answer is not None else ()), *asked.done]
    bad = [*asked.silent, *(asked.refused if must or not lines else ())]
    is_good = not bad and (answer is None or answer.is_good)
    return Answer((*lines, *bad), is_good=is_good)


# -- who is meant -----------------------------------------------------------------------------


def ask(
    request: Request, command: str, here: Callable[[], Told]
) -> list[tuple[str, Optional[Told]]] | Answer:
    """Return what the proxies that *request* names say to *command*, each with its name.

    None: it does not answer; an Answer: there is no such proxy.  This one shows what *here*
    returns, if the bus does not bring it.
    """
    bus, word = reach(request), request.words[0]
    if bus is None:
        return refusal(_NO_CLUSTER)
    members = sorted(bus.members(), key=lambda each: (each.name, each.slot))
    named = [each for each in members if word.lower() == ALL or word in _names(each)]
    if not named:
        names = ", ".join(each.name for each in members)
        return refusal(f"there is no proxy {word!a} in the cluster; there is: {names}, or {ALL}")
    slots = [each.slot for each in named]
    alone = slots == [bus.me.slot]
    # All at the same time, this one too: to count events takes each a second.
    found = {} if alone else order(request, bus, slots, *command.split()).found
    return [(each.name, _own(bus, each, found.get(each.slot), here)) for each in named]


def _names(member: Member) -> tuple[str, ...]:
    return member.name, member.host, units.slot(member.slot)


def _own(
    bus: Bus, member: Member, told: Optional[Told], here: Callable[[], Told]
) -> Optional[Told]:
    is_missing = told is None or not told.is_good
    return here() if is_missing and member.slot == bus.me.slot else told


def problem(told: Optional[Told]) -> str:
    """Return why there is nothing to show of what a proxy has *told*."""
    if told is None:
        return "does not answer"
    return "; ".join(told.lines) or "its answer cannot be read"


def rows(told: Optional[Told]) -> list[Any]:
    """Return the rows that a proxy has *told*.

    Raises:
        ValueError: there are none; says why.

    """
    if told is None or not told.is_good or not isinstance(told.data, list):
        raise ValueError(problem(told))
    return told.data


def slot_of_session(context: ProxyContext, number: int) -> int:
    """Return the slot of the other live proxy that has session *number*; 0: none has it."""
    bus, slot = context.bus, slot_of(number)
    return slot if bus is not None and slot in others(bus) else 0


class Split:
    """Which of *links* this proxy holds, and which proxies hold the others.

    With no bus, or a link to another proxy (which each proxy has by itself), it is held here.
    """

    def __init__(self, request: Request, links: Iterable[AsteriskLink]) -> None:
        bus = request.context.bus
        self.here: list[AsteriskLink] = []
        #: Those that nobody holds.
        self.nobodys: list[AsteriskLink] = []
        self._slots: dict[int, None] = {}
        for link in links:
            if bus is None or link.spec.proxy or bus.figures().state == ALONE:
                self.here.append(link)
                continue
            holder = bus.holder_of(link.scope)
            if holder is None:
                self.nobodys.append(link)
            elif holder.slot == bus.me.slot:
                self.here.append(link)
            else:
                self._slots[holder.slot] = None

    @property
    def slots(self) -> list[int]:
        """The other proxies that hold some."""
        return [*self._slots]
