# SPDX-License-Identifier: GPL-2.0-or-later
"""The metrics of the proxy itself, one family each, in the order in which they are told.

Those of what the Asterisks have (``pbx_``, ``queue_``) are beside them.  ``server`` is the name of
a server in the configuration.  docs/live.md has a table made of these: ``make docs``.
"""

from __future__ import annotations

from amiproxy.metrics.family import gauge

BUILD_INFO = gauge("build_info", "1; the labels are the releases that run.", "version", "python")
SERVER_UP = gauge("server_up", "1: logged in and booted, 0: not.", "server")
