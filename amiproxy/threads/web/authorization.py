# SPDX-License-Identifier: GPL-2.0-or-later
"""Who sends a request, as its Authorization header says: Basic, Bearer or Digest.

(RFC 7617, RFC 6750, RFC 7616.)  All become a block ``Action: Login``, so that delays, lock-out,
address lists and log lines are those of any log-in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable

from amiproxy.access import digest, tokens
from amiproxy.httpmessages import BadRequest, Request
from amiproxy.message import Message
from amiproxy.web import urls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.access.user import User
    from amiproxy.threads.web.nonces import Nonces

FAILED = "Authentication failed"
_NO_HASHES = "; Digest needs a user whose secret is not hashed"


@dataclass(frozen=True)
class Claim:
    """What a request says of its sender."""

    block: Message  #: the log-in
    proof: Callable[[User | None], bool] | None  #: takes the place of a secret in *block*
    failure: str  #: what a client is told whose log-in has failed
    spend: Callable[[], bool]  #: to be called when it has succeeded: may it have been this request?
    is_digest: bool = False


class Authorization:
    """Reads what requests say of their senders, and asks for it."""

    def __init__(self, nonces: Nonces, algorithms: Sequence[str]) -> None:
        self._nonces, self._algorithms = nonces, algorithms

    def claim(self, request: Request, *, wants_digest: bool) -> Claim | None:
        """Return what *request* says of its sender; None: nothing.

        *wants_digest*: it goes where Digest is asked for.

        Raises:
            BadRequest: 401, it says nothing that could be tried, or too late.

        """
        scheme = request.header("authorization").partition(" ")[0].lower()
        if scheme == "digest" and self._algorithms:
            return self._digest(request)
        if scheme == "bearer":
            return _bearer(request)
        given = urls.credentials(request)
        if given is not None:
            block = Message.of("Action: Login", f"Username: {given[0]}", f"Secret: {given[1]}")
            return Claim(block, None, FAILED, lambda: True)
        if scheme == "basic" or wants_digest:
            text = FAILED if scheme else "Authentication required"
            raise self.refusal(text, wants_digest=wants_digest)
        return None

    def refusal(self, text: str = FAILED, *, wants_digest: bool, stale: bool = False) -> BadRequest:
        """Return the error 401 that says *text*, and how to log in."""
        if not wants_digest:
            return BadRequest(401, text, urls.CHALLENGE)
        if not self._algorithms:
            return BadRequest(401, "Digest is switched off here (httpdigest): use Basic at /rawman")
        nonce = self._nonces.make()
        return BadRequest(401, text, digest.challenges(nonce, self._algorithms, stale=stale))

    def _digest(self, request: Request) -> Claim:
        """Return what *request* says by Digest; nothing is tried with an old nonce."""
        nonces = self._nonces
        try:
            given = digest.parse(
                request.header("authorization"), request.method, request.target, self._algorithms
            )
        except ValueError as error:
            raise self.refusal(str(error), wants_digest=True) from None
        if "\0" in given.username or not nonces.is_fresh(given.nonce):
            raise self.refusal("The nonce is over", wants_digest=True, stale=True)
        return Claim(
            Message.of("Action: Login", f"Username: {given.username}"),
            given.proves_secret_of,
            FAILED + _NO_HASHES,
            lambda: nonces.use(given.nonce, int(given.count, 16)),
            is_digest=True,
        )


def _bearer(request: Request) -> Claim:
    """Return what *request* says by a token; whose it is, is found by it alone."""
    token = request.header("authorization").partition(" ")[2].strip()
    given = tokens.Given(tokens.hash_of(token))
    return Claim(Message.of("Action: Login"), given, FAILED, lambda: True)
