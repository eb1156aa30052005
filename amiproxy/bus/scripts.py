# SPDX-License-Identifier: GPL-2.0-or-later
"""What Redis does with leases, each in one step: Lua, and the commands that call it.

For Redis from 6.2 on and Valkey.  The keys are those of one cluster, whose name is their prefix.

A Redis that has no memory of the leases (started anew, flushed, a replica that became the master)
must not give one out while their holders still believe in them: ``P:memory`` says which process
has which memory, and since when.  Until a lease's time has passed since then, it refuses to give
out any, but takes renewals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amiproxy.bus.keys import key_bytes
from amiproxy.bus.lease import STRIDE, Kind, Reply
from amiproxy.bus.members import read_slot, slot_text
from amiproxy.bus.resp import command

if TYPE_CHECKING:
    from amiproxy.bus.keys import Keys
    from amiproxy.bus.lease import Request

#: 2025-01-01 UTC.  Epochs begin with the time, so that a Redis without memory gives out later ones.
_BEGINNING = 1735689600
#: So many tenures a second may begin until epochs are ahead of the time.
_A_SECOND = 64

# The largest epoch that the stream KEYS[n] has an entry of, 0 if none.
_TOP = """
local function top(key)
  local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  return last and tonumber(string.match(last[1], '^%d+')) or 0
end
"""

# KEYS: memory, epoch, lease, events.  ARGV: slot, length in ms, largest epoch that is known.
# Redis before 7 lets a script write after TIME only if that was said.  A lease that has longer
# than any is from before Redis' clock was set back; who renews it will not notice.
_TAKE = f"""
if redis.replicate_commands then redis.replicate_commands() end
{_TOP}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local server = redis.pcall('INFO', 'server')
local run = type(server) == 'string' and string.match(server, 'run_id:(%w+)') or 'unknown'
local memory = redis.call('GET', KEYS[1])
local since = memory and string.match(memory, '^' .. run .. ' (%d+)$')
if not since or tonumber(since) > now then
  since = now
  redis.call('SET', KEYS[1], run .. ' ' .. string.format('%.0f', now))
end
local wait = since + ARGV[2] - now
if wait > 0 then return {{0, 0, wait}} end
local holder = redis.call('GET', KEYS[3])
if holder and string.match(holder, '^(.-)%.') ~= ARGV[1] then
  local left = redis.call('PTTL', KEYS[3])
  if left < 0 or left > ARGV[2] * 1 then redis.call('PEXPIRE', KEYS[3], ARGV[2]) end
  return {{0, 0, 0}}
end
local epoch = tonumber(redis.call('GET', KEYS[2]) or 0)
local least = (time[1] - {_BEGINNING}) * {STRIDE * _A_SECOND}
epoch = math.max(epoch, top(KEYS[4]), tonumber(ARGV[3]), least)
epoch = string.format('%.0f', (math.floor(epoch / {STRIDE}) + 1) * {STRIDE})
redis.call('SET', KEYS[2], epoch)
redis.call('SET', KEYS[3], ARGV[1] .. '.' .. epoch, 'PX', ARGV[2])
return {{1, epoch, 0}}
"""

# KEYS: lease, events.  ARGV: slot.epoch, length in ms, epoch.
_RENEW = f"""
{_TOP}
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 1
end
if holder or top(KEYS[2]) > tonumber(ARGV[3]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

# KEYS: events.  ARGV: epoch, the entry.  An error but that of a larger ID is returned as one.
_OPEN = f"""
{_TOP}
local epoch = tonumber(ARGV[1])
local last = top(KEYS[1])
if last == epoch then return 1 end
local id = last < epoch and redis.pcall('XADD', KEYS[1], ARGV[1] .. '-0', 'b', ARGV[2])
local refused = type(id) == 'table' and id.err or ''
if refused ~= '' and not string.find(refused, 'equal or smaller', 1, true) then return id end
return type(id) == 'string' and 1 or 0
"""

# KEYS: epoch.  ARGV: the largest one that is known.
_RAISE = """
if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1])
end
return 1
"""

# KEYS: lease.  ARGV: slot.epoch.
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""


def asked(
    keys: Keys, scope: str, slot: int, length: float, request: Request, opening: bytes
) -> bytes:
    """Return the command for *request* about the lease of *scope*.

    *length*: seconds of a lease; *opening*: the first entry of the tenure.
    """
    lease, events = key_bytes(keys.lease(scope)), key_bytes(keys.events(scope))
    epoch, own = b"%d" % request.epoch, f"{slot_text(slot)}.{request.epoch}".encode()
    span = b"%d" % round(length * 1000)
    if request.kind is Kind.TAKE:
        where = (key_bytes(keys.memory), key_bytes(keys.epoch), lease, events)
        return _eval(_TAKE, where, slot_text(slot).encode(), span, epoch)
    if request.kind is Kind.RENEW:
        return _eval(_RENEW, (lease, events), own, span, epoch)
    if request.kind is Kind.OPEN:
        return _eval(_OPEN, (events,), epoch, opening)
    return _eval(_RELEASE, (lease,), own)


def raised(keys: Keys, epoch: int) -> bytes:
    """Return the command by which no tenure gets an epoch that is not larger than *epoch*.

    A Redis that has lost its data learns so which ones there were, of any server: two servers with
    one epoch would be taken for each other in the ids of events.
    """
    return _eval(_RAISE, (key_bytes(keys.epoch),), b"%d" % epoch)


def _eval(script: str, keys: tuple[bytes, ...], *arguments: bytes) -> bytes:
    return command(b"EVAL", script.encode(), b"%d" % len(keys), *keys, *arguments)


def read_reply(kind: Kind, answer: Any) -> tuple[Reply, float] | None:
    """Return what Redis answered, and how many seconds it refuses to give out leases.

    None: it answered an error, or something that no script returns.
    """
    try:
        if kind is not Kind.TAKE:
            return (Reply(bool(int(answer))), 0.0)
        done, epoch, wait = (int(each) for each in answer)
    except (TypeError, ValueError):
        return None
    return Reply(bool(done), epoch), wait / 1000


def read_holder(value: Any) -> tuple[int, int]:
    """Return slot and epoch of the holder that a lease's *value* names; zeros: nobody."""
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else ""
    slot, _, epoch = text.partition(".")
    if not read_slot(slot) or not epoch.isdecimal() or len(epoch) > 16:
        return 0, 0
    return read_slot(slot), int(epoch)
