# SPDX-License-Identifier: GPL-2.0-or-later
"""Bytes of an Asterisk to messages, and messages to the bytes of each format.

Nothing here knows who gets a message, and nothing waits.
"""
