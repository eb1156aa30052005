# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions of the C program, played against this one; README.md tells more."""
