# SPDX-License-Identifier: GPL-2.0-or-later
"""The process and the system: command line, user and group, pid file, limit of open files.

No thread and no socket.  astmanproxy.py handles signals.
"""
