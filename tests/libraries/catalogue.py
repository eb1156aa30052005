# SPDX-License-Identifier: GPL-2.0-or-later
"""Which libraries there are, where they come from, and which driver uses them."""

from __future__ import annotations

from typing import NamedTuple


class Library(NamedTuple):
    """A library that is installed and used by a driver.

    *source* names the registry, *package* what is installed from it, with the release
    where the registry keeps more than one, *driver* the file in ``drivers/``.
    """

    name: str
    language: str
    source: str
    package: str
    driver: str


class Absent(NamedTuple):
    """A library that ``make libraries`` does not use, and why."""

    name: str
    language: str
    why: str


LIBRARIES = (
    Library("panoramisk", "Python", "pip", "panoramisk==1.4", "use_panoramisk.py"),
    Library("asterisk-ami", "Python", "pip", "asterisk-ami==0.1.7", "use_asterisk_ami.py"),
    Library("pyami_asterisk", "Python", "pip", "pyami-asterisk==1.5.2", "use_pyami_asterisk.py"),
    Library("py-Asterisk", "Python", "pip", "py-Asterisk==0.6.0", "use_py_asterisk.py"),
    Library("pyst2", "Python", "pip", "pyst2==0.5.1", "use_pyst2.py"),
    Library("astami", "Python", "pip", "astami==1.1.0", "use_astami.py"),
    Library("basicami", "Python", "pip", "basicami==0.1.0", "use_basicami.py"),
    Library("asterkit", "Python", "pip", "asterkit==0.1b1", "use_asterkit.py"),
    Library(
        "asterisk-manager", "Node.js", "npm", "asterisk-manager@0.2.0", "use_asterisk_manager.js"
    ),
    Library(
        "asterisk-ami-client",
        "Node.js",
        "npm",
        "asterisk-ami-client@1.1.5",
        "use_asterisk_ami_client.js",
    ),
    Library("yana", "Node.js", "npm", "yana@0.3.0", "use_yana.js"),
    Library("nami", "Node.js", "npm", "nami@0.7.2", "use_nami.js"),
    Library("ami-io", "Node.js", "npm", "ami-io@1.2.1", "use_ami_io.js"),
    Library("asterisk-ami", "Node.js", "npm", "asterisk-ami@0.1.0", "use_asterisk_ami.js"),
    Library("ami", "Node.js", "npm", "ami@1.0.0", "use_ami.mjs"),
    Library("asterisk.io", "Node.js", "npm", "asterisk.io@0.1.1", "use_asterisk_io.js"),
    Library(
        "Telephony::Asterisk::AMI",
        "Perl",
        "apt",
        "libtelephony-asterisk-ami-perl",
        "use_telephony_asterisk_ami.pl",
    ),
    Library("Asterisk::Manager", "Perl", "apt", "libasterisk-agi-perl", "use_asterisk_manager.pl"),
    Library("ruby_ami", "Ruby", "apt", "ruby-ami", "use_ruby_ami.rb"),
)

ABSENT = (
    Absent("phpagi", "PHP", "Packagist only"),
    Absent("PAMI", "PHP", "Packagist only"),
    Absent("clue/ami-react (reactphp-ami)", "PHP", "Packagist only"),
    Absent("Asterisk::AMI", "Perl", "CPAN only"),
    Absent("asterisk-java", "Java", "Maven Central only"),
    Absent("goami, gami and their like", "Go", "the Go module proxy only"),
    Absent("starpy", "Python", "no release on PyPI that pip installs"),
    Absent("aiopyami", "Python", "0.1.4 takes each read for whole messages: fails direct as well"),
    Absent("pyst3", "Python", "0.4.2 is no valid Python since 3.7: a parameter is called async"),
)
