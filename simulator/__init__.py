# SPDX-License-Identifier: GPL-2.0-or-later
"""A simulated Asterisk: an AMI server for tests, the demo and benchmarks.

Python code uses ``simulator.server.SimulatedAsterisk``, a shell uses ``python -m
simulator``.  Its answers, events and faults come from recordings of real servers
(tests/data).
"""
