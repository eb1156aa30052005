# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of the simulated Asterisk: is it like the recorded one?"""
