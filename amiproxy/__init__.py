# SPDX-License-Identifier: GPL-2.0-or-later
"""A proxy that lets many clients share one Asterisk Manager connection."""

__version__ = "2.0.0"
