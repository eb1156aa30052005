# SPDX-License-Identifier: GPL-2.0-or-later
"""The description of all endpoints as an OpenAPI 3.1 document, made from their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amiproxy import __version__
from amiproxy.rest import schemas
from amiproxy.rest.fields import FIELDS
from amiproxy.web.problems import CONTENT_TYPE, KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from amiproxy.rest.endpoints import Endpoint, Parameter

_ABOUT = """\
Manager actions, events and the live state of one or several Asterisks.

Log in by Basic (a user of the users file), by a token (`astmanproxy --new-token USER`), or with the
cookie of `POST /v1/session`.  What is wrong is told as `application/problem+json` (RFC 9457); the
`type` of a problem is a path that explains it.  Members may be added to any answer: ignore those
that you do not know.
"""
_SCHEMES = {
    "basic": {"type": "http", "scheme": "basic"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "astmanproxy_session",
        "description": "of POST /v1/session; under TLS its name begins with __Host-",
    },
}
#: What any request may be answered with.
_ALWAYS = ("bad-request", "headers-too-large", "foreign-page")
_WITH_LOGIN = ("login-required", "too-many")
_WITH_BODY = ("type", "too-large", "length-required")


def document(endpoints: Iterable[Endpoint], *, guarded: bool = True) -> dict[str, Any]:
    """Return the document that describes *endpoints*; *guarded*: one must log in for them."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, guarded=guarded)
        paths.setdefault(endpoint.shown_path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "astmanproxy",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "GPL-2.0-or-later", "identifier": "GPL-2.0-or-later"},
        },
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {
            "securitySchemes": _SCHEMES,
            "schemas": {
                "Problem": plain(schemas.PROBLEM),
                **{f"row_of_{kind}": _row(fields) for kind, fields in FIELDS.items()},
            },
        },
    }


def _row(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a row that has *fields*."""
    own = {name: plain(schema) for name, schema in fields.items() if name != "id"}
    base = plain(schemas.ANY_ROW)
    return {**base, "properties": {**base["properties"], **own}}


def _operation(endpoint: Endpoint, *, guarded: bool) -> dict[str, Any]:
    ways: list[dict[str, list[str]]] = [{name: []} for name in _SCHEMES]
    # The empty one: none is needed.
    security = [] if not endpoint.needs_login else ways if guarded else [*ways, {}]
    found: dict[str, Any] = {
        "operationId": _id(endpoint),
        "tags": [endpoint.path.split("/")[2]],
        "summary": endpoint.summary,
        "parameters": [*_parameters(endpoint)],
        "responses": _responses(endpoint),
        "security": security,
    }
    if endpoint.body is not None:
        found["requestBody"] = {
            "required": not endpoint.body_is_optional,
            "content": {"application/json": {"schema": plain(endpoint.body)}},
        }
    return found


def _id(endpoint: Endpoint) -> str:
    """Return a name that tells *endpoint* from all others: ``get_state_kind``."""
    words = [part.strip("{+}") for part in endpoint.path.split("/")[2:]]
    return "_".join([endpoint.method.lower(), *words])


def _parameters(endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    """Yield what a request to *endpoint* says in its URL."""
    for parameter in endpoint.of_path:
        yield {**_parameter(parameter), "in": "path", "required": True}
    for parameter in endpoint.parameters:
        yield {**_parameter(parameter), "in": "query", "required": parameter.is_required}
    if endpoint.further and endpoint.method == "GET":
        yield {
            "name": "fields_of_the_query",
            "in": "query",
            "description": endpoint.further,
            "required": False,
            "style": "form",
            "explode": True,
            "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = plain(parameter.schema)
    if parameter.is_repeated:
        schema = {"type": "array", "items": schema}
    return {"name": parameter.name, "description": parameter.about, "schema": schema}


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, answer in endpoint.answers.items():
        told: dict[str, Any] = {"description": answer.about}
        if answer.schema is not None:
            told["content"] = {answer.content_type: {"schema": plain(answer.schema)}}
        found[str(status)] = told
    for name in _problems(endpoint):
        number = str(KINDS[name].status)
        if number in found:
            found[number]["description"] += f"; {name}: {KINDS[name].title}"
            continue
        found[number] = {
            "description": f"{name}: {KINDS[name].title}",
            "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return dict(sorted(found.items()))


def _problems(endpoint: Endpoint) -> Sequence[str]:
    """Return the kinds of problems that *endpoint* may answer with."""
    names = [*_ALWAYS, *endpoint.problems]
    names += _WITH_LOGIN if endpoint.needs_login else ()
    names += _WITH_BODY if endpoint.body is not None else ()
    return [name for name in KINDS if name in names]


def plain(value: Any) -> Any:
    """Return *value*, a schema, as what ``json.dumps`` takes."""
    if isinstance(value, str) or value is None:
        return value
    if hasattr(value, "items"):
        return {name: plain(each) for name, each in value.items()}
    return [*map(plain, value)] if isinstance(value, (list, tuple)) else value
