# SPDX-License-Identifier: GPL-2.0-or-later
"""What looks at the threads' objects, and fills in the values of amiproxy/status.

Everything is read when somebody asks, in the thread that asks; nothing here is on the way of an
event or an action.
"""
