# SPDX-License-Identifier: GPL-2.0-or-later
"""A simulated Asterisk: an AMI server for tests, the demo and benchmarks.

``simulator.server.SimulatedAsterisk`` is its Python face, ``python -m simulator``
the one for the shell.  What it says and how it misbehaves was taken from
recordings of real servers (tests/data).
"""
