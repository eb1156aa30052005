# SPDX-License-Identifier: GPL-2.0-or-later
"""``--test``: what is wrong with the files, and what each user may do."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TYPE_CHECKING

from amiproxy.errors import ConfigError
from amiproxy.patterns import engine
from amiproxy.process.exposure import wrong_rights
from amiproxy.process.identity import identity
from amiproxy.process.options import current_directory
from amiproxy.process.process import say
from amiproxy.settings.conffile import examine_config
from amiproxy.settings.config import Config
from amiproxy.settings.describe import describe_servers, describe_users
from amiproxy.settings.files import find_users, impossible_log, read_formats
from amiproxy.threads.actions.proxyactions import FOR_EVERYBODY, PRIVILEGED
from amiproxy.threads.net.tls import client_context, server_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.process.options import Options


def main(options: Options) -> int:
    """Print every problem of the files, then what each user may do."""
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    config, users = Config(), None
    problems: list[str] = []
    warnings: list[str] = []
    with _noted(problems):
        config, found, more = examine_config(options.config, current_directory())
        problems += found
        warnings += [*more, *impossible_log(config)]
        with _noted(problems):
            warnings += wrong_rights(identity(config), options, config)
        for one in (client_context, server_context, read_formats):
            with _noted(problems):
                one(config)
    with _noted(problems):
        users, more = find_users(
            options.users, config, required=options.users_given or config.auth_required
        )
        warnings += more
    say([*warnings, *problems])
    if problems or users is None:
        return 1
    described = describe_users(users, config, privileged=PRIVILEGED, for_everybody=FOR_EVERYBODY)
    say((engine.describe(), *describe_servers(config), *described))
    return 0


@contextlib.contextmanager
def _noted(problems: list[str]) -> Iterator[None]:
    """Add what a ConfigError says to *problems*, and go on."""
    try:
        yield
    except ConfigError as error:
        problems += error.problems
