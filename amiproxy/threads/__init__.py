# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything of the proxy that waits or locks: sockets, threads, sessions."""
