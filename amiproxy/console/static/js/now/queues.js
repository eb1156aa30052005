// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The queues: who waits too long is seen first. */
import { dress, h, mark, say } from "../dom.js";
import { emptyWords } from "../empty.js";
import { count, duration, number, percent, text, timeOfDay, UNKNOWN } from "../format.js";
import { shape } from "../states.js";
import { Table } from "../table.js";

const WARN = 60;
const ALARM = 120;

/** @param {any} app @param {any} row @returns {"" | "warn" | "alarm"} how long who waits longest waits */
function urgency(app, row) {
  const age = row.stale ? null : app.age(row, row.longest_since);
  if (age === null) return "";
  if (age >= limit(app, "alarm", row.queue, ALARM)) return "alarm";
  return age >= limit(app, "warn", row.queue, WARN) ? "warn" : "";
}

/** Seconds of ?warn=, or for this queue of ?warn.support=. @param {any} app @param {string} name
 * @param {string} queue @param {number} usual */
function limit(app, name, queue, usual) {
  const found = Number(app.router.get(`${name}.${queue}`) || app.router.get(name));
  return found > 0 ? found : usual;
}

/** Level of *row* in *window* ("hour", "day"), 0 to 1; null: not known. @param {any} row @param {string} window */
export function levelOf(row, window) {
  const found = row[`${window}_level_percent`];
  return typeof found === "number" ? found / 100 : null;
}

/** @param {any} row @param {string} window */
function levelCount(row, window) {
  const of = ["answered", "hung_up", "timed_out", "other"].map((name) => row[`${window}_${name}`]);
  return of.every((each) => typeof each === "number") ? of.reduce((sum, each) => sum + each, 0) : null;
}

/** How the level comes about, in words. @param {any} row @param {string} window */
export function levelWords(row, window) {
  if (typeof row[`${window}_offered`] !== "number") return "No numbers of this queue are known.";
  // Some may have come before the counting began, and been answered since.
  if (!row[`${window}_offered`] && !levelCount(row, window)) return `no caller since ${timeOfDay(row[`${window}_since`], false)}.`;
  const n = (/** @type {string} */ name) => number(row[`${window}_${name}`]);
  const within = row.level_seconds ? `within ${row.level_seconds} s` : "in time: the queue has no servicelevel";
  const mark_ = row[`${window}_complete`] === false ? " Events are missing in this time." : "";
  return `${n("in_level")} answered ${within}, of ${number(levelCount(row, window))}: ${n("answered")} answered + `
    + `${n("hung_up")} hung up + ${n("timed_out")} timed out + ${n("other")} other, but not ${n("hung_up_short")} hung up at once. `
    + `Since ${timeOfDay(row[`${window}_since`], false)}.${mark_}`;
}

/** @param {any} cell @param {any} value @param {boolean} [zero] whether 0 is nothing to look at */
function figure(cell, value, zero = true) {
  say(cell, number(value));
  cell.classList.toggle("zero", zero && !value);
}

export class Queues {
  /** @param {any} app @param {any} now */
  constructor(app, now) {
    this._app = app;
    this._now = now;
    this._alarms = new Set();
    const asked = app.router.get("queuesort");
    const sort = { key: asked.replace(/^-/, "") || "longest", down: !asked || asked.startsWith("-") };
    this.table = new Table({
      name: "queues", label: "Queues", columns: columns(app), sort, cards: 520,
      onopen: (id) => this.choose(id),
      onsort: ({ key, down }) => app.router.change({ queuesort: `${down ? "-" : ""}${key}` }),
      empty: () => emptyWords(app, "queues", "queues", 0),
    });
    this._count = h("span", { class: "quiet" });
    this.element = h("section", { class: "panel queuespart opens", "aria-labelledby": "queues-title" },
      h("header", null, h("h2", { id: "queues-title", text: "Queues" }), this._count), this.table.frame);
  }

  /** @param {string} id */
  choose(id) {
    this._app.router.change({ chosen: id });
    this._now.details.reveal();
  }

  refresh() { this.changed("queues", { all: true }); }

  /** @param {string} kind @param {any} changes */
  changed(kind, changes) {
    if (kind !== "queues" && kind !== "servers") return;
    const rows = this._app.store.rows("queues");
    this.table.update(rows, kind === "queues" ? changes : { all: false, set: new Set(), del: new Map() });
    this._show();
  }

  _show() {
    const rows = [...this._app.store.rows("queues").values()].filter((row) => !row.stale);
    const waiting = rows.reduce((sum, row) => sum + (row.waiting || 0), 0);
    say(this._count, rows.length ? `${count(rows.length, "queue")}, ${number(waiting)} waiting` : "");
    if (!this._app.router.get("chosen")) this._now.details.show();
  }

  route() {
    this.table.choose(this._now.details.id);
  }

  second() {
    this.table.second();
    for (const [id, row] of this._app.store.rows("queues")) {
      const now = urgency(this._app, row) === "alarm";
      if (now && !this._alarms.has(id)) this._app.announce(`Alarm: queue ${row.queue}, longest wait ${duration(this._app.age(row, row.longest_since))}`);
      if (now) this._alarms.add(id);
      else this._alarms.delete(id);
    }
  }

  close() { this.table.close(); }
}

/** @param {any} app */
function columns(app) {
  const members = (/** @type {string} */ state) => (/** @type {any} */ row) => (row.members ? row[`members_${state}`] : null);
  const one = (/** @type {string} */ key, /** @type {string} */ title, /** @type {(row: any) => any} */ value, more = {}) => ({
    key, title, number: true, down: true, width: "minmax(52px, .5fr)", least: 52, rank: 2,
    by: (/** @type {any} */ row) => value(row) ?? null,
    fill: (/** @type {any} */ cell, /** @type {any} */ row) => figure(cell, value(row)), ...more,
  });
  return [
    {
      key: "queue", title: "Queue", width: "minmax(110px, 2fr)", least: 110, by: (/** @type {any} */ row) => row.queue,
      make: (/** @type {any} */ cell) => cell.append(h("span", { class: "sign" }), h("span", { class: "name" }), h("span", { class: "quiet on" })),
      fill: (/** @type {any} */ cell, /** @type {any} */ row) => {
        say(cell.children[1], text(row.queue));
        // Where there is no room for the column: two servers may have a queue of one name.
        say(cell.lastChild, app.store.rows("servers").size > 1 ? text(row.server) : "");
      },
    },
    {
      key: "server", title: "Server", width: "minmax(60px, .8fr)", least: 60, rank: 6, by: (/** @type {any} */ row) => row.server,
      fill: (/** @type {any} */ cell, /** @type {any} */ row) => say(cell, text(row.server)),
    },
    {
      key: "longest", title: "Longest", number: true, down: true, age: true, width: "84px", least: 84,
      hint: "How long who waits longest has waited",
      // The longest wait is the earliest: so the order holds as time goes.
      by: (/** @type {any} */ row) => (typeof row.longest_since === "number" ? -row.longest_since : null),
      make: (/** @type {any} */ cell) => cell.append(h("span", { class: "wait" }, shape("triangle"), shape("octagon"), h("span"))),
      fill: (/** @type {any} */ cell, /** @type {any} */ row) => {
        const wait = cell.firstChild;
        const level = urgency(app, row);
        dress(wait, level ? `wait is-${level}` : "wait");
        say(wait.lastChild, row.waiting ? duration(app.age(row, row.longest_since)) : UNKNOWN);
        mark(wait, "aria-label", level ? `${level}: ${wait.lastChild.textContent}` : null);
      },
    },
    one("waiting", "Waiting", (row) => row.waiting, { rank: 0, least: 58, width: "minmax(58px, .5fr)" }),
    one("free", "Free", members("free"), { rank: 0, down: false, fill: (/** @type {any} */ cell, /** @type {any} */ row) => {
      figure(cell, members("free")(row), false);
      cell.classList.toggle("bad", Boolean(row.waiting && row.members && !row.members_free));
    } }),
    one("in_call", "In call", members("in_call"), { rank: 3 }),
    one("ringing", "Ringing", members("ringing"), { rank: 5, least: 60 }),
    one("paused", "Paused", members("paused"), { rank: 4, least: 60 }),
    {
      key: "level", title: "Level 60 min", number: true, width: "minmax(104px, .9fr)", least: 104, rank: 1,
      hint: "Service level: how many were answered in time",
      by: (/** @type {any} */ row) => levelOf(row, "hour"),
      fill: (/** @type {any} */ cell, /** @type {any} */ row) => fillLevel(cell, row, "hour"),
    },
    {
      key: "day", title: "Level today", number: true, width: "minmax(96px, .8fr)", least: 96, rank: 7,
      hint: "The same, since midnight", by: (/** @type {any} */ row) => levelOf(row, "day"),
      fill: (/** @type {any} */ cell, /** @type {any} */ row) => fillLevel(cell, row, "day"),
    },
  ];
}

/** @param {any} cell @param {any} row @param {string} window */
function fillLevel(cell, row, window) {
  const level = levelOf(row, window);
  const of = levelCount(row, window);
  const mark_ = row[`${window}_complete`] === false ? " \u2020" : "";
  say(cell, level === null ? UNKNOWN : `${percent(level)} of ${number(of)}${mark_}`);
  mark(cell, "title", levelWords(row, window));
}
