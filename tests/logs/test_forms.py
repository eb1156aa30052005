# SPDX-License-Identifier: GPL-2.0-or-later
"""How records are written, whatever is in them."""

from __future__ import annotations

import json
import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.logs.forms import Form, JournalForm, JsonForm, PrefixedForm, SyslogForm, TextForm

FORMS = [TextForm(), JsonForm(), PrefixedForm(), SyslogForm(), SyslogForm(as_json=True)]
#: Every control character but line feed and tab.
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def record(
    text: str, level: int = logging.INFO, *, error: Exception | None = None, **fields: str | int
) -> logging.LogRecord:
    info = None if error is None else (type(error), error, error.__traceback__)
    found = logging.LogRecord("amiproxy.client", level, "x.py", 1, "%s", (text,), info)
    found.created = 1700000000.25
    if fields:
        found.fields = fields
    return found


def entry(data: bytes) -> dict[str, str]:
    """Return the fields of an entry in the journal's native protocol."""
    found = {}
    while data:
        line, _, data = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size, data = int.from_bytes(data[:8], "little"), data[8:]
            value, data = data[:size], data[size + 1 :]
        found[name.decode()] = value.decode()
    return found


def shown(data: bytes) -> str:
    """Return how *data* is shown: as UTF-8, without control characters."""
    text = CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", data.decode("latin-1"))
    text = text.replace("\n", "\\x0a")
    return text.encode("latin-1").decode(errors="backslashreplace")


def test_json_says_when_how_bad_where_and_what() -> None:
    """One object a line, with what the record says beside its text."""
    said = json.loads(JsonForm().encode(record("hello", logging.WARNING, user="joe", ms=12)))

    assert re.fullmatch(r"2023-11-1\dT\d\d:\d\d:20\.250[+-]\d\d:\d\d", said.pop("time"))
    assert said == {
        "level": "warning", "module": "client", "message": "hello", "user": "joe", "ms": 12,
    }  # fmt: skip


def test_a_field_cannot_replace_what_every_line_has() -> None:
    """Whatever it is called."""
    assert json.loads(JsonForm().encode(record("hello", message="x")))["message"] == "hello"


@pytest.mark.parametrize(
    ("level", "priority"),
    [
        (logging.DEBUG, 7),
        (logging.INFO, 6),
        (logging.WARNING, 4),
        (logging.ERROR, 3),
        (logging.CRITICAL, 2),
        (25, 5),
        (5, 7),
    ],
)
def test_levels_are_priorities_of_syslog(level: int, priority: int) -> None:
    """In the journal, on its streams, and in syslog as of facility daemon."""
    one = record("x", level)

    assert entry(JournalForm().encode(one))["PRIORITY"] == str(priority)
    assert PrefixedForm().encode(one) == f"<{priority}>x\n".encode()
    assert SyslogForm().encode(one).startswith(f"<{24 + priority}>Nov 1".encode())


def test_an_entry_of_the_journal_has_fields() -> None:
    """A traceback is part of its message; what clients said is a field of its own."""
    try:
        raise ValueError("a\nb")
    except ValueError as error:
        found = entry(JournalForm().encode(record("oops", error=error, user="joe\nPRIORITY=0")))

    assert found["SYSLOG_IDENTIFIER"] == "astmanproxy"
    assert found["LOGGER"] == "amiproxy.client"
    assert found["PRIORITY"] == "6"
    assert found["ASTMANPROXY_USER"] == "joe\\x0aPRIORITY=0"
    assert found["MESSAGE"].startswith("oops\n    Traceback")
    assert found["MESSAGE"].endswith("\n    ValueError: a\n    b")


def test_each_line_of_a_traceback_has_its_priority() -> None:
    """The journal takes each line of a stream for an entry."""
    try:
        raise ValueError("a\nb")
    except ValueError as error:
        lines = PrefixedForm().encode(record("oops", logging.ERROR, error=error)).splitlines()

    assert lines[0] == b"<3>oops"
    assert lines[-1] == b"<3>    b"


def test_a_traceback_is_one_entry_of_syslog() -> None:
    """It has no line ends, and is no longer than rsyslog takes."""
    try:
        raise ValueError(f"{'z' * 100}\n" * 5000)
    except ValueError as error:
        data = SyslogForm().encode(record("oops", error=error))

    assert b"\n" not in data
    assert 7900 < len(data) < 8192


@given(st.text(st.characters(max_codepoint=255)))
@pytest.mark.parametrize("form", FORMS, ids=lambda form: type(form).__name__)
def test_nobody_forges_a_line_or_controls_a_terminal(form: Form, text: str) -> None:
    """In any form a record is one line without control characters."""
    data = form.encode(record(text, user=text))

    assert data.rstrip(b"\n").count(b"\n") == 0
    shown = data.decode("utf-8" if b'{"time"' in data else "latin-1")
    assert CONTROLS.search(shown) is None


@given(st.binary(), st.binary())
def test_json_is_json_whatever_bytes_came(text: bytes, user: bytes) -> None:
    """UTF-8 is read as such."""
    said = json.loads(
        JsonForm().encode(record(text.decode("latin-1"), user=user.decode("latin-1")))
    )

    assert said["message"] == shown(text)
    assert said["user"] == shown(user)


@given(st.binary(), st.binary())
def test_entries_of_the_journal_are_whole_whatever_bytes_came(text: bytes, user: bytes) -> None:
    """No value ends its field."""
    found = entry(JournalForm().encode(record(text.decode("latin-1"), user=user.decode("latin-1"))))

    assert set(found) == {
        "PRIORITY", "SYSLOG_IDENTIFIER", "SYSLOG_FACILITY", "LOGGER", "THREAD_NAME",
        "ASTMANPROXY_USER", "MESSAGE",
    }  # fmt: skip
    assert found["ASTMANPROXY_USER"] == shown(user)
