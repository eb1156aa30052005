# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told at once, as values: JSON of events, rows and problems; subscriptions.  No thread."""
