# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of HTTP with the running program."""
