# SPDX-License-Identifier: GPL-2.0-or-later
"""Queues: their members, who waits in them, who rings for whom, and how each wait ended."""
