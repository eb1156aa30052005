# SPDX-License-Identifier: GPL-2.0-or-later
"""Channels, bridges, and the calls that they are: one store, three tables over it.

Events of Asterisk 12 and later tell whole channels (blocks.py); those of Asterisk 11 parts of
them (oldchannels.py, pairs.py).
"""
