# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows about users who see only a part: a channel of their own, classes, event filters."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Callable

from benchmarks import agents, delivery
from benchmarks.agents import Centre
from benchmarks.delivery import Delivery, Reader
from benchmarks.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.events import Event
    from benchmarks.row import Scale

#: Who uses filters has users, who log in.
_SETTINGS = {"authrequired": "yes"}
#: Rule sets of the rows ``classes``.
_SETS = 20
#: Events of 20 calls a second.
_RATE = 2000
#: Channels of each agent, in the row about what it takes to remember them.
_CALLS = 20
#: Clients who see everything beside agents.
_WALLS = 3


def filtered_rows(scale: Scale) -> Iterator[Row]:
    """Yield the rows."""
    channels = [
        Reader(f"phone{number}", partial(_is_about, exten=str(1000 + number)))
        for number in range(100)
    ]
    users = "".join(
        f"{reader.name}={delivery.secret(reader.name)},PJSIP/{1000 + number}\n"
        for number, reader in enumerate(channels)
    )
    yield _filter_row("filter-100-channels", channels, users, 100, scale)
    readers, users = _class_readers()
    yield _filter_row("filter-20-classes", readers, users, 20, scale)
    yield from _agents(scale)
    yield class_row(f"classes-{scale.users}", scale, _SETS)
    yield class_row(f"classes-{scale.users}-all", scale, _SETS, everything=True)


def _filter_row(name: str, readers: list[Reader], users: str, clients: int, scale: Scale) -> Row:
    return Row(
        name,
        partial(
            delivery.as_fast_as_it_goes,
            delivery=Delivery(clients, readers=readers),
            seconds=scale.seconds,
        ),
        _SETTINGS,
        users,
    )


def _class_readers() -> tuple[list[Reader], str]:
    """Return 20 users with read classes and event filters, and their file."""
    kinds: list[tuple[str, str, Callable[..., bool]]] = [
        (
            "call",
            "eventfilter = Channel: PJSIP/{prefix}\n",
            lambda event, prefix: event.privilege == "call" and event.exten.startswith(prefix),
        ),
        (
            "dialplan",
            "eventfilter = Channel: PJSIP/{prefix}\neventfilter = !Event: VarSet\n",
            lambda event, prefix: event.name == "Newexten" and event.exten.startswith(prefix),
        ),
        (
            "call,dialplan",
            "eventfilter(name(Newchannel),header(Channel),method(starts_with)) = PJSIP/{prefix}\n",
            lambda event, prefix: event.name == "Newchannel" and event.exten.startswith(prefix),
        ),
        (
            "all",
            "eventfilter = !Channel: PJSIP/{prefix}\n",
            lambda event, prefix: not event.exten.startswith(prefix),
        ),
    ]
    readers = []
    sections = []
    for kind, (read, lines, sees) in enumerate(kinds):
        for number in range(5):
            name, prefix = f"reader{kind}{number}", f"10{number}"
            readers.append(Reader(name, partial(sees, prefix=prefix)))
            sections.append(
                f"[{name}]\nsecret = {delivery.secret(name)}\nread = {read}\nwrite = all\n"
                + lines.format(prefix=prefix)
            )
    return readers, "\n".join(sections)


def _is_about(event: Event, exten: str) -> bool:
    return exten in (event.exten, event.device)


def _agents(scale: Scale) -> Iterator[Row]:
    """Yield the rows about users with a channel of their own, each in a call."""
    centre = Centre(scale.users, walls=_WALLS)
    paced = partial(agents.at_a_pace, rate=_RATE, seconds=scale.paced_seconds())
    name = f"agents-{scale.users}"
    yield Row(name, partial(paced, centre=centre), _SETTINGS, centre.users, ("proxy",))
    yield agent_row(f"{name}-max", scale, Centre(scale.users))
    yield agent_row(f"{name}-max-5", scale, Centre(scale.users, together=5))
    remembering = partial(agents.remembering, centre=centre, each=_CALLS)
    yield Row(f"{name}-ids", remembering, _SETTINGS, centre.users, ("proxy",))


def agent_row(name: str, scale: Scale, centre: Centre) -> Row:
    """Return a row about the agents of *centre*, at full speed."""
    measure = partial(agents.at_full_speed, centre=centre, seconds=scale.seconds)
    return Row(name, measure, _SETTINGS, centre.users, ("proxy",))


#: Lines by which a team sees its own channels, with the digits of their numbers as {team}: a
#: text in the whole event, a pattern, the ways to compare a header, two lines, one that withholds.
_TEAM_RULES = (
    "eventfilter = Channel: PJSIP/{team}\n",
    "eventfilter = Channel: PJSIP/1[0]{last}\n",
    "eventfilter(header(Channel),method(starts_with)) = PJSIP/{team}\n",
    "eventfilter(header(CallerIDNum),method(regex)) = ^{team}[0-9]$\n",
    "eventfilter(header(Channel),method(contains)) = /{team}\n",
    "eventfilter(name(VarSet),header(Channel),method(starts_with)) = PJSIP/{team}\n\
eventfilter(name(Newstate),header(Channel),method(starts_with)) = PJSIP/{team}\n",
    "eventfilter = Channel: PJSIP/{team}\neventfilter = !Event: (Hangup|Newexten)\n",
)
#: Lines that let everything through.
_OPEN_RULES = (
    "eventfilter = !Event: Never{number}\n",
    "eventfilter = Event: [A-Z]\neventfilter = !Never{number}\n",
    "eventfilter(header(BenchId),method(none)) =\neventfilter = !Never{number}\n",
    "eventfilter(action(exclude),name(Never{number})) =\n",
)


def class_row(name: str, scale: Scale, sets: int, *, everything: bool = False) -> Row:
    """Return a row about users in so many distinct *sets* of classes and event filters.

    Each set sees everything, or the events of one class of one team in ten.
    """
    each = -(-scale.users // sets)
    rules = [_open_rules(number) if everything else _team_rules(number) for number in range(sets)]
    readers = [Reader(f"set{number}", sees, each) for number, (sees, _) in enumerate(rules)]
    sections = [
        f"[{user}]\nsecret = {delivery.secret(user)}\nwrite = all\n{lines}"
        for reader, (_, lines) in zip(readers, rules)
        for user in map(reader.user, range(each))
    ]
    delivered = Delivery(each * sets, readers=readers, little=not everything)
    measure = partial(delivery.of_what_came, delivery=delivered, seconds=scale.seconds)
    return Row(name, measure, _SETTINGS, "\n".join(sections), ("proxy",))


def _team_rules(number: int) -> tuple[Callable[[Event], bool], str]:
    """Return what the rule set *number* sees, and its lines."""
    last = number // 2 % 10
    read, kind = ("call", "dialplan")[number % 2], number % len(_TEAM_RULES)
    lines = f"read = {read}\n" + _TEAM_RULES[kind].format(team=f"10{last}", last=last)
    if number >= _SETS:  # more sets than teams: distinct by a line that never matters
        lines += f"eventfilter = !Event: Never{number}\n"
    names = {5: ("VarSet", "Newstate"), 6: ("Newchannel", "VarSet", "Newstate")}.get(kind)

    def sees(event: Event) -> bool:
        is_own = event.privilege == read and event.exten.startswith(f"10{last}")
        return is_own and (names is None or event.name in names)

    return sees, lines


def _open_rules(number: int) -> tuple[Callable[[Event], bool], str]:
    """Return that the rule set *number* sees everything, and its lines."""
    lines = _OPEN_RULES[number % len(_OPEN_RULES)].format(number=number)
    return lambda _: True, "read = all\n" + lines
