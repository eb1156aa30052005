# SPDX-License-Identifier: GPL-2.0-or-later
"""SIP phones over UDP, for tests of a real Asterisk: calls, RTP, registrations, subscriptions.

All phones of a test run in one thread (``loop.py``).  Nothing here knows of AMI.
"""
