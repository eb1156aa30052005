# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of functions and applications cover all of Asterisk 22, and no spelling evades them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.access.escapes import escape
from amiproxy.asterisk import applications, functions
from amiproxy.message import Message
from tests.support import ROOT

_LINES = (ROOT / "tests/data/dialplan-names.tsv").read_text().splitlines()
_ROWS = [line.split("\t") for line in _LINES if line[:1] not in "#k"]
NAMES = {kind: {name.lower() for of, name, _ in _ROWS if of == kind}
         for kind in ("function", "application")}  # fmt: skip
#: Functions that Asterisk registers as escalating, to read, to write or both.
ESCALATING = {name.lower() for _, name, escalates in _ROWS if escalates != "-"}

RESTRICTED = sorted(name for row in functions.ROWS if row.needs_system for name in row.names)


@pytest.mark.parametrize("kind", ["function", "application"])
def test_every_name_that_asterisk_documents_is_in_one_row(kind: str) -> None:
    """So for each somebody has decided who may use it."""
    rows = functions.ROWS if kind == "function" else applications.ROWS
    listed = [name for row in rows for name in row.names]

    assert len(NAMES[kind]) > 190
    assert NAMES[kind] - set(listed) == set()
    assert len(listed) == len(set(listed))


def test_what_asterisk_registers_as_escalating_needs_system() -> None:
    """All fourteen of them, to read as well as to write."""
    assert len(ESCALATING) == 14
    for name in ESCALATING:
        for action in ("Getvar", "Setvar"):
            message = Message.of(f"Action: {action}", f"Variable: {name.upper()}(x)")
            assert escape(message), name


def test_programs_are_found_by_a_part_of_their_name() -> None:
    """Every application of the row of programs, and no harmless one."""
    for name in applications.PROGRAMS.names:
        assert any(part in name for part in applications.DANGEROUS_PARTS), name
    for row in (applications.HARMLESS, applications.SOUNDS, applications.DIAL, applications.DTMF):
        for name in row.names:
            assert not any(part in name for part in applications.DANGEROUS_PARTS), name


def test_families_have_rows_of_their_own_kind() -> None:
    """A name of a family that is in a row is in the row that the family says."""
    for start, family in functions.FAMILIES.items():
        assert family.needs_system
        for row in functions.ROWS:
            assert [name for name in row.names if name.startswith(start)] == [] or row is family


#: What Asterisk removes before it looks a name up.
_NOISE = st.sampled_from(["", "", "", '"', "\\", '""'])
_WRAPPERS = st.sampled_from(
    ["{}", "${{{}}}", "x${{IF($[1]?{})}}", "${{IMPORT(SIP/1-1,{})}}", "CUT({},-,1)", "a|{}", "1,{}",
     "${{LEN(${{{}}})}}", "CHANNEL(state),{}", " {}"]
)  # fmt: skip


@given(st.data())
def test_no_spelling_evades_the_list(data: st.DataObject) -> None:
    """Any case, quotes and backslashes within the name, blanks, and what stands around it."""
    name = data.draw(st.sampled_from(RESTRICTED))
    letters = [data.draw(st.sampled_from([one.lower(), one.upper()])) for one in name]
    spelled = "".join(letter + data.draw(_NOISE) for letter in letters)
    text = data.draw(_WRAPPERS).format(f"{spelled}(x)")
    action, header = data.draw(
        st.sampled_from(
            [("Getvar", "Variable"), ("Setvar", "Variable"), ("Status", "Variables"),
             ("Originate", "Variable"), ("Originate", "Data"), ("Redirect", "Exten")]
        )
    )  # fmt: skip

    assert escape(Message.of(f"Action: {action}", f"{header}: {text}"))


@given(st.data())
def test_no_spelling_evades_the_list_of_applications(data: st.DataObject) -> None:
    """In an Originate, and in the EXEC of an AGI, where quotes and backslashes go away."""
    name = data.draw(st.sampled_from(sorted(applications.PROGRAMS.names)))
    letters = [data.draw(st.sampled_from([one.lower(), one.upper()])) for one in name]
    spelled = "".join(letter + data.draw(_NOISE) for letter in letters)

    assert escape(Message.of("Action: Originate", f"Application: {''.join(letters)}", "Data: x"))
    assert escape(Message.of("Action: AGI", f"Command: EXEC {spelled} x"))
    assert escape(Message.of("Action: AGI", f"Command: e{data.draw(_NOISE)}xec\t{spelled} x"))
