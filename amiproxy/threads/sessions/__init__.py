# SPDX-License-Identifier: GPL-2.0-or-later
"""Live sessions: clients, the registry of them, and the router between them and the servers.

No action is carried out here.
"""
