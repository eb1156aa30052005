# SPDX-License-Identifier: GPL-2.0-or-later
"""What a cluster costs: several proxies on one Redis, beside one proxy without a bus.

``python -m benchmarks.bus`` measures it.  docs/cluster.md has the figures.
"""
