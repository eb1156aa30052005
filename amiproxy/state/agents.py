# SPDX-License-Identifier: GPL-2.0-or-later
"""AgentTable: the agents of AgentLogin (app_agent_pool, before 12 chan_agent).

Begun by Agents.  That an agent is in a call is told by the state of the device ``Agent:1001``;
before 12, which tells no device states, by what queues say of the member ``Agent/1001``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.table import Query, Row, Table
from amiproxy.state.values import UNIQUEID, instant, list_item, text, value_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from amiproxy.message import Message
    from amiproxy.state.table import Standing, Value

AGENTS = Query("Agents", beside="QueuePause")

LOGGED_OFF, IDLE, ON_CALL, UNKNOWN = "logged_off", "idle", "on_call", "unknown"

_BY_STATUS = {"AGENT_LOGGEDOFF": LOGGED_OFF, "AGENT_IDLE": IDLE, "AGENT_ONCALL": ON_CALL}
_WORDS = {state: status for status, state in _BY_STATUS.items()}
_BY_DEVICE = {"NOT_INUSE": IDLE, "INUSE": ON_CALL, "UNAVAILABLE": LOGGED_OFF}
# As Asterisk numbers these in QueueMemberStatus.
_BY_NUMBER = {"1": IDLE, "2": ON_CALL, "5": LOGGED_OFF}

# With which an event says that it is about an agent's device, or about an agent as a member.
_DEVICE, _MEMBER = b"\r\nDevice: Agent:", b": Agent/"


class Agent:
    """One agent."""

    __slots__ = ("channel", "key", "login", "name", "since", "state", "talking_to", "uniqueid")

    def __init__(self, key: str) -> None:
        self.key = key
        self.name: str | None = None
        self.state = UNKNOWN
        self.since: float | None = None
        #: When it logged in; its own channel.
        self.login: float | None = None
        self.channel: str | None = None
        self.uniqueid: str | None = None
        #: The channel of who talks to it.
        self.talking_to: str | None = None

    def become(self, state: str, since: float | None) -> None:
        """Be in *state*, unless it is, *since* then."""
        if state != self.state:
            self.state, self.since = state, since
        if state != ON_CALL:
            self.talking_to = None
        if state == LOGGED_OFF:
            self.login = self.channel = self.uniqueid = None

    def row(self) -> Row:
        """Return it as a row."""
        fields: dict[str, Value] = {
            "agent": self.key,
            "name": self.name,
            "state": self.state,
            "since": self.since,
            "login": self.login,
            "channel": self.channel,
            "uniqueid": self.uniqueid,
            "talking_to": self.talking_to,
        }
        headers = [
            ("Agent", self.key),
            ("Name", self.name),
            ("Status", _WORDS.get(self.state, "AGENT_UNKNOWN")),
            ("Channel", self.channel),
            ("Uniqueid", self.uniqueid),
            ("TalkingToChan", self.talking_to),
        ]
        return Row(self.key, fields, list_item("Agents", "agent", headers))


class AgentTable(Table):
    """The agents of one server."""

    kinds = ("agents",)
    queries = (AGENTS,)

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._found: dict[str, Agent] = {}
        self._of: dict[str, Agent] = {}  # by the unique id of its channel
        self.marks = {
            "devicestatechange": _DEVICE, "queuememberstatus": _MEMBER,
            "agentconnect": _MEMBER, "agentcomplete": _MEMBER,
        }  # fmt: skip
        self.events = {
            "agentlogin": self._logged_in,
            "agentlogoff": self._logged_off,
            "devicestatechange": self._device,
            "queuememberstatus": self._member,
            "agentconnect": self._connected,
            "agentcomplete": self._completed,
            "hangup": self._hangup,
        }

    def __len__(self) -> int:
        return len(self._found)

    def clear(self) -> None:
        """Forget all."""
        self._found.clear()
        self._of.clear()

    def _logged_in(self, message: Message, now: float) -> None:
        values = message.values
        key, uniqueid = text(values.get("agent")), text(values.get("uniqueid"))
        if key is None or (uniqueid is not None and self._standing.gone.has(uniqueid, now)):
            return
        self._standing.touch("agents", key)
        agent = self._found.get(key)
        if agent is None:
            if self._standing.live:
                self._standing.doubts.add("agents")  # its name is in the list alone
            agent = self._found[key] = Agent(key)
        if agent.state in (LOGGED_OFF, UNKNOWN):
            agent.become(IDLE, now)
        agent.login = now
        self._set_channel(agent, text(values.get("channel")), uniqueid)

    def _set_channel(self, agent: Agent, channel: str | None, uniqueid: str | None) -> None:
        self._of.pop(agent.uniqueid or "", None)
        agent.channel, agent.uniqueid = channel, uniqueid
        if uniqueid is not None:
            self._of[uniqueid] = agent

    def _logged_off(self, message: Message, now: float) -> None:
        self._be(text(message.values.get("agent")), LOGGED_OFF, now)

    def _be(self, key: str | None, state: str | None, now: float) -> Agent | None:
        """Have the agent *key*, if it is known, be in *state*, if that says one."""
        agent = self._found.get(key or "")
        if agent is None or state is None:
            return None
        self._standing.touch("agents", agent.key)
        if state == LOGGED_OFF:
            self._of.pop(agent.uniqueid or "", None)
        agent.become(state, now)
        return agent

    def _device(self, message: Message, now: float) -> None:
        if _DEVICE in message.raw:
            key = text(value_in(message.raw, _DEVICE))
            self._be(key, _BY_DEVICE.get(value_in(message.raw, b"\r\nState: ")), now)

    def _member(self, message: Message, now: float) -> None:
        if _MEMBER in message.raw:
            self._be(_agent_in(message), _BY_NUMBER.get(message.values.get("status", "")), now)

    def _connected(self, message: Message, now: float) -> None:
        if _MEMBER in message.raw:
            agent = self._be(_agent_in(message), ON_CALL, now)
            if agent is not None and message.has("DestChannel"):  # before 12 it is the agent's own
                agent.talking_to = text(message.values.get("channel"))

    def _completed(self, message: Message, now: float) -> None:
        if _MEMBER in message.raw:
            self._be(_agent_in(message), IDLE, now)

    def _hangup(self, message: Message, now: float) -> None:
        agent = self._of.get(value_in(message.raw, UNIQUEID)) if self._of else None
        if agent is not None:
            self._be(agent.key, LOGGED_OFF, now)

    def take_list(self, _query: Query, items: Sequence[Message], _now: float) -> int:
        """Take the answer to Agents: all there are, logged in or not."""
        self._standing.touch_all("agents")
        before = self._found.copy()
        self.clear()
        differing = 0
        for item in items:
            values = _mended(item)
            key = text(values.get("agent"))
            if key is None or key in self._found:
                continue
            agent = self._found[key] = before.pop(key) if key in before else Agent(key)
            was = agent.state
            self._describe(agent, values)
            differing += was != agent.state
        return differing + len(before)

    def _describe(self, agent: Agent, values: Mapping[str, str]) -> None:
        get, offset = values.get, self._standing.offset
        agent.name = text(get("name"))
        state = _BY_STATUS.get(get("status", ""), UNKNOWN)
        call = instant(get("callstarted"), offset) if state == ON_CALL else None
        agent.become(state, call)
        if state == LOGGED_OFF:
            return
        if agent.login is None:
            agent.login = instant(get("loggedintime"), offset)
        channel = get("channel") or get("loggedinchan")
        uniqueid = text(get("uniqueid"))
        self._set_channel(agent, _there(channel), uniqueid or agent.uniqueid)
        if state == ON_CALL:
            agent.talking_to = _there(get("talkingtochan")) or agent.talking_to

    def rows(self, _kind: str, _now: float) -> Iterator[Row]:
        """Yield a row for each agent."""
        return (agent.row() for agent in self._found.values())

    def rows_of(self, _kind: str, keys: Collection[str], _now: float) -> Iterator[Row]:
        """Yield those of the agents that have one of *keys*."""
        return (self._found[key].row() for key in keys if key in self._found)


def _there(value: str | None) -> str | None:
    return None if value == "n/a" else text(value)  # so before 12


def _agent_in(message: Message) -> str | None:
    """Return the agent that an event of a queue is about, None if it is another member."""
    get = message.values.get
    interface = get("interface") or get("location") or get("member") or ""
    return text(interface[6:]) if interface.startswith("Agent/") else None


def _mended(item: Message) -> Mapping[str, str]:
    """Return the values of a list item, in which Asterisk ends one line with a line feed alone."""
    values = item.values
    started, cut, rest = values.get("callstarted", "").partition("\n")
    if not cut:
        return values
    name, _, value = rest.partition(": ")
    return {**values, "callstarted": started, name.lower(): value}
