# SPDX-License-Identifier: GPL-2.0-or-later
"""What the interface says of itself: its problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.rest.endpoints import Answer, Endpoint, Parameter
from amiproxy.rest.problemtexts import explained
from amiproxy.threads.rest.asking import answer
from amiproxy.web.problems import KINDS, Problem

if TYPE_CHECKING:
    from amiproxy.httpmessages import Response
    from amiproxy.threads.rest.asking import Asking


def _problems(asking: Asking) -> Response:
    del asking
    return answer({"problems": [explained(name) for name in KINDS]})


def _problem(asking: Asking) -> Response:
    name = asking.args["name"].lower()
    if name not in KINDS:
        raise Problem("not-found", "There is no such problem; /v1/problems lists them")
    return answer(explained(name))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/problems",
        _problems,
        "Every kind of problem: what it means and what to do",
        answers={200: Answer("All of them")},
        needs_login=False,
    ),
    Endpoint(
        "GET",
        "/v1/problems/{name}",
        _problem,
        "One kind of problem: what it means and what to do",
        of_path=(Parameter("name", "the last part of a problem's `type`", {"enum": list(KINDS)}),),
        answers={200: Answer("What it means")},
        problems=("not-found",),
        needs_login=False,
    ),
)
