# SPDX-License-Identifier: GPL-2.0-or-later
"""The service as systemd runs it, in Debian 12, 13 and sid: ``make service-test``, as root.

``trees`` builds a Debian of each once and keeps it; ``machine`` boots one, with a real systemd,
without touching it.
"""
