# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures how fast the proxy is, compared with no proxy and with a bare relay.

``python -m benchmarks`` runs the table, ``python -m benchmarks.soak`` the long
run.  docs/performance.md explains the figures.
"""
