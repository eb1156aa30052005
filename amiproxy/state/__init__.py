# SPDX-License-Identifier: GPL-2.0-or-later
"""What is there now on one Asterisk: channels, bridges, calls, queues, devices and so on.

A ServerModel is begun by lists and kept by events.  It is plain data: one thread uses it and
tells it the time.  Nothing here waits, asks Asterisk or knows of clients: that is threads/state/.
"""
