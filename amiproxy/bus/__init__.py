# SPDX-License-Identifier: GPL-2.0-or-later
"""The bus as values: what proxies that share servers tell each other through Redis, and decide.

Entries of streams, leases, who takes which server, members of the cluster.  What talks to Redis
is not here (``threads/bus``), nor what clients are told.  Who sets no ``bus`` imports none of it.
"""
