// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The devices: how many are how; the list itself only for who opens it. */
import { h, say, set } from "../dom.js";
import { emptyWords } from "../empty.js";
import { duration, number, text } from "../format.js";
import { matches, wordsOf } from "../order.js";
import { badge, lookOf } from "../states.js";
import { isUp } from "../status.js";
import { Table } from "../table.js";

const ORDER = ["NOT_INUSE", "INUSE", "BUSY", "RINGING", "RINGINUSE", "ONHOLD", "UNAVAILABLE", "INVALID", "UNKNOWN"];

export class Devices {
  /** @param {any} app */
  constructor(app) {
    this._app = app;
    this._open = false;
    this._sums = h("span", { class: "sums" });
    this._button = h("button", { type: "button", text: "Show", "aria-expanded": "false", onclick: () => this._toggle() });
    this._search = h("input", { type: "search", placeholder: "Search", "aria-label": "Search the devices", autocomplete: "off", spellcheck: "false" });
    this._search.addEventListener("input", () => this._narrow());
    this._box = h("div", { class: "searchbox", hidden: true }, this._search);
    /** @type {Table | null} */
    this.table = null;
    this.element = h("section", { class: "panel devicespart", "aria-labelledby": "devices-title" },
      h("header", null, h("h2", { id: "devices-title", text: "Devices" }), this._sums, this._box, this._button));
  }

  route() {
    const asked = this._app.router.get("devices") === "all";
    if (asked !== this._open) this._set(asked);
  }

  _toggle() {
    this._app.router.change({ devices: this._open ? "" : "all" });
  }

  /** @param {boolean} open */
  _set(open) {
    this._open = open;
    this._box.hidden = !open;
    say(this._button, open ? "Hide" : "Show");
    set(this._button, "aria-expanded", String(open));
    this.element.classList.toggle("isopen", open);
    if (open) {
      this.table = new Table({
        name: "devices", label: "Devices", columns: columns(this._app), sort: { key: "state", down: false }, cards: 0,
        empty: () => emptyWords(this._app, "devices", "devices", this._app.store.rows("devices").size),
      });
      this.element.append(this.table.frame);
      this._app.live.want(this, { state: ["devices"] });
      this.table.update(this._app.store.rows("devices"));
    } else if (this.table) {
      this.table.frame.remove();
      this._leave();
    }
  }

  _leave() {
    if (this.table) this.table.close();
    this.table = null;
    this._app.live.unwant(this);
    this._app.store.forget(["devices"]);
  }

  _narrow() {
    const words = wordsOf(this._search.value);
    if (this.table) this.table.narrow((row) => matches(row, words, texts));
  }

  refresh() { this._tell(); }

  /** @param {string} kind @param {any} changes */
  changed(kind, changes) {
    if (kind === "devices" && this.table) this.table.update(this._app.store.rows("devices"), changes);
    if (kind === "totals" || kind === "servers") this._tell();
  }

  _tell() {
    const { store } = this._app;
    /** @type {Map<string, number>} */
    const sums = new Map();
    const without = [];
    for (const server of store.rows("servers").values()) {
      const totals = [...store.rows("totals").values()].find((row) => row.server === server.name);
      if (!totals || !isUp(server) || totals.stale) {
        without.push(text(server.name));
        continue;
      }
      for (const state of ORDER) {
        const found = totals[`devices_${state.toLowerCase()}`];
        if (typeof found !== "number") continue;
        const word = lookOf(state).word;
        sums.set(word, (sums.get(word) || 0) + found);
      }
    }
    const parts = [...sums].filter(([, n]) => n).map(([word, n]) => `${number(n)} ${word}`);
    if (without.length && sums.size) parts.push(`without ${without.join(", ")}`);
    say(this._sums, parts.join(" \u00b7 ") || (sums.size ? "none" : ""));
  }

  second() {
    if (this.table) this.table.second();
  }

  close() {
    if (this._open) this._leave();
    this._open = false;
  }
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
      by: (/** @type {any} */ row) => `${ORDER.indexOf(row.state) + 1} ${row.device}`,
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
