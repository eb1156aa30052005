# SPDX-License-Identifier: GPL-2.0-or-later
"""How astmanproxy is built and installed; `make install` uses it."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent


def paths(pattern: str) -> list[str]:
    """Return the files that *pattern* names, from here; "make install" has not all of them."""
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(pattern))


VERSION = re.search(r'__version__ = "([^"]+)"', (ROOT / "amiproxy" / "__init__.py").read_text())
assert VERSION is not None

setup(
    name="astmanproxy",
    version=VERSION[1],
    description="A proxy that lets many clients share one Asterisk Manager connection",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="GPL-2.0-or-later",
    python_requires=">=3.9",
    py_modules=["astmanproxy"],
    packages=find_packages(include=["amiproxy", "amiproxy.*"]),
    package_data={"amiproxy.console": ["static/*", "static/*/*", "static/*/*/*"]},
    data_files=[
        # Plain files in a directory, not a package: a new format is one more file.
        ("lib/astmanproxy/handlers", paths("handlers/*.py")),
        ("share/man/man5", paths("man/*.5")),
        ("share/man/man8", paths("man/*.8")),
        # The sample files, to begin with.
        ("share/doc/astmanproxy", paths("astmanproxy.[cu]*")),
    ],
    install_requires=[
        "python-daemon>=2.3",
        "lockfile>=0.12.2",
        "h11>=0.16",
        "bcrypt>=3.2",
        # The sans-I/O core of WebSocket alone.
        "websockets>=10.4",
    ],
    extras_require={
        # Several proxies that share servers (the key "bus").
        "bus": ["redis>=4.3"],
        # Searches for the patterns of event filters.  It does not come ready built for every
        # platform (docs/install.md, Platforms); patterns/engine.py says what is done without it.
        "re2": [
            # The last one that comes ready built for Python 3.9.
            "google-re2>=1.0,<1.1.20251000; python_version < '3.10'",
            "google-re2>=1.0; python_version >= '3.10'",
        ],
        "test": [
            "redis>=4.3",
            "pytest>=7.4",
            "pytest-timeout>=2.1",
            "pytest-xdist>=3.3",
            "hypothesis>=6.80",
            "psutil>=5.9",
            # 7.10 and later measure programs that tests start.
            "coverage>=7.10",
            "reuse>=5",
            "vulture>=2.11",
            # Reads /metrics as Prometheus does.
            "prometheus-client>=0.20",
            # Makes the certificates, good and bad, of the tests of TLS.
            "cryptography>=42",
            # Client libraries that must work through the proxy as they are.
            "panoramisk==1.4",
            "asterisk-ami==0.1.7",
            # Carries axe-core, which looks for what keeps people out of a page.
            "axe-core-python==0.1.0; python_version >= '3.10'",
            # Says whether /openapi.json is in order, and what answers must be like.
            "openapi-spec-validator>=0.7",
            # Exact, so that a new release does not turn old code into an error.
            "ruff==0.17.6",
            "mypy==1.20.2; python_version >= '3.10'",
        ],
    },
    entry_points={"console_scripts": ["astmanproxy = astmanproxy:main"]},
)
