# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the log goes, in the words of ``logfile``: else it is the path of a file."""

from __future__ import annotations

JOURNAL = "journal"
SYSLOG = "syslog"
STDERR = "stderr"
STDOUT = "stdout"

#: Values of ``logfile`` that are no files.
WORDS = frozenset({JOURNAL, SYSLOG, STDERR, STDOUT})
#: Those that a daemon does not have.
STREAMS = {STDOUT: 1, STDERR: 2}
