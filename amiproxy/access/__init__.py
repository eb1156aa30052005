# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may do what: users, secrets, addresses, permission classes of actions.

No file is read here (settings/ does that) and nobody waits (threads/ does that).
"""
