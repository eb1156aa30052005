# SPDX-License-Identifier: GPL-2.0-or-later
"""What schemathesis loads: a server that it adds is none, and on this machine."""

import schemathesis


@schemathesis.hook
def map_body(_context, body):
    """Have a new server be where nobody listens, whatever *body* says."""
    if isinstance(body, dict) and isinstance(body.get("host"), str):
        return {**body, "host": "127.0.0.1", "port": 1}
    return body
