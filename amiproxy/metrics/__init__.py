# SPDX-License-Identifier: GPL-2.0-or-later
"""Counters, gauges and histograms, and the text that Prometheus reads.  No thread, no proxy."""
