# SPDX-License-Identifier: GPL-2.0-or-later
"""``--show-config``: what the files say all in all, and where each value comes from."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from amiproxy.errors import ConfigError
from amiproxy.process.options import current_directory
from amiproxy.process.process import say
from amiproxy.settings.conffile import load_config
from amiproxy.settings.files import find_users
from amiproxy.settings.inforce import general_rows, in_force

if TYPE_CHECKING:
    from amiproxy.process.options import Options


def main(options: Options) -> int:
    """Print a line for each key with its place, then those of the users; no secret.

    The lines are those of an astmanproxy.conf, but for the secrets.  Problems are printed on
    stderr; the exit status is 1 then.
    """
    try:
        config, warnings = load_config(options.config, current_directory(), options.instance)
        users, more = find_users(
            options.users, config, required=options.users_given or config.needs_users
        )
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return 1
    for warning in (*warnings, *more):
        print(warning, file=sys.stderr)
    named = [f"; pidfile = {options.pidfile} on the command line"] if options.pidfile else []
    files = " ".join([options.config, *config.files])
    say(
        [
            f"; of {files}",
            *map(str, in_force(config)),
            *named,
            f"; users of {' '.join([options.users, *users.files])}",
            *general_rows(users),
            *(f"; user {ascii(user.name)[1:-1]:{41}} ; {user.place}" for user in users.values()),
        ]
    )
    return 0
