# SPDX-License-Identifier: GPL-2.0-or-later
"""Which list is asked when, and what comes of the answers: no thread, no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from amiproxy.message import END, Message
from amiproxy.state.model import BUILDING, LIVE, ServerModel
from amiproxy.threads.state.lists import COMMANDS, Lists, Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amiproxy.state.table import Query

PACE = Pace()
ALL = "\r\n".join(
    f"{name}: Text.  (Priv: call,all)"
    for name in (
        "CoreShowChannels", "Status", "BridgeList", "QueueStatus", "DeviceStateList",
        "ExtensionStateList", "PJSIPShowContacts", "ParkedCalls", "ConfbridgeListRooms",
        "ConfbridgeList",
    )
)  # fmt: skip
ERROR = [Message.of("Response: Error", "Message: Permission denied")]


def answer(*items: Message, said: int | None = None) -> list[Message]:
    """Return a whole list of *items*."""
    count = len(items) if said is None else said
    first = Message.of("Response: Success", "EventList: start")
    end = Message.of("Event: XComplete", "EventList: Complete", f"ListItems: {count}")
    return [first, *items, end]


def channel(uniqueid: str, state: int = 6, age: str = "00:00:01") -> Message:
    """Return an item of CoreShowChannels."""
    return Message.of(
        "Event: CoreShowChannel", f"Channel: PJSIP/1-{uniqueid}", f"ChannelState: {state}",
        "ChannelStateDesc: Up", f"Uniqueid: {uniqueid}", f"Linkedid: {uniqueid}",
        f"Duration: {age}", "BridgeId: ", "Application: Echo",
    )  # fmt: skip


class Asterisk:
    """Answers whatever is asked, and keeps what was; *now* is its clock."""

    def __init__(self, pace: Pace = PACE) -> None:
        self.now = 1000.0
        self.model = ServerModel(1000)
        self.lists = Lists(self.model, pace)
        self.lists.begin(self.now)
        #: Answers by action; without one the list is empty.
        self.answers: dict[str, Callable[[], Sequence[Message]]] = {}
        self.commands: Sequence[Message] = [Message((f"Response: Success\r\n{ALL}").encode() + END)]
        self.asked: list[tuple[str, float]] = []
        self.corrected: list[str] = []
        self.took = 0.0

    def step(self) -> Query | None:
        """Ask what is due, and answer it."""
        query = self.lists.due(self.now)
        if query is not None:
            self.lists.sent(query, self.now)
            self.asked.append((query.action, self.now))
            assert self.lists.due(self.now) is None, "one at a time"
            self.now += self.took
            self.lists.heard(self.now)
            default = self.commands if query == COMMANDS else answer()
            given_ = self.answers[query.action]() if query.action in self.answers else default
            self.corrected += self.lists.answered(given_, self.now)
        return query

    def run(self, seconds: float) -> None:
        """Let time go by."""
        end = self.now + seconds
        while self.now < end:
            if self.step() is None:
                self.now += 0.5

    def live(self) -> Asterisk:
        """Go on until the model is live."""
        for _ in range(1000):
            if self.model.state == LIVE:
                return self
            self.run(0.5)
        raise AssertionError(self.asked)


def test_a_model_is_live_when_a_second_round_agrees() -> None:
    """All lists once, one at a time; channels and queues again two seconds later."""
    one = Asterisk()
    one.answers["CoreShowChannels"] = lambda: answer(channel("1"))
    one.live()

    names = [name for name, _ in one.asked]
    assert names[:2] == ["Ping", "ListCommands"]
    assert names.count("CoreShowChannels") == names.count("QueueStatus") == 2
    assert names.count("DeviceStateList") == names.count("ParkedCalls") == 1
    first, second = (at for name, at in one.asked if name == "CoreShowChannels")
    assert second - first >= PACE.settle
    assert "Status" not in names  # CoreShowChannels says more
    assert "SIPpeers" not in names  # not there
    assert [row.key for row in one.model.rows("channels", one.now)] == ["1"]


def test_rounds_that_do_not_agree_are_repeated_and_not_for_ever() -> None:
    """A channel comes with each list: live all the same, after some rounds."""
    one = Asterisk()
    found: list[Message] = []

    def longer() -> list[Message]:
        found.append(channel(str(len(found))))
        return answer(*found)

    one.answers["CoreShowChannels"] = longer
    one.live()
    assert 2 < [name for name, _ in one.asked].count("CoreShowChannels") < 6


def test_a_list_that_is_refused_is_told_and_the_other_one_asked() -> None:
    """Status in place of CoreShowChannels; where both are refused nothing is known of channels."""
    one = Asterisk()
    one.answers["CoreShowChannels"] = lambda: ERROR
    one.answers["QueueStatus"] = lambda: ERROR
    one.live()
    assert "Status" in [name for name, _ in one.asked]
    unknown = one.lists.unknown()
    assert unknown["members"] == "QueueStatus: Permission denied"
    assert "channels" not in unknown

    one = Asterisk()
    one.answers["CoreShowChannels"] = one.answers["Status"] = lambda: ERROR
    one.live()
    assert set(one.lists.unknown()) >= {"channels", "calls"}


def test_an_error_that_means_an_empty_list_is_one() -> None:
    """ConfbridgeListRooms without a conference, PJSIPShowContacts without a phone."""
    one = Asterisk()
    said = Message.of("Response: Error", "Message: No active conferences.")
    one.answers["ConfbridgeListRooms"] = lambda: [said]
    one.live()
    assert "conferences" not in one.lists.unknown()


def test_without_listcommands_each_list_answers_for_itself() -> None:
    """It may be refused, or not answered at all."""
    one = Asterisk()
    one.commands = ERROR
    one.live()
    assert {"QueueStatus", "DeviceStateList", "SIPpeers"} <= {name for name, _ in one.asked}


def test_a_list_of_which_a_part_is_missing_is_asked_again() -> None:
    """Its last message says how many items there were; it is not taken for the whole."""
    one = Asterisk()
    said = [2, 1]
    one.answers["CoreShowChannels"] = lambda: answer(channel("1"), said=said.pop(0) if said else 1)
    one.live()
    assert [row.key for row in one.model.rows("channels", one.now)] == ["1"]
    assert [name for name, _ in one.asked].count("CoreShowChannels") == 3

    one = Asterisk()
    one.answers["QueueStatus"] = lambda: answer(channel("1"), said=2)
    one.live()
    assert "not all of the list" in one.lists.unknown()["queues"]


def test_checks_are_paced() -> None:
    """Five seconds between any two; a minute between two of one list; two percent of the time."""
    one = Asterisk().live()
    one.asked.clear()
    one.run(300)
    times = [at for _, at in one.asked]
    assert min(later - at for at, later in zip(times, times[1:])) >= PACE.apart
    channels = [at for name, at in one.asked if name == "CoreShowChannels"]
    assert len(channels) >= 3
    assert min(later - at for at, later in zip(channels, channels[1:])) >= PACE.each

    one.took = 10.0
    one.asked.clear()
    one.run(2000)
    channels = [at for name, at in one.asked if name == "CoreShowChannels"][1:]
    assert min(later - at for at, later in zip(channels, channels[1:])) >= 500


def test_asterisks_own_times_are_told_by_the_clock_of_the_proxy() -> None:
    """By how much the two differ a Ping tells."""
    one = Asterisk()
    one.answers["Ping"] = lambda: [
        Message.of("Response: Success", "Ping: Pong", "Timestamp: 700.250000")
    ]
    member = Message.of("Event: QueueMember", "Queue: q", "Location: PJSIP/1", "Status: 1",
                        "Paused: 0", "CallsTaken: 2", "LastCall: 650")  # fmt: skip
    one.answers["QueueStatus"] = lambda: answer(member)
    one.live()
    (row,) = one.model.rows("members", one.now)
    assert row.fields["last_call"] == 950.0


def test_a_doubt_asks_for_an_early_check() -> None:
    """Of the list that has the kind in doubt, and soon."""
    one = Asterisk().live()
    one.run(70)
    one.asked.clear()
    one.model.doubts.add("channels")
    one.run(12)
    assert "CoreShowChannels" in [name for name, _ in one.asked]


def test_a_difference_counts_when_it_stands_in_two_checks() -> None:
    """The first check changes nothing; in the second the list wins."""
    one = Asterisk()
    one.answers["CoreShowChannels"] = lambda: answer(channel("1"))
    one.live()
    one.answers["CoreShowChannels"] = lambda: answer(channel("2"))
    one.asked.clear()
    while "CoreShowChannels" not in [name for name, _ in one.asked]:
        one.run(0.5)
    assert [row.key for row in one.model.rows("channels", one.now)] == ["1"]
    assert one.corrected == []
    one.run(120)
    assert [row.key for row in one.model.rows("channels", one.now)] == ["2"]
    assert sorted(one.corrected) == ["channels 1", "channels 2"]


def test_a_difference_that_goes_away_does_not_count() -> None:
    """An event came in between: it was on its way when the list was made."""
    one = Asterisk()
    one.answers["CoreShowChannels"] = lambda: answer(channel("1"))
    one.live()
    one.answers["CoreShowChannels"] = answer
    one.asked.clear()
    while "CoreShowChannels" not in [name for name, _ in one.asked]:
        one.run(0.5)
    one.model.apply(
        Message.of("Event: Hangup", "Channel: PJSIP/1-1", "Uniqueid: 1", "Cause: 16"), one.now
    )
    one.run(150)
    assert one.corrected == []
    assert not list(one.model.rows("channels", one.now))


def test_what_is_not_answered_does_not_hold_up_the_others() -> None:
    """After half a minute the next one is asked, and the kind is not known."""
    one = Asterisk()
    lists = one.lists
    while (query := lists.due(one.now)) is None or query.action != "QueueStatus":
        one.step()
    lists.sent(query, one.now)
    assert not lists.overdue(one.now + 29)
    lists.heard(one.now + 29)  # a part has come
    assert not lists.overdue(one.now + 50)
    assert lists.overdue(one.now + 60)
    one.now += 60
    one.live()
    assert "no answer in time" in one.lists.unknown()["queues"]


def test_what_was_cut_is_asked_twice_more() -> None:
    """Then the kind is not known, and the others are asked."""
    one = Asterisk()
    asked = 0
    while one.model.state == BUILDING:
        query = one.lists.due(one.now)
        if query is not None and query.action == "QueueStatus":
            one.lists.sent(query, one.now)
            one.lists.cut(one.now)
            asked += 1
        else:
            one.step()
        one.now += 0.1
    assert asked == 3
    assert one.lists.unknown()["queues"] == "QueueStatus: not all of the list has come"
    assert "devices" not in one.lists.unknown()


def test_what_was_refused_at_the_beginning_is_asked_again_and_taken_at_once() -> None:
    """A minute later: Asterisk had not loaded it yet, or was slow.  Later on, seldom."""
    one = Asterisk()
    one.answers["QueueStatus"] = lambda: ERROR
    one.live()
    assert "queues" in one.lists.unknown()
    one.answers["QueueStatus"] = lambda: answer(
        Message.of("Event: QueueParams", "Queue: sales", "Max: 0")
    )
    one.run(PACE.each + PACE.apart * 20)
    assert "queues" not in one.lists.unknown()
    assert [row.key for row in one.model.rows("queues", one.now)] == ["sales"]
    assert one.corrected == []


def test_a_list_that_is_too_long_is_given_up() -> None:
    """The others are asked."""
    one = Asterisk()
    while (query := one.lists.due(one.now)) is None or query.action != "QueueStatus":
        one.step()
    one.lists.sent(query, one.now)
    one.lists.too_long(one.now)
    one.live()
    assert one.lists.unknown()["queues"] == "QueueStatus: the list is too long"


def test_begin_asks_everything_anew() -> None:
    """Also what was refused before; and nothing while the connection is lost."""
    one = Asterisk()
    one.answers["QueueStatus"] = lambda: ERROR
    one.live()
    one.lists.stop()
    one.model.clear()
    assert one.model.state == BUILDING
    del one.answers["QueueStatus"]
    one.lists.begin(one.now)
    one.live()
    assert one.lists.unknown().keys().isdisjoint(("queues", "members"))


@given(st.lists(st.binary(max_size=200), max_size=6))
def test_whatever_an_answer_is_the_lists_go_on(parts: list[bytes]) -> None:
    """Bytes from outside raise nothing, and the model becomes live."""
    one = Asterisk()
    said = [Message(part.replace(END, b"") + END) for part in parts] or ERROR
    for action in ("CoreShowChannels", "QueueStatus", "ListCommands", "ConfbridgeListRooms"):
        one.answers[action] = lambda: said
    one.live()
