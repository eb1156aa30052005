# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes on in a running proxy, as values; as tables for a terminal, and as JSON.

The threads fill the values in (``threads/status``).  Nothing here asks for the time, or knows a
terminal: who shows a table says how wide it may be.
"""
