# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP as values: requests, what they ask for, whether a browser may ask it, bodies of answers.

No socket, and nothing that waits for Asterisk: that is threads/web/.
"""
