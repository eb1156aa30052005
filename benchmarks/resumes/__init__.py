# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that are cut off and come back, and a judge of what they were sent meanwhile."""
