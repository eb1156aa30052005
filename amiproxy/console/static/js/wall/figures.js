// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
// The figures of a wall, made of rows: a function of values.

/** @typedef {import("./options.js").WallOptions} WallOptions */
/** @typedef {Record<string, any>} Row */

/**
 * @typedef {object} Board one queue, as it is shown
 * @property {string} key
 * @property {string} name
 * @property {string} server "" where several are one
 * @property {number | null} waiting
 * @property {number | null} longestSince
 * @property {number | null} free
 * @property {number | null} level percent
 * @property {number | null} levelOf of how many calls
 * @property {boolean} complete whether no event is missing in that hour
 * @property {string[]} without servers whose part is not in it, as they are lost
 * @property {boolean} stale whether nothing of it can be vouched for
 * @property {boolean} missing whether there is no such queue
 * @property {Row[]} members
 * @property {Row[]} callers
 */

/** States in which a member is shown, in this order. */
const ORDER = [
  "in_call", "ringing", "ringing_elsewhere", "busy_elsewhere", "wrap_up", "paused", "free", "offline", "unknown",
];

/**
 * Return the boards of a wall, in the order of its queues, or by name.
 *
 * @param {{queues: Iterable<Row>, members: Iterable<Row>, callers: Iterable<Row>}} rows
 * @param {WallOptions} options
 * @returns {Board[]}
 */
export function boards(rows, options) {
  /** @type {Map<string, Board>} */
  const found = new Map();
  const keyOf = (/** @type {Row} */ row) => (options.sum ? row.queue : `${row.server}/${row.queue}`);
  for (const row of rows.queues) {
    if (!isWanted(row, options)) continue;
    const key = keyOf(row);
    const board = found.get(key);
    if (board) add(board, row);
    else found.set(key, begun(key, row, options.sum));
  }
  for (const row of rows.members) found.get(keyOf(row))?.members.push(row);
  for (const row of rows.callers) found.get(keyOf(row))?.callers.push(row);
  for (const board of found.values()) {
    board.members.sort(byState);
    board.callers.sort((one, other) => one.position - other.position);
  }
  return ordered(found, options);
}

/** @param {Row} row @param {WallOptions} options */
function isWanted(row, options) {
  if (options.servers.length && !options.servers.includes(row.server)) return false;
  return !options.queues.length || options.queues.includes(row.queue);
}

/** @param {string} key @param {Row} row @param {boolean} sum @returns {Board} */
function begun(key, row, sum) {
  const board = nothing(key, row.queue, sum ? "" : row.server);
  add(board, row);
  return board;
}

/** @param {string} key @param {string} name @param {string} server @returns {Board} */
function nothing(key, name, server) {
  return {
    key, name, server, waiting: null, longestSince: null, free: null, level: null, levelOf: null, complete: true,
    without: [], stale: true, missing: false, members: [], callers: [],
  };
}

/** Add the queue of one more server. @param {Board} board @param {Row} row */
function add(board, row) {
  if (row.stale && board.server === "") {
    board.without.push(row.server);
    return;
  }
  board.stale = Boolean(row.stale);
  board.waiting = sum(board.waiting, row.waiting);
  board.free = sum(board.free, row.members ? row.members_free : null);
  if (typeof row.longest_since === "number") {
    board.longestSince = Math.min(board.longestSince ?? Infinity, row.longest_since);
  }
  const { level, of } = levelOf(row);
  if (level === null) return;
  if (row.hour_complete === false) board.complete = false;
  const inLevel = ((board.level ?? 0) * (board.levelOf ?? 0) + level * of) / 100;
  board.levelOf = (board.levelOf ?? 0) + of;
  board.level = board.levelOf ? (100 * inLevel) / board.levelOf : null;
}

/**
 * Return the level of the last hour: answered in time, of all who were not gone at once.
 *
 * @param {Row} row
 * @returns {{level: number | null, of: number}}
 */
export function levelOf(row) {
  const count = (/** @type {string} */ name) => row[`hour_${name}`] ?? 0;
  const of = count("answered") + count("hung_up") - count("hung_up_short") + count("timed_out") + count("other");
  return typeof row.hour_in_level === "number" && of > 0 ? { level: (100 * row.hour_in_level) / of, of } : { level: null, of: 0 };
}

/** @param {number | null} one @param {unknown} other */
function sum(one, other) {
  return typeof other === "number" ? (one ?? 0) + other : one;
}

/** @param {Row} one @param {Row} other */
function byState(one, other) {
  const rank = ORDER.indexOf(one.state) - ORDER.indexOf(other.state);
  return rank || (one.since ?? 0) - (other.since ?? 0) || nameOf(one).localeCompare(nameOf(other), "en");
}

/** @param {Row} member @returns {string} */
export function nameOf(member) {
  return member.name || member.interface || "";
}

/** @param {Map<string, Board>} found @param {WallOptions} options */
function ordered(found, options) {
  const all = [...found.values()];
  if (!options.queues.length) {
    return all.sort((one, other) => one.name.localeCompare(other.name, "en") || one.server.localeCompare(other.server));
  }
  // One that was asked for and is not there has its place nevertheless, and says so.
  return options.queues.flatMap((queue) => {
    const own = all.filter((board) => board.name === queue);
    return own.length ? own : [{ ...nothing(queue, queue, ""), stale: false, missing: true }];
  });
}

/**
 * Return how a board stands: "alarm", "warn", "ok", or "unknown".
 *
 * @param {Board} board
 * @param {import("./options.js").Thresholds} limits
 * @param {number} now by the proxy's clock
 */
export function standing(board, limits, now) {
  if (board.stale || board.missing) return "unknown";
  const wait = board.longestSince === null ? 0 : now - board.longestSince;
  if (wait >= limits.alarm) return "alarm";
  if (wait >= limits.warn || (board.level !== null && board.level < limits.level)) return "warn";
  return "ok";
}
