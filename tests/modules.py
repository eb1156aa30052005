# SPDX-License-Identifier: GPL-2.0-or-later
"""The project's modules as the tests of its structure see them: names, folders, imports."""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING

from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

#: Folders whose Python files are the product.
PRODUCT = ("amiproxy", "handlers")


def sources(*folders: str) -> list[Path]:
    """Return every Python file below *folders*, in a fixed order."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@functools.cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of the file *path*."""
    return ast.parse(path.read_text(encoding="utf-8"))


def module_name(path: Path) -> str:
    """Return the dotted name of the module in *path*; a package's is that of its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def folder_of(module: str) -> str:
    """Return the folder, as the tree shows it, of one of our modules."""
    path = ROOT.joinpath(*module.split("."))
    return str((path if path.is_dir() else path.parent).relative_to(ROOT))


def is_ours(module: str) -> bool:
    """Return whether *module* is a module or package of this repository."""
    path = ROOT.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def imports(path: Path) -> set[str]:
    """Return every module that *path* imports, whether at run time or for types only.

    Relative imports are resolved.  ``from package import name`` names the module
    ``package.name`` where there is one.
    """
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package.pop()
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base += node.module.split(".") if node.module else []
            for name in node.names:
                module = ".".join([*base, name.name])
                found.add(module if is_ours(module) else ".".join(base))
    return found
