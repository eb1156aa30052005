# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that are told at once: WebSocket, events over HTTP; who is told of changes."""
