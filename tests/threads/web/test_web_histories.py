# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever happens in whatever order, a cookie stands for one user or for nobody."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from amiproxy.access.user import User, Users
from amiproxy.routing.classes import CALL
from amiproxy.settings.config import Config
from tests.threads.web.test_client import Stage

if TYPE_CHECKING:
    from amiproxy.httpmessages import Response

USERS = Users({"joe": User("joe", "right"), "ann": User("ann", "right", read=CALL)})
BASIC = "Basic " + base64.b64encode(b"joe:right").decode()
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "login joe",
                "login ann",
                "login nobody",
                "challenge",
                "key",
                "no key",
                "ping",
                "event",
                "wait",
                "logoff",
                "proxy logoff",
                "basic",
            ]
        ),
        st.integers(0, 5),
    ),
    max_size=20,
)


class History:
    """One browser with all cookies it was ever given, and what each has to stand for."""

    def __init__(self) -> None:
        self.stage = Stage(auth_required=True)
        self.stage.context.renew(Config(auth_required=True), USERS, None)
        self.stage.context.stopping.set()  # nobody waits for a failure's delay
        self.cookies = [""]
        self.users: dict[str, str] = {}  # by cookie; "" for a challenge's
        self.challenges: dict[str, str] = {}
        self.kept: dict[str, list[str]] = {}
        self.events = 0

    def get(self, fields: str, cookie: str) -> Response:
        """Ask with *cookie*, if it is one."""
        headers = {"cookie": cookie} if cookie else {}
        return self.stage.get(f"/rawman?{fields}", **headers)

    def begin(self, response: Response, user: str, before: str) -> str:
        """Note the session that *response* begins; it has a cookie that was never there."""
        self.end(before)
        cookie = dict(response.headers)["Set-Cookie"].partition(";")[0]
        assert cookie not in self.cookies
        self.cookies.append(cookie)
        self.users[cookie], self.kept[cookie] = user, []
        return cookie

    def end(self, cookie: str) -> None:
        """Note that *cookie* stands for nobody any more."""
        self.users.pop(cookie, None)
        self.challenges.pop(cookie, None)

    def log_in(self, cookie: str, fields: str, user: str) -> None:
        """Log in, in vain if *user* is empty."""
        response = self.get(f"action=login&{fields}", cookie)
        stays = bool(user) and self.users.get(cookie) == user
        assert (b"Already authenticated" in response.body) is stays
        assert (b"Authentication accepted" in response.body) is (bool(user) and not stays)
        if stays:
            self.challenges.pop(cookie, None)
        elif user:
            self.begin(response, user, cookie)
        else:
            self.end(cookie)

    def challenge(self, cookie: str) -> None:
        """Ask for a challenge, which begins a session where there is none."""
        response = self.get("action=challenge&authtype=md5", cookie)
        found = re.search(rb"Challenge: (\d+)", response.body)
        assert found is not None
        if cookie not in self.users:
            cookie = self.begin(response, "", cookie)
        self.challenges[cookie] = found[1].decode()

    def log_in_by_key(self, cookie: str, secret: str) -> None:
        """Answer the challenge of *cookie*, if it has one."""
        challenge = self.challenges.get(cookie, "")
        key = hashlib.md5(f"{challenge}{secret}".encode()).hexdigest()
        user = "joe" if challenge and secret == "right" else ""
        self.log_in(cookie, f"authtype=md5&username=joe&key={key}", user)

    def event(self) -> None:
        """Let Asterisk tell of something that joe may see and ann may not."""
        self.events += 1
        self.stage.asterisk.event(f"<{self.events}>")
        for cookie, user in self.users.items():
            if user == "joe":
                self.kept[cookie].append(f"<{self.events}>")

    def wait(self, cookie: str) -> None:
        """Fetch what was kept: all of it, and nothing else."""
        body = self.get("action=waitevent&timeout=0", cookie).body.decode()
        expected = self.kept.pop(cookie, []) if self.users.get(cookie) else []
        self.kept[cookie] = []
        assert re.findall(r"<\d+>", body) == expected

    def step(self, what: str, cookie: str) -> None:
        """Do *what* with *cookie*."""
        if what.startswith("login"):
            name = what.partition(" ")[2]
            self.log_in(cookie, f"username={name}&secret=right", name if name in USERS else "")
        elif what == "challenge":
            self.challenge(cookie)
        elif what.endswith("key"):
            self.log_in_by_key(cookie, "right" if what == "key" else "wrong")
        elif what == "event":
            self.event()
        elif what == "wait":
            self.wait(cookie)
        elif what.endswith("logoff"):
            if what == "logoff" or self.users.get(cookie):
                self.get(f"{'action' if what == 'logoff' else 'proxyaction'}=logoff", cookie)
                self.end(cookie)
        elif what == "basic":
            headers = {"cookie": cookie, "authorization": BASIC}
            assert b"Ping: Pong" in self.stage.get("/rawman?action=ping", **headers).body
        pong = b"Ping: Pong" in self.get("action=ping", cookie).body
        assert pong is bool(self.users.get(cookie))


@given(STEPS)
def test_a_cookie_stands_for_its_user_from_beginning_to_end(steps: list[tuple[str, int]]) -> None:
    """Log-ins, challenges, failures and log-offs with any cookie there ever was."""
    history = History()
    try:
        for what, number in steps:
            history.step(what, history.cookies[-1 - number % len(history.cookies)])
            assert len(history.stage.sessions) == len(history.users)
            snapshot = history.stage.context.registry.snapshot()
            assert len(snapshot) == len(history.users)
    finally:
        history.stage.stop()
