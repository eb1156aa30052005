# SPDX-License-Identifier: GPL-2.0-or-later
"""Judges of what clients of a cluster are sent: all that Asterisk said, in order, once, or a gap."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amiproxy.message import END, Message
from amiproxy.routing.eventids import read_id

if TYPE_CHECKING:
    from amiproxy.routing.ring import Place
    from tests.bus.sharinghouse import House

_ID = re.compile(rb"ProxyEventID: [^\r]*\r\n")
_NUMBER = re.compile(rb"\r\nNr: ([^\r]+)\r\n")
#: What tells a client that something is missing.
_LOSSES = frozenset({"ProxyGap", "ProxyServerLost"})
#: Events that bear the ActionID of who has asked and are for everybody all the same.
FOR_ALL = frozenset({"OriginateResponse", "UserEvent"})


def messages_of(data: bytes) -> list[Message]:
    """Return the messages of *data*."""
    assert not data or data.endswith(END), data[-80:]
    return [Message(part + END) for part in data.split(END)[:-1]]


def number_of(raw: bytes) -> str:
    """Return the number that an Asterisk has given its event *raw*, "" if none."""
    found = _NUMBER.search(raw)
    return found[1].decode() if found else ""


def _epochs(text: str) -> dict[int, int]:
    """Return what the id *text* says of each connection."""
    found = read_id(text)
    assert found is not None, text
    return found.numbers


class Judge:
    """Looks at all that one client is sent which sees everything, wherever it is.

    With *ids* each event says where it is; else that is told by its bytes.
    """

    def __init__(self, house: House, name: str, *, ids: bool) -> None:
        self.house, self.name, self.ids = house, name, ids
        #: Behind which event of each server it is, once that is known.
        self.at: dict[str, Place] = {}
        self._is_told: dict[str, bool] = {}
        self.gaps: list[tuple[str, str]] = []
        #: Whether its proxy says when servers are lost.
        self.is_told_of_servers = True
        self.slot = 0
        self.trail: list[str] = []

    def take(self, data: bytes) -> None:
        """Look at *data*, which it was sent."""
        for message in messages_of(data):
            self._look(message)

    def begin_again(self) -> None:
        """It has come anew, and does not go on where it was."""
        self.at.clear()
        self._is_told.clear()

    def told(self) -> None:
        """Whatever comes next, it was told that something is missing."""
        self._is_told = dict.fromkeys(self.house.scopes, True)

    def _fail(self, text: str, message: Message) -> None:
        trail = "\n  ".join(self.trail[-12:])
        raise AssertionError(f"{self.name}: {text}: {message.lines}; before:\n  {trail}")

    def _look(self, message: Message) -> None:
        event = message.get("Event")
        self.trail.append(f"{event or message.lines[0]} {message.all('ProxyEventID')}"
                          f" {message.get('Nr')} {message.get('Reason')}")  # fmt: skip
        scope = message.get("Server")
        if event == "ProxyGap":
            self.gaps.append((scope, message.get("Reason")))
            self.house.note_gap(self, message)
        if event in _LOSSES:
            self._is_told[scope] = True
        if not event and message.has("Response"):
            self._look_at_answer(message)
        if self.ids:
            self._look_at_id(message, event)
        elif event and event != "ProxyGap":
            self._look_at_bytes(message)

    def _look_at_answer(self, message: Message) -> None:
        """See whether an answer stands among the events where it came."""
        place = self.house.answered.get(message.get("ActionID"))
        if place is None or not self.house.lossless or not self.ids:
            return
        at = self.at.get(self.house.scope_of(place[0]), place)
        if at != place and message.get("CarriedOut") == "":
            self._fail(f"an answer of {place} at {at}", message)

    def _look_at_bytes(self, message: Message) -> None:
        places = self.house.places.get((self.slot, message.raw), ())
        scope = message.get("Server")
        place = next((each for each in places if each > self.at.get(scope, each)), None)
        if place is None and places:
            place = places[-1]
        elif place is None:
            # It has no number: notices, and what came of an action; they may come twice.
            after = [(epoch, number + 1) for epoch, number in self.at.values()]
            places = [each for each in after if self.house.truth.get(each) == message.raw]
            place = places[0] if places else None
        if place is not None:
            self._step(place, message)

    def _look_at_id(self, message: Message, event: str) -> None:
        texts = message.all("ProxyEventID")
        if not texts:
            if number_of(message.raw):
                self._fail("an event without an id", message)
            return
        moved = self._moved(texts[-1], message)
        if event and event != "ProxyGap":
            if self.house.was_alone:
                self.at.update(moved)  # what was numbered alone stands among what was not
                return
            if not moved and self._is_elsewhere(texts[-1]):
                return  # of a connection that is over, which its proxy does not know yet
            if len(moved) != 1:
                self._fail(f"an event that moves {moved}", message)
            (place,) = moved.values()
            if self.house.truth.get(place) != _ID.sub(b"", message.raw):
                self._fail(f"{place} is {self.house.truth.get(place)!r}", message)
            self._step(place, message)
        elif event:
            self._gap(moved)
        else:
            self.at.update(moved)

    def _is_elsewhere(self, text: str) -> bool:
        """Return whether the id *text* names a connection that its proxy is still to have."""
        scopes = list(map(self.house.scope_of, _epochs(text)))
        return len(set(scopes)) < len(scopes)

    def _moved(self, text: str, message: Message) -> dict[str, Place]:
        """Return where the id *text* says that the client is, as far as that is new."""
        # What another proxy has sent of connections that this one does not know stays in an id.
        places: dict[str, Place] = {}
        for place in _epochs(text).items():
            scope = self.house.scope_of(place[0]) or message.get("Server")
            places[scope] = max(place, places.get(scope, place))
        may = message.get("Event") == "ProxyGap" and self.house.was_alone
        for scope, place in places.items():
            if place < self.at.get(scope, place) and not may:
                self._fail(f"back from {self.at[scope]}", message)
        return {scope: place for scope, place in places.items() if self.at.get(scope) != place}

    def _gap(self, moved: dict[str, Place]) -> None:
        for scope, place in moved.items():
            self.at[scope] = place
            self._is_told[scope] = False

    def _step(self, place: Place, message: Message) -> None:
        """The event at *place* was sent."""
        scope = self.house.scope_of(place[0])
        before = self.at.get(scope)
        self.at[scope] = place
        is_told = self._is_told.get(scope, False)
        self._is_told[scope] = message.get("Event") in _LOSSES
        if before is None or is_told:
            if before is not None and place <= before:
                self._fail(f"{place} behind {before}", message)
            return
        if place <= before:
            self._fail(f"{place} behind {before}", message)
        if place[0] == before[0] and place[1] != before[1] + 1:
            self._fail(f"{place} behind {before}, and nothing is told", message)
        if place[0] != before[0] and place[1] != 1 and self.ids:
            self._fail(f"{place} behind {before}, and nothing is told", message)
        if place[0] != before[0] and (self.ids or self.is_told_of_servers):
            self._fail(f"{place} behind {before}, and no loss is told", message)


class Asked:
    """One action that a client has asked, and what came of it."""

    def __init__(self, given: str, action: str, mode: str, scope: str, who: int) -> None:
        self.given, self.action, self.mode, self.scope = given, action, mode, scope
        self.who = who
        self.responses: list[str] = []
        self.finals = 0
        self.is_gone = False  # its client has left
        self.is_list = action in ("status", "coreshowchannels")

    def take(self, message: Message) -> str:
        """Note *message*, which bears its ActionID and came to its client; return what is wrong."""
        event = message.get("Event")
        if event in FOR_ALL:
            return ""
        if self.finals:
            return f"something behind the end of {self!r}"
        if event:
            if not self.is_list:
                return f"an item for {self!r}"
            self.finals += message.get("EventList") == "Complete"
            return ""
        self.responses.append(message.get("Response"))
        is_start = self.is_list and message.get("Response") == "Success"
        if is_start and len(self.responses) > 1:
            return f"another list for {self!r}"
        if message.get("Response") == "Error" and not message.get("CarriedOut"):
            # What the proxy refuses before it goes anywhere says so in its words.
            self.responses.append("refused at once")
        self.finals += not is_start
        return ""

    def __repr__(self) -> str:
        return f"{self.action} {self.given} ({self.mode}, {self.scope}, at {self.who}): {self.responses}"
