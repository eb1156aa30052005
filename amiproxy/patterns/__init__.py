# SPDX-License-Identifier: GPL-2.0-or-later
"""Regular expressions as Asterisk reads them, and what searches for them in bounded time.

Functions of bytes.  What an expression is compared with, and for whom, belongs to
routing/eventfilter.py; nothing here knows of events, users or sessions.
"""
