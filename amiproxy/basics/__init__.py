# SPDX-License-Identifier: GPL-2.0-or-later
"""Small building blocks that every other folder may use and that import nothing of ours."""
