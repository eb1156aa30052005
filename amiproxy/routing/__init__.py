# SPDX-License-Identifier: GPL-2.0-or-later
"""Who gets what: whose answer a message is, which client may see it.

Functions of values.  Who a user is, and what they may do, belongs to access/;
sending belongs to threads/.
"""
