# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions of the C program, replayed against this one; see README.md."""
