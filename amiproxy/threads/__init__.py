# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything that waits or locks: here the threads themselves, below what they share.

What needs no socket, thread or lock belongs to the folders beside this one.
"""
