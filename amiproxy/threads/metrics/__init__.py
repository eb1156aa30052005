# SPDX-License-Identifier: GPL-2.0-or-later
"""What fills in the metrics when somebody asks for them."""
