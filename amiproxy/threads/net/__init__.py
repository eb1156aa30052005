# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets: connections, TLS, sending what a socket did not take.

Nothing here knows what the bytes mean.
"""
