# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of the bus: what proxies of a cluster say to each other by way of Redis."""
