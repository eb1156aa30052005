# SPDX-License-Identifier: GPL-2.0-or-later
"""Libraries of others, unchanged, at the proxy, and where they can at Asterisk: ``make libraries``.

Not part of ``make test``: it installs what others publish.
"""
