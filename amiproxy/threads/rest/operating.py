# SPDX-License-Identifier: GPL-2.0-or-later
"""What the operator sees and does: servers, clients, users, figures, the configuration in force.

Who may do what is told by the ProxyActions that do the same; they carry out what changes anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from amiproxy.httpmessages import Response
from amiproxy.live.documents import now
from amiproxy.rest import actionanswer, schemas
from amiproxy.rest.endpoints import Answer, Endpoint, Parameter
from amiproxy.threads.actions.proxyactions import PROXY_ACTIONS
from amiproxy.threads.control.elsewhere import slot_of_session
from amiproxy.threads.control.table import COMMANDS, carry_out
from amiproxy.threads.rest import refused
from amiproxy.threads.rest.asking import answer
from amiproxy.threads.rest.limits import ACTIONS_A_SECOND, pace
from amiproxy.threads.rest.serverrows import rows_of, unknown_server
from amiproxy.threads.state import looking
from amiproxy.web import urls
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.message import Message
    from amiproxy.threads.rest.asking import Asking
    from amiproxy.threads.sessions.context import ProxyContext

#: Which ProxyActions show what ``/v1/status`` does.
_OF_STATUS = ("ShowServers", "ShowClients", "ShowMemory", "ShowStats")

#: Member of the body of ``POST /v1/servers`` -> header of AddServer.
_OF_SERVER: Mapping[str, str] = {
    "host": "Server",
    "port": "Port",
    "username": "Username",
    "secret": "Secret",
    "events": "Events",
    "tls": "UseSSL",
    "name": "Name",
}


def _servers(asking: Asking) -> Response:
    context = asking.context
    rows = rows_of(context, looking.reached(asking.session, context.router.servers))
    return answer({"now": now(), "servers": rows})


def _server(asking: Asking) -> Response:
    name = asking.args["name"]
    context = asking.context
    links = looking.reached(asking.session, context.router.named(_bytes(name)))
    if not links:
        raise unknown_server(name)
    (row,) = rows_of(context, links[:1])
    return answer({"now": now(), "server": row})


def _add_server(asking: Asking) -> Response:
    said = {"port": 5038, "events": True, "tls": False, **asking.json}
    if unknown := [name for name in said if name not in _OF_SERVER]:
        text = f"{unknown[0][:40]!a} is not known; there are {', '.join(_OF_SERVER)}"
        raise Problem("bad-request", text, member=unknown[0][:40])
    if missing := [name for name in ("host", "username", "secret") if not said.get(name)]:
        raise Problem("bad-request", f"{missing[0]} is missing", member=missing[0])
    for name in ("events", "tls"):
        if not isinstance(said[name], bool):
            raise Problem("bad-request", f"{name} is true or false", member=name)
    said["events"] = "on" if said["events"] else "off"
    said["tls"] = "yes" if said["tls"] else "no"
    fields = [(_OF_SERVER[name], _text(name, value)) for name, value in said.items()]
    _perform(asking, "AddServer", fields)
    called = str(said.get("name") or said["host"])
    links = looking.reached(asking.session, asking.context.router.named(_bytes(called)))
    rows = rows_of(asking.context, links[:1])
    place = (("Location", f"/v1/servers/{quote(called.lower(), safe='')}"),)
    return answer({"now": now(), "server": rows[0] if rows else None}, 201, place)


def _text(name: str, value: Any) -> str:
    """Return the header that *value*, the member *name*, is."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise Problem("bad-request", f"{name} is text, or a number", member=name)
    return _bytes(str(value))


def _drop_server(asking: Asking) -> Response:
    name = asking.args["name"]
    _permit(asking, "DropServer")
    if not looking.reached(asking.session, asking.context.router.named(_bytes(name))):
        raise unknown_server(name)
    _perform(asking, "DropServer", [("Server", _bytes(name))])
    return Response(204)


def _clients(asking: Asking) -> Response:
    return _shown(asking, "ShowClients", "clients")


def _kick(asking: Asking) -> Response:
    _permit(asking, "Kick")
    number = asking.args["n"]
    is_number = number.isascii() and number.isdecimal() and len(number) < 20
    if not is_number or not _is_there(asking.context, int(number)):
        raise Problem("not-found", "There is no such client: GET /v1/clients lists them")
    _perform(asking, "Kick", [("Session", number)])
    return Response(204)


def _is_there(context: ProxyContext, number: int) -> bool:
    """Return whether the session *number* is there, or another proxy of the cluster may have it."""
    return context.registry.find(number) is not None or bool(slot_of_session(context, number))


def _users(asking: Asking) -> Response:
    return _shown(asking, "ShowUsers", "users")


def _cluster(asking: Asking) -> Response:
    _permit(asking, "ShowCluster")
    if asking.context.bus is None:
        raise Problem(
            "not-found", "This proxy is in no cluster: bus in astmanproxy.conf names none"
        )
    return _shown(asking, "ShowCluster", "cluster")


def _config(asking: Asking) -> Response:
    return _shown(asking, "ShowConfig", "config")


def _status(asking: Asking) -> Response:
    for name in _OF_STATUS:
        _permit(asking, name)
    return answer(_document(asking, "status"))


def _shown(asking: Asking, action: str, member: str) -> Response:
    """Return what the ProxyAction *action* shows, as the member *member*."""
    _permit(asking, action)
    (name,) = (name for name, each in COMMANDS.items() if each.action == action)
    proxy = asking.one("proxy")
    words = (_bytes(proxy),) if proxy else ()
    return answer({"now": now(), member: _document(asking, name, *words)})


def _document(asking: Asking, name: str, *words: str) -> Any:
    """Return what the command *name* of the control socket shows, with the arguments *words*.

    Raises:
        Problem: 404, there is no such proxy.

    """
    context, session = asking.context, asking.session
    pace(context, session, "actions", ACTIONS_A_SECOND)
    with context.turnstile.outside():  # it may wait
        found = carry_out(context, COMMANDS[name], words, session.peer)
        if not found.is_good and found.data is None:
            raise Problem("not-found", "; ".join(found.lines))
        return found.document


def _permit(asking: Asking, action: str) -> None:
    """Refuse who may not call the ProxyAction *action*.

    Raises:
        Problem: 403, they may not.

    """
    if problem := refused.of_proxyaction(asking.session.user, PROXY_ACTIONS[action.lower()]):
        raise problem


def _perform(asking: Asking, action: str, fields: list[tuple[str, str]]) -> None:
    """Have the ProxyAction *action* carried out, with the headers *fields*.

    Raises:
        Problem: 400, 403, 422 or 429, it was not.

    """
    _permit(asking, action)
    pace(asking.context, asking.session, "actions", ACTIONS_A_SECOND)
    message: Message = urls.block([f"ProxyAction: {action}"], fields, asking.context.limits)
    found, _ = asking.visit.asker.ask(asking.session, message)
    if trouble := actionanswer.trouble(found):
        raise Problem(trouble.kind, trouble.detail)


def _bytes(text: str) -> str:
    """Return *text* as the proxy has it inside: one character for each byte."""
    return text.encode("utf-8", "replace").decode("latin-1")


_PROXY = (
    Parameter("proxy", "of that proxy of the cluster, by name or slot; `cluster`: of all of them"),
)
_NAME = (Parameter("name", "of the server, as GET /v1/servers says"),)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/servers",
        _servers,
        "Each server: how it is, since when, what is known of it",
        answers={200: Answer("The servers", schemas.SERVERS)},
    ),
    Endpoint(
        "POST",
        "/v1/servers",
        _add_server,
        "Add a server until the next start, as AddServer does",
        body=schemas.NEW_SERVER,
        answers={201: Answer("It was added; that it is connected is not said", schemas.SERVER)},
        problems=("not-permitted", "failed", "too-many"),
    ),
    Endpoint(
        "GET",
        "/v1/servers/{name}",
        _server,
        "One server",
        (),
        _NAME,
        answers={200: Answer("The server", schemas.SERVER)},
        problems=("unknown-server",),
    ),
    Endpoint(
        "DELETE",
        "/v1/servers/{name}",
        _drop_server,
        "Drop a server until the next start, as DropServer does",
        (),
        _NAME,
        answers={204: Answer("It was dropped", None)},
        problems=("not-permitted", "unknown-server", "failed", "too-many"),
    ),
    Endpoint(
        "GET",
        "/v1/clients",
        _clients,
        "Each client, as ShowClients has it",
        _PROXY,
        answers={200: Answer("The clients", schemas.several("clients"))},
        problems=("not-permitted", "not-found", "too-many"),
    ),
    Endpoint(
        "DELETE",
        "/v1/clients/{n}",
        _kick,
        "End the session of a client, as Kick does",
        (),
        (Parameter("n", "the `number` of the client", {"type": "integer", "minimum": 1}),),
        answers={204: Answer("It was ended", None)},
        problems=("not-permitted", "not-found", "failed", "too-many"),
    ),
    Endpoint(
        "GET",
        "/v1/status",
        _status,
        "What goes on, as the command `status` has it in JSON; for who may call "
        + ", ".join(_OF_STATUS),
        answers={200: Answer("All of it")},
        problems=("not-permitted", "too-many"),
    ),
    Endpoint(
        "GET",
        "/v1/users",
        _users,
        "Each user, as ShowUsers has it",
        _PROXY,
        answers={200: Answer("The users", schemas.several("users"))},
        problems=("not-permitted", "not-found", "too-many"),
    ),
    Endpoint(
        "GET",
        "/v1/cluster",
        _cluster,
        "The proxies that share a bus with this one, and which hold which server, as ShowCluster"
        " has it",
        answers={200: Answer("The cluster", schemas.CLUSTER)},
        problems=("not-permitted", "not-found", "too-many"),
    ),
    Endpoint(
        "GET",
        "/v1/config",
        _config,
        "Each key in force and the line that sets it, as ShowConfig has it; no secret",
        answers={200: Answer("The keys", schemas.several("config"))},
        problems=("not-permitted", "too-many"),
    ),
)
