# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of the I/O handlers, as the proxy loads them."""
