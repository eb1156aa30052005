// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The calls: who with whom, what they do, for how long. */
import { h, mark, say, set } from "../dom.js";
import { emptyWords } from "../empty.js";
import { duration, fullTime, number, text, timeOfDay } from "../format.js";
import { matches, wordsOf } from "../order.js";
import { badge, lookOf } from "../states.js";
import { Table } from "../table.js";

/** Filters: what is shown. */
const SHOWN = [
  { name: "", title: "All", states: null },
  { name: "waiting", title: "Waiting", states: ["waiting"] },
  { name: "ringing", title: "Ringing", states: ["ringing", "dialling"] },
  { name: "talking", title: "Talking", states: ["talking", "conference"] },
  { name: "hold", title: "Hold", states: ["hold", "parked"] },
];

/** One end of a call, as one text. @param {any} row @param {"from" | "to"} end */
export function partyWords(row, end) {
  const [bold, more] = party(row, end);
  return more ? `${bold} ${more}` : bold;
}

/** Number and name of one end. @param {any} row @param {"from" | "to"} end @returns {[string, string]} */
function party(row, end) {
  if (end === "to" && row.ringing > 1) return [`${row.ringing} phones`, row.dialled ? text(row.dialled) : ""];
  const told = row[`${end}_number`];
  const name = row[`${end}_name`];
  const device = row[`${end}_device`];
  if (told === null && name === null) return [text(device), ""];
  return [text(told ?? name), told !== null && name !== null && name !== told ? text(name) : ""];
}

/** What a search looks at: the visible columns. @param {any} row */
function texts(row) {
  return [row.from_number, row.from_name, row.from_device, row.to_number, row.to_name, row.to_device,
    lookOf(row.state).word, row.state, row.queue, row.server, row.dialled, row.application, row.bridge];
}

export class Calls {
  /** @param {any} app @param {any} now */
  constructor(app, now) {
    this._app = app;
    this._now = now;
    const asked = app.router.get("sort");
    this.table = new Table({
      name: "calls", label: "Calls", columns: columns(app), cards: 560,
      sort: { key: asked.replace(/^-/, "") || "started", down: !asked || asked.startsWith("-") },
      onopen: (id) => now.show(id),
      onsort: ({ key, down }) => app.router.change({ sort: `${down ? "-" : ""}${key}` }),
      dress: (row) => (row.state === "ended" ? "ended" : ""),
      empty: () => emptyWords(app, "calls", "calls", this._all()),
    });
    this._count = h("span", { class: "quiet", id: "calls-count" });
    this._search = h("input", { type: "search", id: "search", placeholder: "Search", "aria-label": "Search the calls", autocomplete: "off", spellcheck: "false", value: app.router.get("q") });
    this._search.addEventListener("input", () => app.router.change({ q: this._search.value }));
    this._buttons = SHOWN.map(({ name, title }) => h("button", { type: "button", text: title, onclick: () => app.router.change({ show: name }) }));
    this.element = h("section", { class: "panel callspart opens", "aria-labelledby": "calls-title" },
      h("header", null, h("h2", { id: "calls-title", text: "Calls" }), this._count,
        h("div", { class: "choices", role: "group", "aria-label": "Which calls" }, ...this._buttons),
        h("div", { class: "searchbox" }, this._search)), this.table.frame);
    this._asked = "";
  }

  route() {
    const { router } = this._app;
    const q = router.get("q");
    const show = router.get("show");
    if (document.activeElement !== this._search) this._search.value = q;
    this._buttons.forEach((button, index) => set(button, "aria-pressed", String(SHOWN[index].name === show)));
    if (this._asked === `${show}\n${q}`) return;
    this._asked = `${show}\n${q}`;
    const states = (SHOWN.find((each) => each.name === show) || SHOWN[0]).states;
    const words = wordsOf(q);
    this.table.narrow((row) => (!states || states.includes(row.state)) && matches(row, words, texts));
    this._tell();
  }

  refresh() { this.changed("calls", { all: true }); }

  /** @param {string} kind @param {any} changes */
  changed(kind, changes) {
    if (kind !== "calls" && kind !== "servers") return;
    this.table.update(this._app.store.rows("calls"), kind === "calls" ? changes : { all: false, set: new Set(), del: new Map() });
    this._tell();
  }

  _all() { return this._app.store.rows("calls").size; }

  _tell() {
    let all = 0;
    const without = new Set();
    for (const row of this._app.store.rows("calls").values()) {
      if (row.stale) without.add(row.server);
      else if (row.state !== "ended") all += 1;
    }
    const shown = this._asked.trim() ? `${number(this.table.total)} of ${number(all)}` : number(all);
    say(this._count, `${shown}${without.size ? `, without ${[...without].map(text).join(", ")}` : ""}`);
  }

  second() {
    this.table.second();
    this._tell();
  }

  close() { this.table.close(); }
}

/** @param {"from" | "to"} end @param {string} title */
function partyColumn(end, title) {
  return {
    key: end, title, width: "minmax(140px, 2fr)", least: 140,
    by: (/** @type {any} */ row) => row[`${end}_number`] ?? row[`${end}_name`] ?? row[`${end}_device`],
    make: (/** @type {any} */ cell) => cell.append(h("span", { class: "who" }), h("span", { class: "quiet more" })),
    fill: (/** @type {any} */ cell, /** @type {any} */ row) => {
      const [who, more] = party(row, end);
      say(cell.firstChild, who);
      say(cell.lastChild, more);
      mark(cell, "title", text(row[`${end}_device`]));
    },
  };
}

/** Why a call has ended, instead of "ended". @type {Record<number, string>} */
const CAUSES = { 17: "busy", 18: "no answer", 19: "no answer", 21: "rejected", 26: "answered elsewhere" };

/** @param {any} row */
function stateWords(row) {
  if (row.state === "ended" && row.cause && row.cause !== 16 && !CAUSES[row.cause]) return String(row.cause);
  return row.state === "ringing" && row.ringing > 1 ? `(${row.ringing})` : "";
}

/** What stands instead of the state's word. @param {any} row */
function instead(row) {
  if (row.state === "ended") return CAUSES[row.cause] || "";
  return row.state === "application" && row.application ? text(row.application) : "";
}

/** @param {any} app */
function columns(app) {
  /** @type {WeakMap<any, any>} */
  const badges = new WeakMap();
  return [
    partyColumn("from", "From"), partyColumn("to", "To"),
    {
      key: "state", title: "State", width: "minmax(116px, .8fr)", least: 116, by: (/** @type {any} */ row) => row.state,
      make: (/** @type {any} */ cell) => {
        const made = badge();
        badges.set(cell, made);
        cell.append(made.element);
      },
      fill: (/** @type {any} */ cell, /** @type {any} */ row) => badges.get(cell).show(row.state, stateWords(row), "", instead(row)),
    },
    {
      key: "time", title: "For", number: true, age: true, width: "72px", least: 72, down: true, hint: "How long it has been so",
      by: (/** @type {any} */ row) => (typeof row.since === "number" ? -row.since : null),
      fill: (/** @type {any} */ cell, /** @type {any} */ row) => {
        say(cell, duration(app.age(row, row.since)));
        mark(cell, "title", typeof row.started === "number" ? `Began ${fullTime(row.started)}` : null);
      },
    },
    {
      key: "queue", title: "Queue", width: "minmax(70px, 1fr)", least: 70, rank: 1, by: (/** @type {any} */ row) => row.queue,
      fill: (/** @type {any} */ cell, /** @type {any} */ row) => say(cell, row.queue ? text(row.queue) : ""),
    },
    {
      key: "started", title: "Began", number: true, width: "76px", least: 76, rank: 3, down: true, by: (/** @type {any} */ row) => row.started,
      fill: (/** @type {any} */ cell, /** @type {any} */ row) => say(cell, timeOfDay(row.started)),
    },
    {
      key: "bridge", title: "Bridge", width: "minmax(70px, .7fr)", least: 70, rank: 5, by: (/** @type {any} */ row) => row.bridge,
      fill: (/** @type {any} */ cell, /** @type {any} */ row) => {
        say(cell, row.bridge ? text(row.bridge).slice(0, 8) : "");
        mark(cell, "title", row.bridge ? text(row.bridge) : null);
      },
    },
    {
      key: "server", title: "Server", width: "minmax(56px, .7fr)", least: 56, rank: 4, by: (/** @type {any} */ row) => row.server,
      fill: (/** @type {any} */ cell, /** @type {any} */ row) => say(cell, text(row.server)),
    },
  ];
}
