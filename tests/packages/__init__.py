# SPDX-License-Identifier: GPL-2.0-or-later
"""The packages in the systems that they are for: as root.

``make deb-test``, ``make rpm-test`` and ``make image-test`` run them.

``trees`` builds two Debians of each suite, once, and keeps them: a bare one with systemd, which
is booted, and one in which packages are built.
"""
