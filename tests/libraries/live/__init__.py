# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of others for WebSocket and Server-Sent Events, at ``/ws`` and ``/events``."""
