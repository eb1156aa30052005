# SPDX-License-Identifier: GPL-2.0-or-later
"""Every action of an Asterisk: a scene to ask about, what is asked, and how answers are compared."""
