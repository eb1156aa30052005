# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client's block asks for, carried out in that client's thread.

Nothing in here reads from a socket: a block comes in as a Call, answers go out
through the session.
"""
