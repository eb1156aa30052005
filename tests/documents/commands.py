# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands that README.md, CONTRIBUTING.md and docs/*.md tell people to type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]

#: What a command begins with, behind sudo.
_PROGRAMS = """
adduser apt apt-get apt-cache astmanproxy buildah cat cd chgrp chmod chown cp curl dnf docker
dpkg echo fail2ban-client fail2ban-regex git grep install ip journalctl kill killall logrotate
ls make man mkdir mv nc ncat openssl pip pkill podman printf ps pytest python python3 rm rpm
rpmbuild rpmlint sed service setpriv sh ss systemctl systemd-analyze tail tar taskset tcpdump
telnet twine ulimit umoci yum zypper .venv/bin/pytest .venv/bin/astmanproxy .ci/run
.ci/platforms /usr/sbin/astmanproxy /usr/local/sbin/astmanproxy
/usr/local/sbin/astmanproxy-1
"""
PROGRAMS = frozenset(_PROGRAMS.split())

# What stands in blocks, too: lines of configuration, blocks of AMI, JSON, lines of the log, of
# haproxy's file, of Python's prompt.
_TEXT = re.compile(
    r"[;#]?\s*[a-z_]+ = |#(include|tryinclude) |[A-Z][A-Za-z]+: |\{\"|audit: |[A-Z][a-z]{2} \d\d "
    r"|server pbx |# astmanproxy\.conf: |ProxyAction: |>>> |b'|\[<"
)
_COMMENT = re.compile(r"\s+# .*$|\s{2,}#.*$")
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")


class Command(NamedTuple):
    """*text*, as one types it, without a comment; *where*: page and line, for messages."""

    text: str
    where: str


def commands() -> Iterator[Command]:
    """Yield each command of each page, as often as it stands there."""
    for page in PAGES:
        yield from _commands(page)


def strange_lines() -> list[str]:
    """Return the lines of blocks that are neither a known command nor known text."""
    found = []
    for page in PAGES:
        for number, block in _indented(_without_fences(page.read_text(encoding="utf-8"))):
            for line, text in _typed(block):
                if not is_command(text) and not _TEXT.match(text):
                    found.append(f"{page.name}:{number + line}: {text}")
    return found


def is_command(text: str) -> bool:
    """Return whether *text* begins as a command does."""
    first, _, more = text.partition(" ")
    return (more.partition(" ")[0] if first == "sudo" else first) in PROGRAMS


def _commands(page: Path) -> Iterator[Command]:
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        number = text.count("\n", 0, found.start()) + 2
        shell = found[1] in ("sh", "bash", "shell", "console")
        for i, line in enumerate(found[2].splitlines()):
            if line.startswith("$ ") or (shell and line.strip()):
                yield Command(line.removeprefix("$ ").strip(), f"{page.name}:{number + i}")
    text = _without_fences(text)
    for number, block in _indented(text):
        for i, line in _typed(block):
            if is_command(line):
                yield Command(line, f"{page.name}:{number + i}")
    for found in _SPAN.finditer(text):
        span = " ".join(found[1].split())
        if is_command(span) and " " in span:
            yield Command(span, f"{page.name}:{text.count(chr(10), 0, found.start()) + 1}")


def _without_fences(text: str) -> str:
    return _FENCE.sub(lambda found: "\n" * found[0].count("\n"), text)


def _indented(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the blocks of code of *text*: the number of the first line, and all of them."""
    block: list[str] = []
    before = ""
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.startswith("    ") and (block or not before.strip()):
            block.append(line)
        elif block and line.strip():
            yield number - len(block), block
            block = []
        elif block:
            block.append(line)
        before = line
    if block:
        yield number + 1 - len(block), block


def _typed(block: list[str]) -> Iterator[tuple[int, str]]:
    """Yield what is typed in *block*: the index of its first line, and the text.

    A line that goes on, for a quote is open or the next one stands further to the right, is one
    with the next.
    """
    indent = min(len(line) - len(line.lstrip()) for line in block if line.strip())
    start, text = 0, ""
    for i, raw in enumerate([*block, ""]):
        line = raw[indent:]
        goes_on = text and (_open(text) or line.startswith("  "))
        if goes_on and i < len(block):
            text += "\n" + line
            continue
        if text.strip():
            yield start, _COMMENT.sub("", text).strip()
        start, text = i, line


def _open(text: str) -> bool:
    """Return whether a quote is open at the end of *text*."""
    rest = re.sub(r"'[^']*'|\"(\\.|[^\"\\])*\"|\\.|\s#.*", "", text, flags=re.DOTALL)
    return is_command(text) and ("'" in rest or '"' in rest)
