# SPDX-License-Identifier: GPL-2.0-or-later
"""The files beside the configuration: users and I/O handlers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from amiproxy.basics.places import Trusted, is_directory, objection_to
from amiproxy.errors import ConfigError
from amiproxy.formats import Format, load_formats
from amiproxy.settings.aclfile import load_acls
from amiproxy.settings.listeners import format_problems, listeners
from amiproxy.settings.usersfile import load_users

if TYPE_CHECKING:
    from amiproxy.access.user import Users
    from amiproxy.settings.config import Config

# Where the package stands: the source tree, or a site-packages directory.
_ROOT = Path(__file__).resolve().parents[2]
# Where setup.py puts the handlers, under the prefix: site-packages is three levels below
# (PREFIX/lib/pythonX/site-packages), but is itself the prefix of pip's --target.
# sys.prefix is another in pip's --user and --prefix, and for pip in the system's Python
# of Debian.
_INSTALLED = Path("lib", "astmanproxy", "handlers")


def find_users(path: str, config: Config, *, required: bool) -> tuple[Users, list[str]]:
    """Return the users of the file *path* and the warnings about it and ``aclfile``.

    Where the file is missing there are no users, and a warning.

    Raises:
        ConfigError: a file cannot be used; or that of the users is missing and *required*, as it
            always is in the C program.

    """
    text = f"Unable to open permissions file: {path}!"
    try:
        Path(path).stat()
    except FileNotFoundError:
        if required:
            raise ConfigError(text) from None
        return load_users(os.devnull)[0], [f"{text} Going on without users"]
    except OSError as error:
        # It may be there: without its users the proxy would be open to everybody.
        raise ConfigError(f"{text} ({error.strerror})") from error
    return read_again(path, config)


def read_again(path: str, config: Config) -> tuple[Users, list[str]]:
    """Return the users of the file *path*, and the warnings, by the lists of ``aclfile``.

    Raises:
        ConfigError: one of the two files cannot be used.

    """
    acls, warnings = load_acls(config)
    users, more = load_users(path, acls)
    return users, [*warnings, *more]


def read_formats(config: Config) -> dict[str, Format]:
    """Load the I/O handlers; return the formats by name.

    Raises:
        ConfigError: handlerdir is not a directory, or others may change what is in it; or
            a default format is missing.

    """
    problems: list[str] = []
    if config.handler_dir and not is_directory(config.handler_dir):
        place = config.place("handler_dir")
        problems.append(f"{place}handlerdir: {config.handler_dir} is not a directory")
    elif objection := _objection_to_handlers(config.handler_dir):
        # Its files would be run, as root when the proxy is started or tested by root.
        raise ConfigError(
            f"{config.place('handler_dir')}handlerdir: not run, because others may change it:"
            f" {objection}; move it, or chown and chmod it"
        )
    formats = load_formats(*handler_directories(config))
    readers = sorted(name for name, found in formats.items() if found.is_input)
    if config.input_format not in readers:
        problems.append(
            f"{config.place('input_format')}inputformat: there is no input handler"
            f" {config.input_format!r}; there is: {', '.join(readers)}"
        )
    writers = sorted(name for name, found in formats.items() if found.is_output)
    if config.output_format not in writers:
        problems.append(
            f"{config.place('output_format')}outputformat: there is no output handler"
            f" {config.output_format!r}; there is: {', '.join(writers)}"
        )
    problems += format_problems(listeners(config), formats)
    if problems:
        raise ConfigError(*problems)
    return formats


def _objection_to_handlers(directory: str) -> str:
    """Return why others may change the handlers in *directory*, or their byte code; or ``""``."""
    if not directory:
        return ""
    trusted = Trusted.of_process()
    top = Path(directory)
    cache = top / "__pycache__"
    for path in (top, *sorted(top.glob("*.py")), cache, *sorted(cache.glob("*"))):
        try:
            objection = objection_to(str(path), trusted)
        except FileNotFoundError:
            continue
        except OSError as error:
            return f"{path}: {error.strerror}"
        if objection:
            return objection
    return ""


def handler_directories(config: Config) -> list[Path]:
    """Return where handlers are looked for: the first of a name counts."""
    found = [Path(config.handler_dir)] if config.handler_dir else []
    found.append(_ROOT / "handlers")
    found += [prefix / _INSTALLED for prefix in (_ROOT.joinpath("../../..").resolve(), _ROOT)]
    return [path for path in found if is_directory(path)]
