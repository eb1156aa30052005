# SPDX-License-Identifier: GPL-2.0-or-later
"""Log records as bytes: lines of text, JSON, entries of the journal and of syslog; levels.

Values in, bytes out: no file, no socket, no thread.  Who writes them is amiproxy/threads/log.py.
"""
