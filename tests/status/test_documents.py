# SPDX-License-Identifier: GPL-2.0-or-later
"""Documents: what JSON has is what the value has, also between two versions of the program."""

from __future__ import annotations

import json

from amiproxy.status.documents import document, status_of
from amiproxy.status.values import Alarm
from tests.status.samples import server, status


def test_a_status_comes_back_as_it_was() -> None:
    """All of it, whatever it went through."""
    there = status(
        Alarm("error", "what"), servers=(server(problem="x", again_in=None, behind=("pbx2",)),)
    )

    assert status_of(json.loads(json.dumps(document(there)))) == there


def test_an_older_proxy_lacks_what_a_newer_one_tells() -> None:
    """What is missing is unknown, and what is not known is left out."""
    found = document(status())
    del found["servers"][0]["round_trip"], found["servers"][0]["version"], found["memory"]
    found["servers"][0]["new"] = found["newer"] = 1

    there = status_of(found)

    assert there.servers[0].round_trip is None
    assert there.servers[0].version == ""
    assert there.memory.threads == 0
    assert there.servers[0].name == "pbx1.example.com:5038"
