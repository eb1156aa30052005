# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of amiproxy/threads/actions: a session that keeps what it is told, no socket."""
