# SPDX-License-Identifier: GPL-2.0-or-later
"""What talks to the bus: connections to Redis, leases of servers, streams out and in.

Only ``client.py`` imports redis.  What goes over the bus, and who decides what, is in
``amiproxy/bus``.  Who sets no ``bus`` imports none of it.
"""
