# SPDX-License-Identifier: GPL-2.0-or-later
"""Loading handlers: each file is a format, and a broken one is skipped."""

from __future__ import annotations

import csv
import json
import re
import sys
from typing import TYPE_CHECKING, Any, Callable

import pytest
from hypothesis import given

from amiproxy import formats
from amiproxy.formats import Limits, Refused, load_formats
from amiproxy.message import Message
from tests.handlers.support import messages
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amiproxy.formats import Format

#: Files, given as name=text, to the formats in them.
Load = Callable[..., "dict[str, Format]"]

WRITER = "def write(message):\n    return b'x'\n"


def written(one: Format) -> bytes:
    """Return what the format writes of a message."""
    assert one.write is not None
    return one.write(Message.of("A: b"))


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Load handlers from files given as name=text."""

    def load(**files: str) -> dict[str, Format]:
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
        return load_formats(tmp_path)

    yield load
    for name in [name for name in sys.modules if name.startswith("astmanproxy_handlers.")]:
        if not (ROOT / "handlers" / f"{name.partition('.')[2]}.py").exists():
            del sys.modules[name]


def test_a_new_file_is_a_new_format(load: Load) -> None:
    """It has the name of the file, and the directions its functions give."""
    loaded = load(
        out=WRITER,
        both=WRITER + "CONTENT_TYPE = 'text/x'\ndef reader(limits): ...\n",
        questions="def conversation(limits): ...\n",
    )

    assert {one.name: (one.is_input, one.is_output) for one in loaded.values()} == {
        "out": (False, True),
        "both": (True, True),
        "questions": (True, False),
    }
    assert loaded["both"].content_type == "text/x"
    assert loaded["out"].content_type == "text/plain"
    assert loaded["out"].onconnect is None
    assert not loaded["out"].wire


def test_a_handler_is_given_crlf_lines(load: Load) -> None:
    """Whatever a command of an old Asterisk printed: one that replaces CRLF need not know."""
    tsv = load(tsv="def write(message):\n    return message.raw.replace(b'\\r\\n', b'\\t')\n")[
        "tsv"
    ]
    text = Message(b"Response: Follows\r\none\n\ntwo\r\n--END COMMAND--\r\n\r\n")

    assert formats.written(tsv, text) == b"Response: Follows\tone\t\ttwo\t--END COMMAND--\t\t"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import no_such_module\n", "ModuleNotFoundError"),
        ("def write(:\n", "SyntaxError"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("raise RuntimeError('broken')\n", "RuntimeError: broken"),
        ("CONTENT_TYPE = 'text/plain'\n", "none of write"),
        ("\0", "not loaded"),
        ("write = 5\n", "write is not a function"),
        (WRITER + "reader = object()\n", "reader is not a function"),
        (WRITER + "onconnect = 'hello'\n", "onconnect is not a function"),
        (WRITER + "CONTENT_TYPE = None\n", "CONTENT_TYPE is not a media type"),
        (WRITER + "CONTENT_TYPE = b'text/x'\n", "CONTENT_TYPE is not a media type"),
        (WRITER + "CONTENT_TYPE = 'text/x\\r\\nEvil: 1'\n", "CONTENT_TYPE is not a media type"),
        (WRITER + "DOCUMENT_TYPE = 'text/x\\r\\nEvil: 1'\n", "DOCUMENT_TYPE is not a media type"),
        (WRITER + "DOCUMENT = '[', ',', ']'\n", "DOCUMENT is not three values of bytes"),
        (WRITER + "DOCUMENT = [b'[', b',', b']']\n", "DOCUMENT is not three values of bytes"),
        (WRITER + "DOCUMENT = b'[', b']'\n", "DOCUMENT is not three values of bytes"),
    ],
)
def test_a_broken_handler_is_skipped(
    load: Load, caplog: pytest.LogCaptureFixture, text: str, why: str
) -> None:
    """The others load, and the log names the file and the reason."""
    loaded = load(bad=text, good=WRITER)

    assert list(loaded) == ["good"]
    (record,) = caplog.records
    assert "bad.py" in record.getMessage()
    assert why in record.getMessage()
    assert "astmanproxy_handlers.bad" not in sys.modules


def test_hidden_and_private_files_are_ignored(
    load: Load, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Those of editors, and helpers of handlers."""
    (tmp_path / "notes.txt").write_text("no handler")

    assert load(_helper="1 / 0\n", **{".hidden": "1 / 0\n"}) == {}
    assert caplog.records == []


def test_a_handler_of_the_first_directory_wins(tmp_path: Path) -> None:
    """So an administrator can replace one that comes with the proxy."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.py").write_text(f"def write(message): return b'{name}'\n")

    loaded = load_formats(tmp_path / "first", tmp_path / "second", tmp_path / "missing")

    assert written(loaded["mine"]) == b"first"


def test_handlers_do_not_replace_modules_of_the_standard_library(load: Load) -> None:
    """`import csv` in handlers/csv.py is the standard one."""
    loaded = load(csv="import csv\ndef write(message): return csv.__file__.encode()\n")

    assert written(loaded["csv"]) == csv.__file__.encode()
    assert sys.modules["csv"] is csv
    assert sys.modules["json"] is json


@pytest.fixture(scope="module")
def tsv(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The format of the example in docs/handlers.md."""
    text = (ROOT / "docs" / "handlers.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    directory = tmp_path_factory.mktemp("handlers")
    (directory / "tsv.py").write_text(example)
    return load_formats(directory)["tsv"]


@given(message=messages)
def test_the_documented_example_works(tsv: Any, message: Message) -> None:
    """It writes any message and reads it back."""
    data = tsv.write(message)
    reader = tsv.reader(Limits())

    assert data.count(b"\n") == 1
    if not data.startswith(b"#"):
        assert [one for byte in data for one in reader.feed(bytes([byte]))] == [message]


def test_the_documented_example_keeps_what_the_document_promises(tsv: Any) -> None:
    """Banner, media type, limits and refusals are as docs/handlers.md says."""
    assert tsv.content_type == "text/tab-separated-values"
    assert tsv.onconnect("Hello") == b"# Hello\n"
    assert tsv.write(Message.of("Event: Hangup", "Cause: 16")) == b"Event: Hangup\tCause: 16\n"
    reader = tsv.reader(Limits())
    assert reader.feed(b"Action: Ping\tActionID: 1\nAction: Pi") == [
        Message.of("Action: Ping", "ActionID: 1")
    ]
    assert reader.feed(b"ng\n\n\r\n") == [Message.of("Action: Ping")]
    refused = reader.feed(b"A: \\n\nA: b\rc\n" + b"x" * 2_000_000) + reader.feed(b"x\n")
    assert [type(one) for one in refused] == [Refused] * 3
    assert reader.feed(b"A: b\n") == [Message.of("A: b")]
