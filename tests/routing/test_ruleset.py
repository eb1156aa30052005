# SPDX-License-Identifier: GPL-2.0-or-later
"""Rule sets say what masks, selections and filters say one by one, whatever the event.

With ASTMANPROXY_HISTORIES=300000 as many events are judged.
"""

from __future__ import annotations

import gc
import os
import random
import threading
import weakref
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import pytest

from amiproxy.message import Message
from amiproxy.patterns import engine, re2text
from amiproxy.routing import looks
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.classes import ALL, CALL, DIALPLAN, USER, may_see, privilege_mask
from amiproxy.routing.eventfilter import NO_FILTERS, EventFilters, FilterError
from amiproxy.routing.facts import Facts, facts_of
from amiproxy.routing.marks import ANSWER, ANY, IN_FORCE, Text
from amiproxy.routing.selection import Selection
from amiproxy.routing.visibility import View
from amiproxy.wire.routed import BROADCAST, NO_CLIENT, UNKNOWN_CLIENT, Routed

if TYPE_CHECKING:
    from amiproxy.patterns.automaton import Budget

EVENTS = int(os.environ.get("ASTMANPROXY_HISTORIES", "2000"))
#: Views at a time, and events that each of them judges.
_VIEWS, _BATCH = 8, 20

NAMES = ["Newchannel", "Hangup", "VarSet", "UserEvent", "varset", "New"]
CLASSES = ["call,all", "dialplan,all", "user,all", "call", "call,reporting,all", "<none>", "", " ",
           "other,all", " call"]  # fmt: skip
VALUES = ["PJSIP/101-1", "SIP/101", "PJSIP/1012", "Local/101@a-1", "101", "", " x", "\xff", "a\rb",
          "Channel: SIP/101", "Event: Hangup", "PJSIP/101-1\r", "a\nChannel: SIP/101"]  # fmt: skip
HEADERS = ["Channel", "DestChannel", "Exten", "channel", "Event", "Privilege", "Response"]
TEXTS = ["Channel: PJSIP/101", "Channel: SIP/101", "PJSIP/10", "101", "Event: Hangup", "call", "\xff",
         "Event: VarSet", "Channel: PJSIP/101-1\r\nExten", "a\r", "nel: PJSIP/101"]  # fmt: skip
PATTERNS = ["Channel: (PJ)?SIP/101-?", "^Event: (Hangup|New)", "SIP/[0-9]+-1", "^$", "101$", "^101",
            "[Cc]hannel: .*a.b", r"\<101\>", "x|Exten: 1", ".", "(Event: V){1,2}", *TEXTS]  # fmt: skip
ODD = ["Event:Hangup", "event: VarSet", "Response: Success", "Event:  New", "Exten: 1", "Event: "]


def filter_line(numbers: random.Random) -> tuple[str, str]:
    """Return a filter's text and criteria."""
    method = numbers.choice(["", "regex", "exact", "starts_with", "ends_with", "contains", "none"])
    criteria = [f"method({method})"] if method else []
    if method and (method == "none" or numbers.random() < 0.4):
        criteria.append(f"name({numbers.choice(NAMES)})")
    if method and numbers.random() < 0.5:
        criteria.append(f"header({numbers.choice(HEADERS)})")
    text = numbers.choice(PATTERNS if method in ("", "regex") else TEXTS)
    return "!" * (numbers.random() < 0.4) + text * (method != "none"), ",".join(criteria)


def filters(numbers: random.Random, budget: Budget = engine.OF_FILES) -> EventFilters:
    found = NO_FILTERS
    for _ in range(numbers.choice([0, 1, 1, 2, 5, 12])):
        try:
            found = found.with_line(*filter_line(numbers), budget)
        except FilterError:
            assert budget is engine.OF_CLIENTS  # without google-re2
    return found


def view_of(numbers: random.Random) -> View:
    sets = [filters(numbers)]
    if numbers.random() < 0.2:
        sets.append(filters(numbers, engine.OF_CLIENTS))
    names = numbers.choices(["Hangup", "varset", "new*", "*", "User*"], k=numbers.randint(0, 2))
    mode = numbers.choice(list(AutoFilter))
    return View(
        mode=mode,
        mask=numbers.choice([ALL, ALL, CALL, CALL | DIALPLAN, USER, 0]),
        filters=tuple(sets),
        restricted=numbers.random() < 0.3,
        last_id=numbers.choice([None, "a"]) if mode is AutoFilter.ON else None,
        selection=numbers.choice([None, None, Selection.of(names)]),
    )


def message_of(numbers: random.Random) -> Message:
    head = [f"Event: {numbers.choice(NAMES)}", f"Privilege: {numbers.choice(CLASSES)}"]
    chance = numbers.random()
    if chance < 0.1:
        head[numbers.randint(0, 1)] = numbers.choice(ODD)
    elif chance < 0.2:
        head = numbers.choices([*head, *ODD], k=numbers.randint(1, 4))
    lines = [
        f"{numbers.choice(HEADERS)}:{numbers.choice(['', ' ', ' ', '  '])}{numbers.choice(VALUES)}"
        for _ in range(numbers.randint(0, 6))
    ]
    return Message.of(*head, *lines)


def item_of(numbers: random.Random) -> Routed:
    message = message_of(numbers)
    if numbers.random() < 0.8:
        return Routed(message)
    return Routed(
        message,
        owner=numbers.choice([BROADCAST, UNKNOWN_CLIENT, 7]),
        action_id=numbers.choice([None, "a", "b"]),
        private=numbers.random() < 0.2,
    )


def passes(view: View, message: Message) -> bool:
    """Return what ``View.sees_event`` says, found out the plain way."""
    message = Message(message.raw)  # nothing is known of it
    facts = facts_of(message)
    if not facts.name:
        return True
    return (
        may_see(view.mask & ALL, privilege_mask(facts.privilege))
        and (view.selection is None or view.selection.has(facts.name))
        and all(each.passes(message) for each in view.filters)
    )


@pytest.mark.parametrize("with_re2", [True, False])
def test_rules_say_of_each_event_what_each_filter_says_by_itself(
    with_re2: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alone and with others, of events whose facts are known and of others, answers too."""
    if not with_re2:
        monkeypatch.setattr(re2text, "AVAILABLE", False)
        monkeypatch.setattr(looks, "_LOOKS", WeakValueDictionary())
    numbers = random.Random(11)
    for _ in range(EVENTS // _BATCH // 2):
        views = [view_of(numbers) for _ in range(numbers.randint(1, _VIEWS))]
        items = [item_of(numbers) for _ in range(_BATCH)]
        for item in items:
            if numbers.random() < 0.3:
                facts_of(item.message)
        for view in views:
            expected = [passes(view, item.message) for item in items]
            context = (view, items)

            assert view.shared_picks(items) == [view.sees(item, NO_CLIENT) for item in items], (
                context
            )
            assert [view.sees_event(item.message) for item in items] == expected, context


def test_what_is_picked_is_what_a_client_without_answers_sees() -> None:
    """Answers, what belongs to others and what is private, in each mode."""
    numbers = random.Random(12)
    for _ in range(EVENTS // _BATCH):
        view, items = view_of(numbers), [item_of(numbers) for _ in range(_BATCH)]

        expected = [_sees(view, item) for item in items]

        assert view.shared_picks(items) == expected, (view, items)


def _sees(view: View, item: Routed) -> bool:
    """Return whether a client that owns nothing sees *item*, as spec section 7 says it."""
    if view.mode is AutoFilter.ON and not item.private:
        if view.last_id is None:
            if item.action_id is not None and item.owner != BROADCAST:
                return False
        elif item.action_id != view.last_id or item.owner == UNKNOWN_CLIENT:
            return False
    if item.private:
        return False
    if item.owner != BROADCAST and (view.mode is AutoFilter.UNIQUE or view.restricted):
        return False
    return passes(view, item.message)


def rule(*lines: str) -> View:
    found = NO_FILTERS
    for each in lines:
        found = found.with_line(each)
    return View(filters=(found,))


def test_a_key_made_before_a_user_came_is_made_anew() -> None:
    """What it looks for was not looked for then; also where the key is noted with the facts."""
    items = [Routed(Message.of("Event: X", "Channel: SIP/7")), Routed(Message.of("Event: Y"))]
    facts_of(items[0].message)
    first = rule("Channel: SIP/8")
    assert first.shared_picks(items) == [False, False]
    assert first.sees_event(items[0].message) is False

    later = rule("Channel: SIP/7")

    assert later.sees_event(items[0].message) is True
    assert later.shared_picks(items) == [True, False]
    named = View(filters=(NO_FILTERS.with_line("", "name(Y)"),))
    assert named.shared_picks(items) == [False, True]
    assert View(selection=Selection.of(["y"])).shared_picks(items) == [False, True]


def test_what_users_who_have_gone_looked_for_is_forgotten() -> None:
    """However many there were; and who stays is judged as before."""
    items = [Routed(Message.of("Event: X", "Channel: SIP/7-1"))]
    stays = rule("Channel: SIP/7-", "!nothing")
    before = weakref.ref(IN_FORCE.marks)
    for number in range(500):
        assert rule(f"Channel: gone/{number}").shared_picks(items) == [False]
        assert stays.shared_picks(items) == [True]
    gc.collect()

    assert rule("SIP/7-").shared_picks(items) == [True]
    gone = [what for what in IN_FORCE.marks.bits if isinstance(what, Text) and b"gone" in what.text]
    assert len(gone) < 200
    assert stays.shared_picks(items) == [True]
    gc.collect()
    assert before() is None


def test_what_a_client_has_added_is_looked_for_for_nobody_else() -> None:
    """It has no mark, even if it could: its patterns may cost more than others should pay."""
    items = [Routed(Message.of("Event: X", "Channel: SIP/7-1"))]
    own = NO_FILTERS.with_line("Channel: of-a-client", "", engine.OF_CLIENTS)
    of_file = View(filters=(NO_FILTERS.with_line("Channel: of-a-file"),))

    assert View(filters=(own,)).shared_picks(items) == [False]
    both = NO_FILTERS.with_line("SIP").with_line("of-both", "", engine.OF_CLIENTS)
    assert View(filters=(both,)).shared_picks(items) == [True]
    assert of_file.shared_picks(items) == [False]

    reverse = NO_FILTERS.with_line("of-both", "", engine.OF_CLIENTS).with_line("SIP")
    assert View(filters=(reverse,)).shared_picks(items) == [True]

    texts = {what.text for what in IN_FORCE.marks.bits if isinstance(what, Text)}
    assert b"Channel: of-a-file" in texts
    assert texts.isdisjoint({b"Channel: of-a-client", b"of-both"})


def test_a_client_that_adds_what_a_file_has_takes_nothing_from_others() -> None:
    """Equal filters of a client and of a file: that of the file has its mark nevertheless."""
    items = [Routed(Message.of("Event: X", "Channel: SIP/7-1"))]
    own = View(filters=(NO_FILTERS.with_line("Channel: of-two", "", engine.OF_CLIENTS),))
    of_file = View(filters=(NO_FILTERS.with_line("Channel: of-two"),))
    assert own == of_file

    assert own.shared_picks(items) == of_file.shared_picks(items) == [False]

    assert Text(b"Channel: of-two") in IN_FORCE.marks.bits


BEGINNINGS = ["Event: New\r\nPrivilege: call,all", "Event:  New\r\nPrivilege:  call,all", "Event:New\r\nPrivilege:call",
              "event: New\r\nPrivilege: call", "Event: New\r\nX: y\r\nPrivilege: call", "Event: New\r\nPrivilege: ",
              "Event: New\r\nPrivilege:  \r\nPrivilege: call", "Event: New\r\nprivilege: call", "Event: \r\nPrivilege: call",
              "Event: New", "Event: A\r\nX:y\r\nPrivilege: call", "Event: A\r\nX:z\r\nPrivilege: call", "X: y\r\nEvent: New",
              "Response: Success\r\nEvent: New\r\nPrivilege: call", "Event: NEW\r\nPrivilege: CALL"]  # fmt: skip


@pytest.mark.parametrize("begins", BEGINNINGS)
def test_however_an_event_begins_its_name_and_classes_are_the_same(begins: str) -> None:
    """As where it was taken apart: for masks, choices of names, and names of filters."""
    for view in (
        View(mask=CALL),
        View(selection=Selection.of(["new"])),
        View(selection=Selection.of(["Ne*"]), mask=CALL | USER),
        View(filters=(NO_FILTERS.with_line("", "name(New)"),)),
        View(filters=(NO_FILTERS.with_line("!", "name(A\r\nX:y)"),)),
        View(filters=(NO_FILTERS.with_line("call", "name(A\r\nX:y),method(contains)"),)),
    ):
        message = Message(f"{begins}\r\n\r\n".encode())
        assert view.sees_event(message) is passes(view, message), view
        assert view.shared_picks([Routed(message)]) == [passes(view, message)], view


def test_an_answer_has_no_marks() -> None:
    """Whatever is in it: a rule never hides it (asterisk.md, Filter)."""
    answer = Message.of("Response: Success", "Message: Channel: SIP/7-1")
    view = View(filters=(NO_FILTERS.with_line("!SIP/7"),), mask=0)

    assert view.sees_event(answer)
    assert IN_FORCE.marks.key(answer) == ANSWER | ANY


def test_ways_to_begin_are_noted_in_bounded_number() -> None:
    """Senders make some of them up."""
    view = View(mask=CALL)
    for number in range(3000):
        message = Message.of(f"Event: E{number}", f"Privilege: {'call' if number % 2 else 'user'}")
        assert view.sees_event(message) is bool(number % 2)

    known = IN_FORCE.marks._known  # noqa: SLF001 - no other way to tell
    assert not view.sees_event(Message.of("Event: X", f"Privilege: user,{'x' * 300}"))
    assert len(known) <= 1024
    assert max(map(len, known)) <= 200


def test_threads_that_log_users_in_disturb_no_other() -> None:
    """Each finds what its own rules say, while others add theirs and go."""
    wrong: list[str] = []

    def judge(name: str) -> None:
        for number in range(150):
            text = f"Channel: {name}/{number % 40}-"
            items = [Routed(Message.of("Event: X", f"{text}1")), Routed(Message.of("Event: X"))]
            if rule(text).shared_picks(items) != [True, False]:
                wrong.append(text)

    threads = [threading.Thread(target=judge, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_event_is_not_taken_apart_for_rules() -> None:
    """That would cost more than all rules; what was found is known after it, too."""
    message = Message.of("Event: X", "Privilege: call,all", "Channel: SIP/7-1")
    views = [
        View(mask=CALL, selection=Selection.of(["x"])),
        View(filters=(NO_FILTERS.with_line("SIP/7", "header(Channel),method(starts_with)"),)),
        View(filters=(NO_FILTERS.with_line("Channel: SIP/[0-9]+-1"),)),
    ]
    for view in views:
        assert view.shared_picks([Routed(message)]) == [True]
    assert not isinstance(message.facts, Facts)

    assert facts_of(message).looks
    for view in views:
        assert view.sees_event(message)
    assert facts_of(message).channels == "\nsip/7-1"
