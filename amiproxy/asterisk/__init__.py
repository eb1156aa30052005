# SPDX-License-Identifier: GPL-2.0-or-later
"""What Asterisk has, as tables: actions, functions, applications.  Data, and no rules.

What follows from a table for a user is decided in access/ and routing/.
"""
