# SPDX-License-Identifier: GPL-2.0-or-later
"""What the operator writes: astmanproxy.conf and astmanproxy.users, their syntax and their values.

Nothing here acts on a setting.
"""
