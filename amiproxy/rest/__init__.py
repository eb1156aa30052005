# SPDX-License-Identifier: GPL-2.0-or-later
"""The resources below /v1/ as values: endpoints, parameters, rows, descriptions.  No thread."""
