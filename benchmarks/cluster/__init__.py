# SPDX-License-Identifier: GPL-2.0-or-later
"""A cluster on trial: proxies on one Redis, simulated Asterisks, faults, and a judge."""
