// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The list of devices, loaded when somebody opens it. */
import { say } from "../dom.js";
import { emptyWords } from "../empty.js";
import { duration, text } from "../format.js";
import { matches, wordsOf } from "../order.js";
import { badge, lookOf, DEVICE_STATES } from "../states.js";
import { Table } from "../table.js";

/** @param {any} app */
export function deviceTable(app) {
  return new Table({
    name: "devices", label: "Devices", columns: columns(app), sort: { key: "state", down: false }, cards: 0,
    empty: () => emptyWords(app, "devices", "devices", app.store.rows("devices").size),
  });
}

/** @param {Table} table @param {string} search */
export function narrowDevices(table, search) {
  const words = wordsOf(search);
  table.narrow((row) => matches(row, words, texts));
}

/** @param {any} row */
const texts = (row) => [row.device, row.state, lookOf(row.state).word, row.server, row.presence, row.presence_message, ...(row.extensions || [])];

/** @param {any} app */
function columns(app) {
  /** @type {WeakMap<any, any>} */
  const badges = new WeakMap();
  const plain = (/** @type {string} */ key, /** @type {string} */ title, /** @type {(row: any) => string} */ value, more = {}) => ({
    key, title, width: "minmax(80px, 1fr)", least: 80, rank: 2, by: (/** @type {any} */ row) => value(row) || null,
    fill: (/** @type {any} */ cell, /** @type {any} */ row) => say(cell, value(row)), ...more,
  });
  return [
    plain("device", "Device", (row) => text(row.device), { width: "minmax(120px, 1.6fr)", least: 120, rank: 0 }),
    {
      key: "state", title: "State", width: "minmax(110px, 1fr)", least: 110,
      by: (/** @type {any} */ row) => `${DEVICE_STATES.indexOf(row.state) + 1} ${row.device}`,
      make: (/** @type {any} */ cell) => {
        const made = badge();
        badges.set(cell, made);
        cell.append(made.element);
      },
      fill: (/** @type {any} */ cell, /** @type {any} */ row) => badges.get(cell).show(row.state),
    },
    {
      key: "time", title: "For", number: true, age: true, down: true, width: "80px", least: 80, rank: 1,
      by: (/** @type {any} */ row) => (typeof row.since === "number" ? -row.since : null),
      fill: (/** @type {any} */ cell, /** @type {any} */ row) => say(cell, duration(app.age(row, row.since))),
    },
    plain("extensions", "Extensions", (row) => (row.extensions || []).map(text).join(", ")),
    plain("presence", "Presence", (row) => [row.presence, row.presence_message].filter(Boolean).map(text).join(": "), { rank: 3 }),
    plain("server", "Server", (row) => text(row.server), { rank: 4, width: "minmax(60px, .6fr)", least: 60 }),
  ];
}
