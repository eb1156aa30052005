# SPDX-License-Identifier: GPL-2.0-or-later
"""How fast the proxy is, measured beside no proxy at all and beside a bare relay.

``python -m benchmarks`` runs the table, ``python -m benchmarks.soak`` the long
run.  What the figures mean is told in docs/performance.md.
"""
