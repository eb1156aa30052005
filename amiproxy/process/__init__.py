# SPDX-License-Identifier: GPL-2.0-or-later
"""The process and the system: command line, user and group, pid file, limits.

No thread and no socket.  astmanproxy.py handles signals.
"""
