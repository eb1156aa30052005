# SPDX-License-Identifier: GPL-2.0-or-later
"""What answers the resources below /v1/."""
