# SPDX-License-Identifier: GPL-2.0-or-later
"""What an innocent client notices while others attack the proxy: ``make torture``.

Four processes take part: a fake Asterisk, the proxy, the innocent client, the attacker.
"""
