# SPDX-License-Identifier: GPL-2.0-or-later
"""Small modules, small functions."""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING

from tests.modules import PRODUCT, parsed, sources
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield each statement below *node*; to look into expressions takes most of a second more."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        for each in getattr(node, name, ()):
            yield each
            yield from _statements(each)


@functools.cache
def functions(path: Path) -> list[tuple[str, int]]:
    """Return name and length in lines, docstring included, of each function of *path*."""
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1)
        for node in _statements(parsed(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno
    ]


#: Functions that are tables.
TABLES = {"_parser"}
EVERYTHING = [*sources("amiproxy", "handlers", "simulator", "benchmarks", "demo", "samples",
                       "tests", "docs"), ROOT / "astmanproxy.py", ROOT / "setup.py"]  # fmt: skip


def test_modules_are_small() -> None:
    """At most 350 lines: one idea each."""
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in EVERYTHING}

    assert {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > 350} == {}


def test_functions_are_small() -> None:
    """At most 40 lines, and most of them 8 or less."""
    found = [each for path in EVERYTHING for each in functions(path)]
    product = sorted(
        length for path in [*sources(*PRODUCT), ROOT / "astmanproxy.py"]
        for _, length in functions(path)
    )  # fmt: skip

    assert [f"{name}: {length}" for name, length in found
            if length > 40 and name.rpartition(" ")[2] not in TABLES] == []  # fmt: skip
    assert product[len(product) // 2] <= 8
