# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages for people, and what they need: files as they are sent, and their types.  No thread."""
