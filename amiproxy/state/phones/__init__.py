# SPDX-License-Identifier: GPL-2.0-or-later
"""What is outside a call: devices with their hints, contacts and peers, registrations."""
