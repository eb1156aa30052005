# SPDX-License-Identifier: GPL-2.0-or-later
"""What bash and zsh complete behind ``astmanproxy``: ``make docs`` writes completion/."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.logs.levels import DEFAULT, LEVELS
from amiproxy.process.options import OPTIONS
from amiproxy.threads.control.table import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amiproxy.process.options import Option

DIRECTORY = Path(__file__).resolve().parent.parent / "completion"

#: What an option's value is, by its name in --help: how it is completed.
FILE, COMMAND = "FILE", "COMMAND"

#: Arguments of commands, by their name in the help, that are one of a few words.
CHOICES = {"LEVEL": (*LEVELS, DEFAULT)}


class Command(NamedTuple):
    """A command for the running proxy: *name* is one word or two."""

    name: str
    arguments: Sequence[str]
    help: str

    @property
    def needed(self) -> list[str]:
        """The arguments that it must have."""
        return [each for each in self.arguments if not each.startswith("[")]

    def spelled(self) -> list[Command]:
        """Return it as it can be typed: one for each word that its first argument may be."""
        words = CHOICES.get(self.needed[0], ()) if self.needed else ()
        rest = self.arguments[1:]
        return [Command(f"{self.name} {word}", rest, self.help) for word in words] or [self]


def files() -> dict[Path, str]:
    """Return the text of each file."""
    known = [Command(each.name, each.arguments, each.help) for each in COMMANDS.values()]
    commands = [one for each in known for one in each.spelled()]
    return {
        DIRECTORY / "astmanproxy.bash": bash(OPTIONS, commands),
        DIRECTORY / "_astmanproxy": zsh(OPTIONS, commands),
    }


def _names(option: Option) -> list[str]:
    """Return how *option* is typed."""
    return [*([f"-{option.short}"] if option.short else []), f"--{option.long}"]


# -- bash ---------------------------------------------------------------------------------

_BASH = """\
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion for bash, written by "make docs".                          -*- shell-script -*-

_astmanproxy()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} quote='' each
    local -a found=() commands=(
%(commands)s
    )
    # In --config=FILE the "=" is a word.
    if [[ $cur == "=" ]]; then
        cur=
    elif [[ $prev == "=" ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    COMPREPLY=()
    if [[ " %(file)s " == *" $prev "* ]]; then
        # Nothing found here: files.
        compopt -o default
    elif [[ " %(command)s " == *" $prev "* ]]; then
        [[ $cur != [\\'\\"]* ]] || quote=${cur:0:1}
        cur=${cur#"$quote"}
        [[ -n $quote ]] || cur=${cur//\\\\/}
        for each in "${commands[@]}"; do
            [[ $each != "$cur"* ]] || found+=("$each")
        done
        # A second one keeps the word open for the argument.
        [[ ${#found[@]} != 1 || ${found[0]} != *" " ]] || found+=("${found[0]}...")
        for each in "${found[@]}"; do
            [[ -n $quote ]] || printf -v each '%%q' "$each"
            COMPREPLY+=("$each")
        done
    elif [[ " %(other)s " != *" $prev "* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "%(options)s" -- "$cur")
    fi
}
complete -F _astmanproxy astmanproxy
"""


def _joined(options: Iterable[Option]) -> str:
    """Return how each of *options* is typed."""
    return " ".join(name for each in options for name in _names(each))


def bash(options: Sequence[Option], commands: Sequence[Command]) -> str:
    """Return what bash reads."""
    return _BASH % {
        "commands": "\n".join(
            f"        '{each.name}{' ' if each.needed else ''}'" for each in commands
        ),
        "file": _joined(each for each in options if each.value == FILE),
        "command": _joined(each for each in options if each.value == COMMAND),
        "other": _joined(each for each in options if each.value not in ("", FILE, COMMAND)),
        "options": _joined(options),
    }


# -- zsh ----------------------------------------------------------------------------------

_ZSH = """\
#compdef astmanproxy
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion for zsh, written by "make docs".

_astmanproxy_commands() {
  local gap='\\ '
  [[ -z $compstate[quote] ]] || gap=' '
  local -a whole=(
%(whole)s
  ) begun=(
%(begun)s
  )
  _describe -t commands command whole -- begun -S $gap
}

_arguments -s -S \\
%(options)s
"""


def zsh(options: Sequence[Option], commands: Sequence[Command]) -> str:
    """Return what zsh reads."""
    whole = [each for each in commands if not each.needed]
    begun = [each for each in commands if each.needed]
    return _ZSH % {
        "whole": "\n".join(f"    {_described(each)}" for each in whole),
        "begun": "\n".join(f"    {_described(each)}" for each in begun),
        "options": " \\\n".join(f"  {_spec(each)}" for each in options),
    }


def _described(command: Command) -> str:
    return _quoted(f"{command.name}:{command.help}")


def _spec(option: Option) -> str:
    """Return what _arguments wants of *option*: names, what it does, its value."""
    names = _names(option)
    # Those that end the program at once go with no other.
    alone = option.command in ("help", "version")
    others = "(- *)" if alone else f"({' '.join(names)})"
    if option.long == "debug":
        others = "*"
    text = " ".join(option.text)
    for mark in "[]:":
        text = text.replace(mark, f"\\{mark}")
    value = {"": "", FILE: ":file:_files", COMMAND: ":command:_astmanproxy_commands"}.get(
        option.value, f":{option.value.lower()}: "
    )
    typed = [f"{name}{_sign(name, option)}" for name in names]
    group = f"{{{','.join(typed)}}}" if len(typed) > 1 else typed[0]
    return f"{_quoted(others)}{group}{_quoted(f'[{text}]{value}')}"


def _sign(name: str, option: Option) -> str:
    """Return what says that the value may stand in the same word: --config=FILE, -cFILE."""
    if not option.value:
        return ""
    return "=" if name.startswith("--") else "+"


def _quoted(text: str) -> str:
    """Return *text* as one word of the shell."""
    escaped = text.replace("'", "'\\''")
    return f"'{escaped}'"
