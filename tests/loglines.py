# SPDX-License-Identifier: GPL-2.0-or-later
"""Every line that the program may log, as far as its code shows it, and what is said of it."""

from __future__ import annotations

import ast
import functools
import re
from typing import TYPE_CHECKING, NamedTuple

from tests.modules import PRODUCT, parsed, sources
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LEVELS = {
    name: name for name in ("debug", "info", "warning", "error", "critical")
} | {"exception": "error", "log": "", "makeRecord": ""}  # fmt: skip
#: At which place of the arguments the format is, where it is not the first.
_TEXT_AT = {"log": 1, "makeRecord": 4}
_CONVERSION = re.compile(r"%[-#0-9. ]*[a-z]")


class LogCall(NamedTuple):
    """One call of a logger: *level* is "" where the call decides, *text* the format."""

    where: str
    level: str
    text: str

    def fits(self, line: str, levels: set[str]) -> bool:
        """Return whether it may write *line*, at one of *levels*."""
        level_fits = not self.level or self.level in levels
        return level_fits and self.pattern.fullmatch(line) is not None

    @property
    def pattern(self) -> re.Pattern[str]:
        """What its lines look like."""
        parts = _CONVERSION.split(self.text)
        return re.compile(".*".join(map(re.escape, parts)))


def log_calls() -> Iterator[LogCall]:
    """Yield every call of a logger in the program.

    Raises:
        TypeError: the format of one is no plain string, so that nobody could look for it.

    """
    for path in [*sources(*PRODUCT), ROOT / "astmanproxy.py"]:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and _is_logger(node.func):
                yield _call(path, node)


def _is_logger(func: ast.expr) -> bool:
    """Return whether *func* is ``log.LEVEL`` or ``logging.getLogger(...).LEVEL``."""
    if not (isinstance(func, ast.Attribute) and func.attr in _LEVELS):
        return False
    owner = func.value
    if isinstance(owner, ast.Call):
        return isinstance(owner.func, ast.Attribute) and owner.func.attr == "getLogger"
    return isinstance(owner, ast.Name) and owner.id == "log"


def _call(path: Path, node: ast.Call) -> LogCall:
    assert isinstance(node.func, ast.Attribute)
    where, method = f"{path.relative_to(ROOT)}:{node.lineno}", node.func.attr
    text = node.args[_TEXT_AT.get(method, 0)]
    level = _LEVELS[method]
    if method == "makeRecord" and isinstance(node.args[1], ast.Attribute):
        level = node.args[1].attr.lower()
    if not (isinstance(text, ast.Constant) and isinstance(text.value, str)):
        raise TypeError(f"{where}: write the format of the line into the call")
    return LogCall(where, level, text.value)


#: What stands in a documented line for what differs.
_PLACE = re.compile(r"\b[A-Z][A-Z_]+\b(?: -- )?")


def explained() -> dict[str, set[str]]:
    """Return the lines that docs/operations.md explains, with the levels of each."""
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    section = page.partition("\n## What each log line means\n")[2].partition("\n## ")[0]
    return {
        line: set(re.findall(r"[a-z]+", level)) - {"or"}
        for line, level in re.findall(r"^\| `(.*?)` \| (.*?) \|", section, re.MULTILINE)
    }


def missing_words(line: str) -> list[str]:
    """Return what of an explained *line* stands nowhere in the program."""
    words = _words()
    parts = [part.strip(" '\":()") for part in _PLACE.split(line)]
    return [part for part in parts if len(part) > 3 and not _is_made_of(words, part)]


@functools.cache
def _words() -> str:
    """Return all strings of the program, without what a format leaves open."""
    words = "\n".join(
        node.value
        for path in [*sources(*PRODUCT), ROOT / "astmanproxy.py"]
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return _CONVERSION.sub("\n", words)


def _is_made_of(words: str, text: str) -> bool:
    """Return whether *words* hold *text*, or two pieces of it that a format puts together."""
    pieces = text.split(" ")
    return text in words or any(
        " ".join(pieces[:at]) in words and " ".join(pieces[at:]) in words
        for at in range(1, len(pieces))
    )
