# SPDX-License-Identifier: GPL-2.0-or-later
"""Every endpoint below ``/v1/``: the rows of the modules that answer them."""

from __future__ import annotations

from amiproxy.threads.rest import actions, described, events, operating, session, state

#: The order is that of docs/live.md and of the page that shows them.
ENDPOINTS = (
    *state.ENDPOINTS,
    *events.ENDPOINTS,
    *actions.ENDPOINTS,
    *operating.ENDPOINTS,
    *session.ENDPOINTS,
    *described.ENDPOINTS,
)
