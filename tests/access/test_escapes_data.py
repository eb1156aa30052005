# SPDX-License-Identifier: GPL-2.0-or-later
"""The data of an application: where its arguments end, and what sounds are."""

from __future__ import annotations

import pytest

from amiproxy.access.escapes import escape
from amiproxy.message import Message


def escapes(name: str, *lines: str) -> bool:
    """Return whether the action *name* with the headers *lines* could leave the PBX."""
    return escape(Message.of(f"Action: {name}", *lines)) is not None


@pytest.mark.parametrize(
    "sound", ["http://10.0.0.1/x.wav", "beep&HTTPS:\\//10.0.0.1/x", '"http"://x/y']
)
def test_a_sound_is_not_fetched_from_another_machine(sound: str) -> None:
    """By any application that plays one, and by commands of AGI."""
    for application in ("Playback", "BackGround", "ControlPlayback"):
        assert escapes("Originate", f"Application: {application}", f"Data: {sound}")
        assert escapes("AGI", f"Command: EXEC {application} {sound}")
    assert escapes("AGI", f"Command: STREAM FILE {sound} 1")
    assert not escapes("Originate", "Application: Dial", "Data: PJSIP/100/sip:5@host")


@pytest.mark.parametrize("options", ['"c,"', "c\\,", "C(a,b)", "c[,]", '"c|"'])
def test_a_comma_that_does_not_separate_hides_no_script(options: str) -> None:
    """Asterisk keeps together what is quoted, escaped or in brackets."""
    data = f"q,{options},,,,/bin/sh"

    assert escapes("Originate", "Application: Queue", f"Data: {data}")
    quoted = data.replace("\\", "\\\\").replace('"', '\\"')
    assert escapes("AGI", f"Command: EXEC Queue {quoted}")
    assert escapes("Originate", "Application: MeetMe", f"Data: {options[0]}1,{options[1:]},db")
    assert not escapes("Originate", "Application: Queue", f"Data: q,{options}")
