#!/usr/bin/python3 -I
# SPDX-License-Identifier: GPL-2.0-or-later
"""/usr/sbin/astmanproxy of the Debian package: the program is in a directory of its own."""

import importlib
import sys

sys.path.insert(0, "/usr/share/astmanproxy")
sys.exit(importlib.import_module("astmanproxy").main())
