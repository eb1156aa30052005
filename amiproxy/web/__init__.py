# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP as values: what a request asks for, whether a browser may ask it, bodies of answers.

Nothing here opens a socket or waits for Asterisk: that is threads/web/.  Requests and
responses themselves are in amiproxy/httpmessages.py, where I/O handlers find them.
"""
