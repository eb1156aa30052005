# SPDX-License-Identifier: GPL-2.0-or-later
"""What the command line does beside running the proxy: one module each, with ``main(options)``.

``options.COMMANDS`` names them; each is imported only when it is asked for.
"""
