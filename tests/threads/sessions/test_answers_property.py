# SPDX-License-Identifier: GPL-2.0-or-later
"""Nobody ever sees an answer that is not for them, and nobody waits for one that came.

``ASTMANPROXY_HISTORIES=100000 pytest --timeout 0 tests/threads/sessions/test_answers_property.py``
plays as many histories.
"""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.threads.sessions.answershistory import History

HISTORIES = int(os.environ.get("ASTMANPROXY_HISTORIES", "300"))


@settings(max_examples=HISTORIES)
@given(st.binary(min_size=60, max_size=400))
def test_answers_reach_those_whose_they_are(history: bytes) -> None:
    """Whatever clients ask in whatever mode, and whatever servers say, truly or forged."""
    History(history).play()
