# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of actions, functions and applications, and how names are read, as a real Asterisk."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import pytest

from amiproxy.access.actionclasses import ACTIONS
from amiproxy.access.escapes import escape
from amiproxy.asterisk import applications, functions
from amiproxy.message import Message
from amiproxy.routing.classes import privilege_mask

if TYPE_CHECKING:
    from tests.asterisk.conftest import Manager
    from tests.support import ManagerClient

pytestmark = pytest.mark.real_asterisk

#: Two functions that need system, whose result is CANARY, a word that is not in them.
CANARIES = ["URIDECODE(%43%41%4E%41%52%59)", "BASE64_DECODE(Q0FOQVJZ)"]
#: Functions that evaluate, pass on or take apart what stands in them.
WRAPPERS = [
    "{}", "${{{}}}", "CUT({},-,1)", "CUT(${{{}}},-,1)", "LISTFILTER({},-,q)", "STRREPLACE({},q,q)",
    "STRBETWEEN({},q,q)", "IF(1?{}:x)", "IF(1?${{{}}})", "QUOTE({})", "TOUPPER({})", "TRIM({})",
    "PASSTHRU({})", "FILTER(A-Z,{})", "REPLACE({},q,z)", "EVAL(${{{}}})", "FIELDQTY({},-)",
    "SORT({}:1)", "CSV_QUOTE({})", "HASHKEYS({})",
]  # fmt: skip
NOISE = ["", "", '"', "\\", "\\\\", "'", " ", "\t", "^", "{", "}", "$", "${", "|", ",", ";", "`",
         "_", "-", "$[", "]", "(", ")", "\xa0"]  # fmt: skip


def spelled(text: str, rnd: random.Random) -> str:
    """Return *text* with noise in it here and there; case counts in names."""
    return "".join(one + (rnd.choice(NOISE) if rnd.random() < 0.03 else "") for one in text)


def hidden(rnd: random.Random) -> str:
    """Return a variable that may, to Asterisk, call one of the functions."""
    text = spelled(rnd.choice(CANARIES), rnd)
    for _ in range(rnd.randrange(4)):
        text = rnd.choice(WRAPPERS).format(text)
    return text


def asked_of(client: ManagerClient, *lines: str) -> list[str]:
    """Return the answer to an action, however many events come before it."""
    client.send(*lines, "ActionID: q")
    return client.read_until("ActionID: q")


def getvar(client: ManagerClient, variable: str) -> str:
    """Return what Asterisk answers, but the line that repeats the variable."""
    answer = asked_of(client, "Action: Getvar", f"Variable: {variable}")
    return "\n".join(line for line in answer if not line.startswith("Variable:"))


def test_no_spelling_that_asterisk_decodes_passes(manager: Manager) -> None:
    """Two thousand variables, in which the functions are wrapped and misspelled by chance."""
    rnd = random.Random(1)
    with manager.log_in() as client:
        if "CANARY" not in getvar(client, CANARIES[0]):
            pytest.skip("this Asterisk has not loaded the functions")
        asked = [hidden(rnd) for _ in range(2000)]
        decoded = [one for one in asked if "CANARY" in getvar(client, one).upper()]

    assert len(decoded) > 100
    passing = [
        one for one in decoded
        if escape(Message.of("Action: Getvar", f"Variable: {one}")) is None
    ]  # fmt: skip
    assert passing == []


def shown(client: ManagerClient, command: str, pattern: str) -> set[str]:
    """Return the names, in lower case, in the output of a *command*."""
    answer = asked_of(client, "Action: Command", f"Command: {command}")
    return {match[1].lower() for line in answer if (match := re.match(pattern, line))}


def test_every_name_that_asterisk_has_is_in_a_table(manager: Manager) -> None:
    """Functions and applications that it has loaded."""
    with manager.log_in() as client:
        called = shown(client, "core show functions", r"Output: ([A-Z]\w+) {2,}")
        run = shown(client, "core show applications", r"Output:\s+(\w+): ")

    listed = {name for row in functions.ROWS for name in row.names}
    families = tuple(functions.FAMILIES)
    # Asterisk cuts the names of functions to 20 characters there.
    known = {*listed, *(name[:20] for name in listed)}
    assert {name for name in called - known if not name.startswith(families)} == set()
    assert run
    assert run - {name for row in applications.ROWS for name in row.names} == set()


def test_every_action_asks_for_what_asterisk_asks(manager: Manager) -> None:
    """The classes of ListCommands, or more where another version asks for more."""
    with manager.log_in() as client:
        answer = asked_of(client, "Action: ListCommands")
    rows = [match for line in answer if (match := re.match(r"(\w+): .*\(Priv: ([^)]*)\)$", line))]

    assert len(rows) > 40
    for name, classes in (match.groups() for match in rows):
        mask = privilege_mask(classes)
        needed = ACTIONS[name.lower()]
        assert not mask or any(one & mask == one for one in needed), name
