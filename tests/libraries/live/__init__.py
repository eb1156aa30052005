# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of others for WebSocket, Server-Sent Events and REST: ``/ws``, ``/events``, ``/v1/``."""
