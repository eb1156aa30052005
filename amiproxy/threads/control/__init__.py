# SPDX-License-Identifier: GPL-2.0-or-later
"""The control socket: what the operator asks of the running proxy, and how it is answered.

``table.COMMANDS`` has the commands; a further one is one decorated function.  What belongs to
clients of AMI is not here.
"""
