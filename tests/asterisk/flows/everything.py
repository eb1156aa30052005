# SPDX-License-Identifier: GPL-2.0-or-later
"""All flows."""

from __future__ import annotations

from tests.asterisk.flows import calls, driven, features, load, queues, transfers
from tests.asterisk.flows.flow import FLOWS

__all__ = ["FLOWS"]

_MODULES = (calls, driven, features, load, queues, transfers)
