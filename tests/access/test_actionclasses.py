# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of actions is that of the sources of eight versions of Asterisk."""

from __future__ import annotations

import itertools

import pytest

from amiproxy.access import rights
from amiproxy.access.actionclasses import ACTIONS
from amiproxy.access.user import User
from amiproxy.asterisk import actions
from amiproxy.message import Message
from amiproxy.routing.classes import AGENT, ALL, CALL, CLASSES, REPORTING, SYSTEM, USER
from tests.support import ROOT

_LINES = (ROOT / "tests/data/ami-actions.tsv").read_text().splitlines()
_HEAD, *_TABLE = [line.split("\t") for line in _LINES if not line.startswith("#")]
VERSIONS = _HEAD[1:-1]
#: Action -> what each version that has it asks for, as written there.
ASKED = {
    row[0]: {version: text for version, text in zip(VERSIONS, row[1:-1]) if text != "-"}
    for row in _TABLE
}
#: Classes that some action asks for, one by one.
_USED = sorted({word for row in ASKED.values() for text in row.values() for word in text.split(",")}
               - {"none"})  # fmt: skip


def spelled_out(spans: tuple[actions.Span, ...]) -> dict[str, str]:
    """Return what each version asks for by the *spans* of a row."""
    return {
        version: ",".join(span.classes) or "none"
        for span in spans
        for version in VERSIONS[VERSIONS.index(span.first) : VERSIONS.index(span.last) + 1]
    }


def may_send(write: int, name: str) -> bool:
    """Return whether a user with the classes *write* may send the action *name*."""
    user = User("joe", "s", write=write)
    return rights.refusal(user, Message.of(f"Action: {name}")) is None


def admits(write: int, text: str) -> bool:
    """Return whether an Asterisk that asks for *text* admits a user with these classes."""
    return text == "none" or any(write & CLASSES[word] for word in text.split(","))


def test_every_row_is_that_of_the_sources() -> None:
    """The same actions, and in each version the same classes."""
    assert len(ASKED) > 170
    assert {name: spelled_out(one.spans) for name, one in actions.ACTIONS.items()} == ASKED


@pytest.mark.parametrize("name", ASKED)
def test_nobody_may_send_what_any_version_refuses(name: str) -> None:
    """Whatever one or two classes a user has; and who has all that is asked for may send it."""
    for pair in itertools.combinations_with_replacement(_USED, 2):
        write = CLASSES[pair[0]] | CLASSES[pair[1]]
        wanted = all(admits(write, text) for text in ASKED[name].values())
        assert may_send(write, name) is wanted, (pair, name)


@pytest.mark.parametrize(
    ("write", "name", "allowed"),
    [
        (0, "PRIDebugFileSet", False),
        (SYSTEM, "PRIDebugFileSet", True),
        (CALL | REPORTING, "VoicemailRemove", False),
        (CALL | REPORTING, "VoicemailMove", False),
        (USER, "VoicemailForward", True),
        (REPORTING, "PJSIPShowRegistrationsInbound", False),
        (REPORTING, "PJSIPShowRegistrationInboundContactStatuses", False),
        (REPORTING, "PJSIPShowResourceLists", False),
        (REPORTING, "PJSIPShowSubscriptionsOutbound", False),
        (CALL, "PJSIPHangup", True),
        (REPORTING, "PJSIPUnregister", True),
        (ALL & ~SYSTEM, "PJSIPSetMaintenance", False),
        (REPORTING, "PJSIPShowMaintenance", True),
        (SYSTEM, "ConfbridgeStopRecord", False),
        (SYSTEM | CALL, "ConfbridgeStopRecord", True),
        (0, "MixMonitorMute", False),
        (0, "ParkedCalls", False),
        (AGENT, "pjsipshowresourceLists", False),
        (ALL & ~SYSTEM, "PJSIPSetMaintenanceX", False),
    ],
)
def test_some_actions_one_by_one(write: int, name: str, allowed: bool) -> None:
    """Each as a user would send it, in any case."""
    assert may_send(write, name) is may_send(write, name.upper()) is allowed


def test_every_action_is_looked_up_in_lower_case() -> None:
    """No two rows are one action."""
    assert len(ACTIONS) == len(actions.ACTIONS) == len({name.lower() for name in ASKED})
