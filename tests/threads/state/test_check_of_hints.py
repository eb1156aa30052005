# SPDX-License-Identifier: GPL-2.0-or-later
"""Check: a list of extensions tells of no devices."""

from __future__ import annotations

from amiproxy.message import Message
from amiproxy.state.model import LIVE, ServerModel
from amiproxy.state.phones.devices import DEVICES, EXTENSIONS
from amiproxy.threads.state.check import Check


def test_a_hint_for_a_device_that_no_list_has_is_no_difference() -> None:
    """Asterisk keeps no state of a phone that was never there, whoever has a hint for it."""
    model = ServerModel(1000)
    device = Message.of("Event: DeviceStateChange", "Device: PJSIP/1", "State: INUSE")
    hint = Message.of("Event: ExtensionStatus", "Exten: 2", "Context: c", "Hint: PJSIP/2",
                      "Status: 4")  # fmt: skip
    model.take_list(DEVICES, [device], 1.0)
    model.take_list(EXTENSIONS, [hint], 1.0)
    model.state = LIVE
    check = Check(model)

    for now in (2.0, 3.0):
        verdict = check.compare(EXTENSIONS, [hint], now)
        assert (verdict.takes, verdict.stands) == (True, [])
    assert not check.has_differed
