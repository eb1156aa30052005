# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows of channels and bridges: what events and lists make of them."""

from __future__ import annotations

from amiproxy.message import Message
from amiproxy.routing.facts import facts_of
from amiproxy.state.model import LIVE, ServerModel
from amiproxy.state.table import Query
from tests.state.invariants import LIMIT, rows

CHANNELS, BRIDGES = Query("CoreShowChannels"), Query("BridgeList")


def block(uniqueid: str, state: int = 6, prefix: str = "", **changes: str) -> list[str]:
    """Return the headers of one channel, as Asterisk 13 and later write them."""
    values = {
        "Channel": f"PJSIP/{uniqueid}-00000001", "ChannelState": str(state),
        "ChannelStateDesc": "?", "CallerIDNum": uniqueid, "CallerIDName": "<unknown>",
        "ConnectedLineNum": "<unknown>", "ConnectedLineName": "", "Language": "en",
        "AccountCode": "acct", "Context": "inside", "Exten": "200", "Priority": "1",
        "Uniqueid": uniqueid, "Linkedid": uniqueid, **changes,
    }  # fmt: skip
    return [f"{prefix}{name}: {value}" for name, value in values.items()]


def event(name: str, *lines: str) -> Message:
    """Return the event *name*."""
    return Message.of(f"Event: {name}", "Privilege: call,all", *lines)


def bridge(key: str, kind: str = "basic") -> list[str]:
    """Return the headers of a bridge."""
    return [
        f"BridgeUniqueid: {key}", f"BridgeType: {kind}", "BridgeTechnology: simple_bridge",
        "BridgeCreator: <unknown>", "BridgeName: <unknown>", "BridgeNumChannels: 1",
        "BridgeVideoSourceMode: none",
    ]  # fmt: skip


def model_of(*events: Message, now: float = 1000.0) -> ServerModel:
    """Return a model that was told *events*."""
    model = ServerModel(LIMIT)
    for each in events:
        model.apply(each, now)
    return model


def test_a_row_of_a_channel() -> None:
    """All fields; what Asterisk does not know is not there."""
    model = model_of(event("Newchannel", *block("101", 4)))
    model.apply(event("Newexten", *block("101", 4), "Extension: 300", "Application: Dial",
                      "AppData: PJSIP/102"), 1001.0)  # fmt: skip
    model.apply(event("Newstate", *block("101", 6, Exten="300")), 1002.0)

    (row,) = model.rows("channels", 1003.0)
    assert row.key == "101"
    assert row.fields == {
        "uniqueid": "101", "name": "PJSIP/101-00000001", "technology": "PJSIP",
        "device": "PJSIP/101", "state": "up", "state_number": 6, "caller_number": "101",
        "caller_name": None, "connected_number": None, "connected_name": None,
        "account": "acct", "context": "inside", "exten": "300", "priority": 1,
        "linkedid": "101", "call": "101", "application": "Dial",
        "application_data": "PJSIP/102", "bridge": None, "hold": False, "muted": None,
        "queue": None, "started": 1000.0, "since": 1002.0, "answered": 1002.0,
    }  # fmt: skip


def test_what_is_said_of_rows_is_judged_as_the_events_of_their_channels() -> None:
    """Class call, each channel of a call and of a bridge, all their contexts."""
    model = model_of(
        event("Newchannel", *block("101")),
        event("Newchannel", *block("102", Linkedid="101", Context="outside")),
        event("BridgeCreate", *bridge("b")),
        event("BridgeEnter", *bridge("b"), *block("101")),
        event("BridgeEnter", *bridge("b"), *block("102", Linkedid="101", Context="outside")),
    )

    for kind in ("calls", "bridges"):
        (row,) = model.rows(kind, 1000.0)
        facts = facts_of(row.said)
        assert facts.privilege == "call,all"
        assert facts.channels == "\npjsip/101-00000001\npjsip/102-00000001"
        assert facts.uids == ("101", "102")
        assert facts.contexts == ("inside", "outside")
    facts = facts_of(rows(model, "channels", 1000.0)["101"].said)
    assert (facts.uids, facts.contexts, facts.bridges) == (("101",), ("inside",), ("b",))


def test_parties_in_one_event_are_all_refreshed() -> None:
    """DestUniqueid, TransfererUniqueid and so on: each with a block of its own."""
    model = model_of(event("Newchannel", *block("101")), event("Newchannel", *block("102", 0)))

    dest = block("102", 5, "Dest", ConnectedLineNum="101")
    model.apply(event("DialBegin", *block("101", 4), *dest, "DialString: 102"), 1005.0)
    found = rows(model, "channels", 1006.0)
    assert [found[key].fields["state"] for key in ("101", "102")] == ["ring", "ringing"]
    assert found["102"].fields["connected_number"] == "101"
    assert found["102"].fields["since"] == 1005.0


def test_late_events_bring_nothing_back() -> None:
    """For a minute after Hangup; a Newchannel of the same id is another channel."""
    model = model_of(
        event("Newchannel", *block("101")), event("Hangup", *block("101"), "Cause: 16")
    )

    model.apply(event("NewCallerid", *block("101")), 1001.0)
    assert rows(model, "channels", 1001.0) == {}
    model.apply(event("Newchannel", *block("101")), 1002.0)
    assert set(rows(model, "channels", 1002.0)) == {"101"}


def test_an_unknown_channel_makes_a_row_or_a_doubt() -> None:
    """While the model is being built a row, later a reason to ask for the list again."""
    model = model_of(event("Newstate", *block("101")))
    assert set(rows(model, "channels", 1000.0)) == {"101"}

    model.state = LIVE
    model.apply(event("Newstate", *block("102")), 1000.0)
    assert set(rows(model, "channels", 1000.0)) == {"101"}
    assert model.doubts == {"channels"}


def test_what_handles_a_message_is_no_call() -> None:
    """Its channel never hangs up."""
    model = model_of(event("Newchannel", *block("1", Channel="Message/ast_msg_queue")))

    assert [list(model.rows(kind, 1000.0)) for kind in ("channels", "calls")] == [[], []]


def item(uniqueid: str, bridge_id: str) -> Message:
    """Return an item of CoreShowChannels."""
    extra = ["Application: Dial", "ApplicationData: x", "Duration: 00:01:40"]
    return Message.of("Event: CoreShowChannel", *block(uniqueid), *extra, f"BridgeId: {bridge_id}")


def test_a_list_sets_and_events_set_again() -> None:
    """What differs is counted; ages are counted from now; a second answer finds no difference."""
    model = model_of(event("Newchannel", *block("101")), event("Newchannel", *block("102")))
    items = [item("101", "b"), item("103", "b")]

    bridges = [Message.of("Event: BridgeListItem", *bridge("b"))]
    assert model.take_list(BRIDGES, bridges, 1050.0) == 1
    assert model.take_list(CHANNELS, items, 1050.0) == 4  # one went, one came, two are in a bridge
    assert model.take_list(CHANNELS, items, 1051.0) == 0
    found = rows(model, "channels", 1052.0)
    assert set(found) == {"101", "103"}
    assert (found["101"].fields["started"], found["103"].fields["started"]) == (1000.0, 950.0)
    assert rows(model, "bridges", 1052.0)["b"].fields["channels"] == ("101", "103")
    assert rows(model, "calls", 1052.0)["103"].fields["state"] == "talking"  # the elder

    model.apply(event("BridgeLeave", *bridge("b"), *block("103")), 1053.0)
    model.apply(event("Hangup", *block("103"), "Cause: 16"), 1053.0)
    assert model.take_list(CHANNELS, [item("101", "b"), item("103", "b")], 1054.0) == 0
    assert set(rows(model, "channels", 1054.0)) == {"101"}


def test_lists_of_asterisk_11_name_the_other_channel() -> None:
    """BridgedUniqueID, UniqueID, Extension: pairs instead of bridges."""

    def old(uniqueid: str, peer: str) -> Message:
        return Message.of(
            "Event: CoreShowChannel", f"Channel: SIP/{uniqueid}-01", f"UniqueID: {uniqueid}",
            "Context: inside", "Extension: 200", "Priority: 1", "ChannelState: 6",
            "ChannelStateDesc: Up", "Application: Dial", "ApplicationData: SIP/102",
            f"CallerIDnum: {uniqueid}", "CallerIDname: ", "ConnectedLineNum: ",
            "ConnectedLineName: ", "Duration: 00:00:10", "AccountCode: ",
            f"BridgedChannel: SIP/{peer}-01", f"BridgedUniqueID: {peer}",
        )  # fmt: skip

    model = ServerModel(LIMIT)
    assert model.take_list(CHANNELS, [old("101", "102"), old("102", "101")], 1000.0) == 3
    assert model.take_list(CHANNELS, [old("101", "102"), old("102", "101")], 1000.0) == 0
    (call,) = model.rows("calls", 1000.0)
    assert (call.fields["state"], call.fields["to_number"]) == ("talking", "102")
    assert model.take_list(CHANNELS, [old("101", ""), old("102", "")], 1001.0) == 1
    assert list(model.rows("bridges", 1001.0)) == []


def test_a_refused_list_has_another_in_its_place() -> None:
    """Status tells the same as CoreShowChannels; bridges come before channels."""
    model = ServerModel(LIMIT)
    actions = [query.action for query in model.queries[:3]]
    assert actions == ["BridgeList", "CoreShowChannels", "Status"]
    assert model.queries[2].instead_of == "CoreShowChannels"

    status = Message.of("Event: Status", *block("101"), "BridgeID: ", "Seconds: 5", "Data: x")
    assert model.take_list(model.queries[2], [status], 1000.0) == 1
    assert rows(model, "channels", 1000.0)["101"].fields["started"] == 995.0


def test_hold_and_mute() -> None:
    """Hold, Unhold; a member of a conference that is muted."""
    model = model_of(
        event("Newchannel", *block("101")), event("Hold", *block("101"), "MusicClass: ")
    )
    assert rows(model, "channels", 1000.0)["101"].fields["hold"] is True
    model.apply(event("Unhold", *block("101")), 1000.0)
    assert rows(model, "channels", 1000.0)["101"].fields["hold"] is False

    for name, muted in (("ConfbridgeMute", True), ("ConfbridgeUnmute", False)):
        model.apply(event(name, "Conference: 1", *bridge("c", "base"), *block("101")), 1000.0)
        assert rows(model, "channels", 1000.0)["101"].fields["muted"] is muted


def test_ended_calls_are_told_for_some_seconds() -> None:
    """With the cause, and to whom the channels were shown."""
    model = model_of(
        event("Newchannel", *block("101", 4)), event("Hangup", *block("101"), "Cause: 17")
    )

    (row,) = model.rows("calls", 1004.9)
    assert (row.fields["state"], row.fields["cause"]) == ("ended", 17)
    assert facts_of(row.said).uids == ("101",)
    assert list(model.rows("calls", 1005.1)) == []


def test_a_channel_is_in_one_bridge() -> None:
    """It has left the one before, whether that was told or not."""
    model = model_of(
        event("Newchannel", *block("101")), event("BridgeCreate", *bridge("a")),
        event("BridgeEnter", *bridge("a"), *block("101")),
        event("BridgeEnter", *bridge("b"), *block("101")),
    )  # fmt: skip

    found = rows(model, "bridges", 1000.0)
    assert {key: row.fields["channels"] for key, row in found.items()} == {"a": (), "b": ("101",)}
    model.apply(event("BridgeLeave", *bridge("a"), *block("101")), 1000.0)  # late
    assert rows(model, "channels", 1000.0)["101"].fields["bridge"] == "b"


def test_a_list_of_bridges_sets() -> None:
    """Those that are not in it are gone, and their channels are in none."""
    model = model_of(
        event("Newchannel", *block("101")), event("BridgeCreate", *bridge("a")),
        event("BridgeEnter", *bridge("a"), *block("101")),
    )  # fmt: skip

    assert model.take_list(BRIDGES, [], 1000.0) == 1
    assert rows(model, "bridges", 1000.0) == {}
    assert rows(model, "channels", 1000.0)["101"].fields["bridge"] is None


def test_what_a_channel_dialled_is_its_first_extension() -> None:
    """That of an Originate comes with its first Newexten; "s" is no number."""
    model = model_of(event("Newchannel", *block("101", 0, Exten="")))
    for exten in ("s", "300", "400"):
        lines = [*block("101", Exten=exten), f"Extension: {exten}", "Application: A", "AppData: "]
        model.apply(event("Newexten", *lines), 1000.0)

    (call,) = model.rows("calls", 1000.0)
    assert (call.fields["dialled"], call.fields["to_number"]) == ("300", "300")
    assert rows(model, "channels", 1000.0)["101"].fields["exten"] == "400"
