# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything that can go wrong, grouped by who has to act.

* ProxyError
    * ConfigError: the operator must fix a file; the proxy does not start
        * PassingError: or it may pass by itself, so that a later start succeeds
    * PeerError: one session ends, the proxy goes on
        * PeerGone: the connection is over
            * PeerLeft: the other side closed or reset it, as it may
        * ProtocolError: the other side sent what its format does not allow
        * SlowPeer: the other side does not read what it is sent
        * LoginRefused: Asterisk does not accept our user or secret
        * HandlerError: an I/O handler raised; its author must fix it

Texts may be logged as they are: they never hold a secret.
"""

from __future__ import annotations


class ProxyError(Exception):
    """Base of all errors of the proxy."""


class ConfigError(ProxyError):
    """A file the operator wrote cannot be used.

    *problems* are lines ``FILE:LINE: what is wrong, what to do``.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class PassingError(ConfigError):
    """What keeps the proxy from starting may pass by itself: an address in use, a full table."""


class PeerError(ProxyError):
    """One session is over.

    *told* is what clients are told of it, if it is a server's: a few fixed words, "" for those
    of its kind.
    """

    def __init__(self, text: str = "", *, told: str = "") -> None:
        super().__init__(text)
        self.told = told


class PeerGone(PeerError):
    """The connection is over."""


class PeerLeft(PeerGone):
    """The other side closed or reset the connection, which needs nobody's attention."""


class ProtocolError(PeerError):
    """The other side sent what its format does not allow."""


class SlowPeer(PeerError):
    """The other side does not read what it is sent."""


class LoginRefused(PeerError):
    """Asterisk does not accept our user or secret."""


class HandlerError(PeerError):
    """An I/O handler raised; the clients of its format cannot go on."""
