# SPDX-License-Identifier: GPL-2.0-or-later
"""What may import what: the tree says it, these tests keep it so."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

BLOCKING = {"asyncio", "multiprocessing", "queue", "select", "selectors", "socket", "ssl"}
PURE = [
    *(path for path in ROOT.glob("amiproxy/**/*.py") if "threads" not in path.parts),
    *ROOT.glob("handlers/*.py"),
]
#: Two tables shared by all sessions and the daemon's own files need a lock or a file.
LOCKED = {"actionids.py"}


def imports(path: Path) -> set[str]:
    """Return the modules that *path* imports at run time."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.stem)
def test_only_the_threads_package_touches_sockets_and_threads(path):
    """Everything outside amiproxy/threads is plain data in, plain data out."""
    found = imports(path)

    assert not BLOCKING & found
    assert not any(name.startswith("amiproxy.threads") for name in found)
    assert "threading" not in found or path.name in LOCKED


@pytest.mark.parametrize("path", sorted(ROOT.glob("handlers/*.py")), ids=lambda path: path.stem)
def test_handlers_know_messages_and_bytes_only(path):
    """A handler is one file; of ours it knows messages, limits and helpers for bytes."""
    allowed = {"amiproxy", "amiproxy.message", "amiproxy.formats", "amiproxy.blocks",
               "amiproxy.errors", "amiproxy.httpmessages", "amiproxy.wire.plain"}  # fmt: skip

    ours = {name for name in imports(path) if name.partition(".")[0] == "amiproxy"}

    assert ours <= allowed


def test_every_lock_says_what_it_guards():
    """A comment stands right above each lock."""
    for path in (ROOT / "amiproxy").rglob("*.py"):
        lines = path.read_text().splitlines()
        for index, line in enumerate(lines):
            if "= threading.Lock()" in line or "threading.Condition(" in line:
                above = [each.strip() for each in lines[max(0, index - 2) : index + 1]]
                assert any("#" in each for each in above), f"{path.name}:{index + 1}"
