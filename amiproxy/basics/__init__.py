# SPDX-License-Identifier: GPL-2.0-or-later
"""Small values that know nothing of the proxy: any other module may use them.

Nothing here imports anything of ours.
"""
