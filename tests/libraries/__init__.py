# SPDX-License-Identifier: GPL-2.0-or-later
"""Manager libraries of others, unchanged, beside a direct connection: ``make libraries``.

Not part of ``make test``: it installs what others publish.
"""
