// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The devices: how many are how; the list itself only for who opens it. */
import { h, say, set } from "../dom.js";
import { number, text } from "../format.js";
import { DEVICE_STATES, lookOf } from "../states.js";
import { isUp } from "../status.js";

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
    /** @type {import("../table.js").Table | null} */
    this.table = null;
    /** @type {(table: any, search: string) => void} */
    this._narrowBy = () => {};
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
    if (open) this._load();
    else this._leave();
  }

  async _load() {
    const { deviceTable, narrowDevices } = await import("./devicetable.js");
    if (!this._open || this.table) return;
    this._narrowBy = narrowDevices;
    const table = deviceTable(this._app);
    this.table = table;
    this.element.append(table.frame);
    this._app.live.want(this, { state: ["devices"] });
    table.update(this._app.store.rows("devices"));
    this._narrow();
  }

  _leave() {
    if (this.table) {
      this.table.close();
      this.table.frame.remove();
    }
    this.table = null;
    this._app.live.unwant(this);
    this._app.store.forget(["devices"]);
  }

  _narrow() {
    if (this.table) this._narrowBy(this.table, this._search.value);
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
      for (const state of DEVICE_STATES) {
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
