# SPDX-License-Identifier: GPL-2.0-or-later
"""Every lock says what it guards, and that is true."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.modules import parsed, sources
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Methods of containers that change them.
CHANGING = {"add", "append", "appendleft", "clear", "discard", "extend", "extendleft", "insert",
            "move_to_end", "pop", "popitem", "popleft", "remove", "setdefault",
            "update"}  # fmt: skip

_MAKES_ONE = re.compile(r"\b(R?Lock|Condition)\s*\(")


@dataclass(frozen=True)
class Lock:
    """A lock or condition that a class makes in its ``__init__``."""

    path: Path
    cls: ast.ClassDef
    name: str
    line: int

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.cls.name}.{self.name}"

    @property
    def comment(self) -> str:
        """The comment right above the line that makes it."""
        lines = self.path.read_text(encoding="utf-8").splitlines()
        found: list[str] = []
        for line in reversed(lines[: self.line - 1]):
            if not line.strip().startswith("#"):
                break
            found.insert(0, line.strip().lstrip("#:").strip())
        return " ".join(found)

    @property
    def guarded(self) -> set[str]:
        """The fields of the class that the comment's first sentence names."""
        sentence = re.split(r"[.:;] ", self.comment + " ", maxsplit=1)[0]
        return set(re.findall(r"\w+", sentence)) & fields(self.cls)


def is_lock(value: ast.expr | None) -> bool:
    """Return whether *value* makes a lock or a condition."""
    return value is not None and bool(_MAKES_ONE.search(ast.unparse(value)))


def self_attribute(node: ast.AST) -> str:
    """Return the name of the field in ``self.name``, ``self.name[...]``; else ``""``."""
    while isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.attr if node.value.id == "self" else ""
    return ""


def targets(node: ast.AST) -> list[ast.expr]:
    """Return what *node* assigns to or deletes."""
    if isinstance(node, (ast.Assign, ast.Delete)):
        parts = node.targets
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
        parts = [node.target]
    else:
        return []
    return [each for part in parts
            for each in (part.elts if isinstance(part, ast.Tuple) else [part])]  # fmt: skip


def fields(cls: ast.ClassDef) -> set[str]:
    """Return the fields that *cls* assigns to."""
    return {self_attribute(target) for node in ast.walk(cls) for target in targets(node)} - {""}


def locks() -> Iterator[Lock]:
    """Yield every lock of the product."""
    for path in sources("amiproxy"):
        # Each worker of a run comes by here: to parse all modules takes seconds.
        if not _MAKES_ONE.search(path.read_text(encoding="utf-8")):
            continue
        for cls in ast.walk(parsed(path)):
            if not isinstance(cls, ast.ClassDef):
                continue
            for node in ast.walk(cls):
                if isinstance(node, (ast.Assign, ast.AnnAssign)) and is_lock(node.value):
                    (target,) = targets(node)
                    yield Lock(path, cls, self_attribute(target), node.lineno)


LOCKS = list(locks())


def changes(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield each field that *node* itself changes, and the line."""
    for target in targets(node):
        yield self_attribute(target), target.lineno
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CHANGING
    ):
        yield self_attribute(node.func.value), node.lineno


def holds(function: ast.FunctionDef, names: set[str]) -> bool:
    """Return whether *function* asserts that its caller holds one of the locks *names*."""
    text = "\n".join(ast.unparse(node) for node in function.body if isinstance(node, ast.Assert))
    return any(f"self.{name}.locked()" in text for name in names) or any(
        f"self.{name}.acquire(" in ast.unparse(function) for name in names
    )


def unguarded(node: ast.AST, lock: Lock, names: set[str]) -> Iterator[str]:
    """Yield where below *node* a field of *lock* changes while none of *names* is held."""
    if isinstance(node, ast.With) and any(
        self_attribute(item.context_expr) in names for item in node.items
    ):
        return
    if isinstance(node, ast.FunctionDef) and (node.name == "__init__" or holds(node, names)):
        return
    for name, line in changes(node):
        if name in lock.guarded:
            yield f"{lock.path.relative_to(ROOT)}:{line}: {name} changes without {lock.name}"
    for child in ast.iter_child_nodes(node):
        yield from unguarded(child, lock, names)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: f"{lock.cls.name}.{lock.name}")
def test_a_comment_names_the_fields_that_a_lock_guards(lock: Lock) -> None:
    """``Guards _one and _other`` stands right above, or ``Serializes`` and what."""
    assert re.match(r"(Guards|Serializes|A condition on) ", lock.comment), str(lock)
    assert lock.guarded or not lock.comment.startswith("Guards "), str(lock)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: f"{lock.cls.name}.{lock.name}")
def test_guarded_fields_change_under_their_lock(lock: Lock) -> None:
    """In a ``with`` block, or in a method that asserts that its caller holds the lock."""
    # A condition made of a lock is another name of it.
    names = {each.name for each in LOCKS if each.cls is lock.cls}

    assert list(unguarded(lock.cls, lock, names)) == []
