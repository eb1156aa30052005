# SPDX-License-Identifier: GPL-2.0-or-later
"""Conversations of third parties: whatever they raise or return is their error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.errors import HandlerError
from amiproxy.foreign import ForeignConversation
from amiproxy.formats import Format
from amiproxy.httpmessages import BadRequest, Request, Response, Stage
from amiproxy.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

Fields = dict[str, Any]


def made(make: Callable[[Limits], Any]) -> ForeignConversation:
    """Return the conversation that a handler makes so."""
    form = Format("odd", None, None, make, None, "text/plain", wire=False, foreign=True)
    return ForeignConversation(form, Limits())


def conversation(**fields: Any) -> ForeignConversation:
    """Return a conversation with these attributes."""
    return made(lambda _: type("Odd", (), fields)())


def returning(value: Any) -> Callable[..., Any]:
    return lambda *_: value


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(*_: Any) -> None:
        raise error

    return fail


def use(odd: ForeignConversation) -> None:
    """Use *odd* as a connection does."""
    odd.entrance = None
    assert odd.entrance is None
    assert odd.stage is not Stage.OVER
    odd.feed(b"x")
    odd.interim()
    odd.next()
    odd.answer(Response(200), 0.0)
    odd.refuse(Response(400), 0.0)


GOOD: Fields = {
    "stage": Stage.IDLE,
    "feed": returning(None),
    "next": returning(Request("GET", "/", "1.0", (("host", "x"),))),
    "interim": returning(b""),
    "answer": returning(b"x"),
    "refuse": returning(b"x"),
}


def test_a_good_one_is_as_any_other() -> None:
    """What it raises for a bad request is not its error."""
    use(conversation(**GOOD))
    use(conversation(**{**GOOD, "next": returning(None)}))
    with pytest.raises(BadRequest):
        use(conversation(**{**GOOD, "next": raising(BadRequest(400, "no"))}))


@pytest.mark.parametrize("name", sorted(GOOD))
@pytest.mark.parametrize("error", [ValueError("s3cret"), SystemExit(1), MemoryError()])
def test_what_it_raises_is_its_error(name: str, error: BaseException) -> None:
    """At each place; its text may be a secret."""
    fields = {**GOOD, name: property(raising(error)) if name == "stage" else raising(error)}

    with pytest.raises(HandlerError) as caught:
        use(conversation(**fields))

    assert str(caught.value).startswith("handler odd: cannot ")
    assert str(caught.value).endswith(f": {type(error).__name__}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stage", "IDLE"),
        ("next", "GET / HTTP/1.0"),
        ("next", Request("GET", None, "1.0")),  # type: ignore[arg-type]
        ("next", Request("GET", "/", "1.0", ((1, 2),))),  # type: ignore[arg-type]
        ("next", Request("GET", "/", "1.0", ("host",))),  # type: ignore[arg-type]
        ("next", Request("GET", "/", "1.0", body="text")),  # type: ignore[arg-type]
        ("interim", None),
        ("answer", "text"),
        ("refuse", 7),
    ],
)
def test_what_it_may_not_return_is_its_error(name: str, value: Any) -> None:
    """None of it goes any further."""
    odd = conversation(**{**GOOD, name: value if name == "stage" else returning(value)})

    with pytest.raises(HandlerError, match="handler odd: cannot "):
        use(odd)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_what_it_lacks_is_its_error(name: str) -> None:
    """It is no conversation."""
    odd = conversation(**{each: value for each, value in GOOD.items() if each != name})

    with pytest.raises(HandlerError, match="AttributeError"):
        use(odd)


def test_one_that_cannot_be_made_is_its_error() -> None:
    """Nor one that takes no attribute."""
    with pytest.raises(HandlerError, match="cannot make a conversation: KeyError"):
        made(raising(KeyError(1)))
    with pytest.raises(HandlerError, match="cannot be entered"):
        use(made(returning(7)))
