# SPDX-License-Identifier: GPL-2.0-or-later
"""Forms: a log record in, the bytes of its lines out.

What clients and servers say may stand in a record.  It must not be able to forge a line, or a
field, or to control the terminal of a reader; and no line is longer than somebody reads.
"""

from __future__ import annotations

import json
import logging
import time
from datetime import datetime, timezone
from typing import Any, Protocol

from amiproxy.logs.levels import WORDS

#: Who we are to syslog and journal.
IDENTIFIER = "astmanproxy"

# Characters of a line, and lines of a traceback: what a peer or a handler said may be long.
_LONGEST = 2000
_MOST_CALLS = 200
# Bytes of an entry: what rsyslog takes at least, and what fits into a datagram of the kernel's.
_LONGEST_SYSLOG = 8000
_LONGEST_ENTRY = 65536

# 0x80 to 0x9f control terminals, too (ECMA-48, C1).
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(9), *range(10, 32), *range(127, 160))}

#: The facility "daemon" of syslog(3), with its priorities by level.
_DAEMON = 3
_PRIORITIES = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}
_FORMATTER = logging.Formatter()


class Form(Protocol):
    """How records are written."""

    def encode(self, record: logging.LogRecord) -> bytes:
        """Return *record* as it is written: whole lines, or one entry."""


def lines_of(record: logging.LogRecord) -> list[str]:
    """Return the text of *record*, and the lines of its traceback; all are safe to show."""
    calls: list[str] = []
    if record.exc_info:
        calls += _FORMATTER.formatException(record.exc_info).split("\n")
    if record.stack_info:
        calls += record.stack_info.split("\n")
    # Of a long traceback the end tells most.
    lines = [record.getMessage(), *calls[-_MOST_CALLS:]]
    return [_safe(line) for line in lines]


def _safe(text: str) -> str:
    return text[:_LONGEST].translate(_ESCAPES)


def priority(record: logging.LogRecord) -> int:
    """Return the priority of syslog(3) for *record*; of a level of nobody's the next lower one."""
    return _PRIORITIES.get(record.levelno, 7 if record.levelno < logging.INFO else 5)


def fields_of(record: logging.LogRecord) -> dict[str, str | int]:
    """Return what *record* says beside its text, safe to show: values by names in lower case."""
    found: dict[str, str | int] = getattr(record, "fields", {})
    return {name: _safe(each) if isinstance(each, str) else each for name, each in found.items()}


class TextForm:
    """``%b %e %T: message``, as the C program wrote it; the lines of a traceback are indented.

    *origin*: debug lines name the thread and the module.
    """

    def __init__(self, *, origin: bool = False) -> None:
        self._origin = origin
        self._stamp = (0, "")

    def encode(self, record: logging.LogRecord) -> bytes:
        """Return *record* as lines of text."""
        text = "\n    ".join(lines_of(record))
        if self._origin and record.levelno < logging.INFO:
            text = f"{record.threadName} {record.name}: {text}"
        return encoded(f"{self._time(record.created)}: {text}\n")

    def _time(self, now: float) -> str:
        second, text = self._stamp
        if second != int(now):
            second = int(now)
            text = time.strftime("%b %e %T", time.localtime(second))
            # One assignment: another thread sees the old pair or the new one.
            self._stamp = (second, text)
        return text


class JsonForm:
    """One JSON object a line (RFC 8259), in UTF-8; see docs/operations.md."""

    def encode(self, record: logging.LogRecord) -> bytes:
        """Return *record* as one line."""
        return json_of(record).encode() + b"\n"


class PrefixedForm:
    """Lines as *sd-daemon(3)* has them on stderr: ``<6>message``, the time is the journal's."""

    def encode(self, record: logging.LogRecord) -> bytes:
        """Return *record* as lines, each with its priority."""
        first, *calls = lines_of(record)
        head = f"<{priority(record)}>"
        return encoded("".join(f"{head}{line}\n" for line in (first, *(f"    {c}" for c in calls))))


class SyslogForm:
    """One entry for ``/dev/log`` as syslog(3) writes it (RFC 3164, without the host)."""

    def __init__(self, *, as_json: bool = False) -> None:
        self._as_json = as_json

    def encode(self, record: logging.LogRecord) -> bytes:
        """Return *record* as one entry; the lines of a traceback follow on the same line."""
        if self._as_json:
            text = json_of(record).encode()
        else:
            text = encoded(" | ".join(lines_of(record)))[:_LONGEST_SYSLOG]
        stamp = time.strftime("%b %e %T", time.localtime(record.created))
        head = f"<{_DAEMON * 8 + priority(record)}>{stamp} {IDENTIFIER}[{record.process}]: "
        return head.encode() + text


class JournalForm:
    """One entry in the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL)."""

    def encode(self, record: logging.LogRecord) -> bytes:
        """Return *record* as one entry; what it says beside its text has fields of its own."""
        entry = {
            "PRIORITY": str(priority(record)),
            "SYSLOG_IDENTIFIER": IDENTIFIER,
            "SYSLOG_FACILITY": str(_DAEMON),
            "LOGGER": record.name,
            "THREAD_NAME": record.threadName or "",
            **{
                f"ASTMANPROXY_{name.upper()}": str(text) for name, text in fields_of(record).items()
            },
        }
        parts = [_field(name, _utf8(text)) for name, text in entry.items()]
        text = _utf8("\n    ".join(lines_of(record)))[:_LONGEST_ENTRY]
        return b"".join([*parts, _field("MESSAGE", text)])


def _field(name: str, value: bytes) -> bytes:
    if b"\n" in value:
        return name.encode() + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"
    return name.encode() + b"=" + value + b"\n"


def json_of(record: logging.LogRecord) -> str:
    """Return *record* as a JSON object: time, level, module, message, and what else it says."""
    first, *calls = lines_of(record)
    when = datetime.fromtimestamp(record.created, timezone.utc).astimezone()
    entry: dict[str, Any] = {
        "time": when.isoformat(timespec="milliseconds"),
        "level": WORDS.get(record.levelno, "info"),
        "module": record.name.rpartition(".")[2],
        "message": _text(first),
    }
    if calls:
        entry["traceback"] = [_text(line) for line in calls]
    for name, value in fields_of(record).items():
        entry.setdefault(name, _text(value) if isinstance(value, str) else value)
    return json.dumps(entry, ensure_ascii=False)


def encoded(text: str) -> bytes:
    """Return *text*, whose characters are bytes that a peer sent, as these bytes."""
    return text.encode("latin-1", "backslashreplace")


def _utf8(text: str) -> bytes:
    """Return *text* as UTF-8: bytes that are none are shown by their numbers."""
    return _text(text).encode()


def _text(text: str) -> str:
    return encoded(text).decode("utf-8", "backslashreplace")
