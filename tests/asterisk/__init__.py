# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests that ask a real Asterisk: `make asterisk-test`.  Skipped where there is none."""
