# SPDX-License-Identifier: GPL-2.0-or-later
"""What phones do, and what is asked of Asterisk meanwhile: each flow is a function of a World.

A flow begins and ends without any call.  ``everything`` names all of them.
"""
