# SPDX-License-Identifier: GPL-2.0-or-later
"""How much is logged: the words of ``loglevel``, and one level a module."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

#: The words of ``loglevel``, from most to least that is logged.
LEVELS: Mapping[str, int] = MappingProxyType(
    {
        "debug": logging.DEBUG,
        "info": logging.INFO,
        "warning": logging.WARNING,
        "error": logging.ERROR,
        "critical": logging.CRITICAL,
    }
)
WORDS: Mapping[int, str] = MappingProxyType({number: word for word, number in LEVELS.items()})

#: At run time: what the configuration says, instead of a level.
DEFAULT = "default"

#: What the names of all loggers but the program's begin with.
PREFIX = "amiproxy."

#: The logger of audit lines (audit.py), which ``audit`` switches and ``loglevel`` does not.
AUDIT = "amiproxy.audit"


@dataclass(frozen=True)
class Levels:
    """What is logged from which level on.  A value; changes make a new one."""

    #: What the configuration says.
    configured: int = logging.INFO
    #: What holds for everything else than *modules*.
    general: int = logging.INFO
    #: By the names of loggers.
    modules: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, word: str) -> Levels:
        """Return what ``loglevel = word`` means; what was set at run time is gone."""
        return cls(LEVELS[word], LEVELS[word])

    def of_logger(self, name: str) -> int:
        """Return from which level on the logger called *name* is heard."""
        found = self.modules.get(name)
        if found is not None:
            return found
        return logging.INFO if name == AUDIT else self.general

    def with_level(self, word: str, module: str, known: Collection[str]) -> Levels:
        """Return these with the level *word*, or DEFAULT, of *module*, or, if "", of everything.

        *known* are the modules that there are, by the names of their loggers.

        Raises:
            ValueError: there is no such level, or no such module; says which there are.

        """
        if word != DEFAULT and word not in LEVELS:
            raise ValueError(f"no such level; there is: {', '.join([*LEVELS, DEFAULT])}")
        level = LEVELS.get(word, self.configured)
        if not module:
            return Levels(self.configured, level)
        name = f"{PREFIX}{module}"
        if name not in known:
            short = sorted(each[len(PREFIX) :] for each in known)
            raise ValueError(f"no such module; there is: {', '.join(short)}")
        modules = {each: found for each, found in self.modules.items() if each != name}
        if word != DEFAULT:
            modules[name] = level
        return Levels(self.configured, self.general, MappingProxyType(modules))

    def __str__(self) -> str:
        """What holds, as ``info, client debug``."""
        parts = [WORDS[self.general]]
        parts += [f"{name[len(PREFIX) :]} {WORDS[level]}" for name, level in self.modules.items()]
        return ", ".join(parts)
