# SPDX-License-Identifier: GPL-2.0-or-later
"""The threads of HTTP clients: wait for requests, ask Asterisk, send answers.

What a request means is web/'s to say.
"""
