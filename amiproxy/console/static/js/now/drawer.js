// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** All of one call: its legs in time, its way through queue and bridge, its events, what can be done. */
import { copy } from "../copying.js";
import { byId, h, say } from "../dom.js";
import { duration, fullTime, text, timeOfDay } from "../format.js";
import { ask } from "../requests.js";
import { badge } from "../states.js";
import { actionsFor } from "./callactions.js";
import { CallEvents } from "./callevents.js";
import { partyWords } from "./calls.js";
import { Legs } from "./legs.js";

/** Milliseconds between two questions for its channels. */
const PACE = 1000;

export class Drawer {
  /** @param {any} app @param {any} now */
  constructor(app, now) {
    this._app = app;
    this._now = now;
    this.id = "";
    /** @type {any} */
    this._row = null;
    /** @type {any[]} */
    this._channels = [];
    this._timer = 0;
    this._turn = 0;
    this._build();
    this._keys = (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Escape" || !this.id || document.querySelector("dialog[open]")) return;
      if (/** @type {Element} */ (event.target).closest("input[type=search]") && /** @type {any} */ (event.target).value) return;
      event.preventDefault();
      this.hide();
    };
    document.addEventListener("keydown", this._keys);
  }

  _build() {
    const close = h("button", { type: "button", class: "bare icon", "aria-label": "Close", text: "\u00d7", onclick: () => this.hide() });
    this._title = h("h2", { id: "call-title", tabindex: "-1" });
    this._state = badge();
    this._time = h("span", { class: "time" });
    this._facts = h("dl", { class: "facts" });
    this._legs = new Legs(this._app.clock);
    this._events = new CallEvents(this._app);
    this._buttons = h("div", { class: "buttons" });
    this._told = h("p", { class: "told", role: "status" });
    this.element = h("aside", { class: "drawer", "aria-labelledby": "call-title", hidden: true },
      h("header", null, this._title, close),
      h("div", { class: "scroll" },
        h("p", { class: "stateline" }, this._state.element, this._time), this._facts,
        h("h3", { text: "Legs" }), this._legs.element,
        this._buttons, this._told,
        h("h3", { text: "Events" }), this._events.element));
    byId("overlay").append(this.element);
  }

  hide() {
    this._app.router.change({ open: "" });
    const before = this._now.takeFocus();
    if (before && before.isConnected) before.focus({ preventScroll: true });
  }

  route() {
    const id = this._app.router.get("open");
    if (id === this.id) return;
    this._forget();
    this.id = id;
    this.element.hidden = !id;
    document.documentElement.classList.toggle("withdrawer", Boolean(id));
    if (!id) return;
    this._begin();
    this._title.focus();
  }

  _begin() {
    say(this._told, "");
    this._row = this._app.store.get("calls", this.id) || null;
    this._write();
    this._events.begin(this._row ? this._row.server : this.id.split("/")[0]);
    this._look();
  }

  _forget() {
    this._turn += 1;
    window.clearTimeout(this._timer);
    this._timer = 0;
    this._row = null;
    this._channels = [];
    this._events.end();
    this._legs.show([], null);
  }

  /** Ask for the channels of the call: the list of calls does not have them. */
  async _look() {
    this._timer = -1;
    const turn = this._turn;
    const at = this.id.indexOf("/");
    const query = new URLSearchParams({ server: this.id.slice(0, at), call: this.id.slice(at + 1) });
    const { status, doc } = await ask(`v1/state/channels?${query}`);
    if (turn !== this._turn) return;
    if (status === 200 && doc && Array.isArray(doc.rows)) this._channels = doc.rows;
    this._timer = window.setTimeout(() => { this._timer = 0; }, PACE);
    this._write();
  }

  /** @param {string} kind @param {any} changes */
  changed(kind, changes) {
    if (kind !== "calls" || !this.id || !(changes.all || changes.set.has(this.id) || changes.del.has(this.id))) return;
    const row = this._app.store.get("calls", this.id);
    if (row) this._row = row;
    else if (this._row) this._row = { ...this._row, state: "ended", ...(changes.del.get(this.id) || {}) };
    this._write();
    this._again();
  }

  _again() {
    if (this._timer === 0 && this._row && this._row.state !== "ended") this._look();
    else window.setTimeout(() => { if (this.id && this._timer === 0 && this._row && this._row.state !== "ended") this._look(); }, PACE);
  }

  _write() {
    const row = this._row;
    if (!row) {
      say(this._title, "This call is over, or you may not see it.");
      this._state.show("unknown");
      say(this._time, "");
      this._facts.replaceChildren();
      this._buttons.replaceChildren();
      return;
    }
    say(this._title, `${partyWords(row, "from")} \u2192 ${partyWords(row, "to")}`);
    this._state.show(row.state);
    this.element.classList.toggle("ofold", Boolean(row.stale));
    this._facts.replaceChildren(...facts(row, this._channels).flatMap(([name, value, title]) => [
      h("dt", { text: name }), h("dd", { text: value, title })]));
    this._legs.show(this._channels, row);
    this._events.of([this.id.slice(this.id.indexOf("/") + 1), ...(row.legs || []), ...(row.channels || []), ...this._channels.map((each) => each.uniqueid)]);
    const shown = actionsFor(this._app, row, this._channels, (words) => say(this._told, words));
    shown.push(h("button", { type: "button", text: "Copy as JSON", onclick: () => this._copy() }));
    if (this._buttons.childElementCount !== shown.length || !this._buttons.contains(document.activeElement)) this._buttons.replaceChildren(...shown);
    this.second();
  }

  second() {
    if (!this._row) return;
    say(this._time, this._row.state === "ended" ? "" : duration(this._app.age(this._row, this._row.since)));
    this._legs.second();
  }

  async _copy() {
    const told = JSON.stringify({ id: this.id, call: this._row, channels: this._channels, events: this._events.kept }, null, 2);
    if (await copy(told)) say(this._told, "Copied.");
    // Where the browser allows neither way it can be selected.
    else this._app.dialog("Copy as JSON", h("pre", { tabindex: "0", text: told }));
  }

  close() {
    this._forget();
    document.removeEventListener("keydown", this._keys);
    document.documentElement.classList.remove("withdrawer");
    this.element.remove();
  }
}

/** @param {any} row @param {any[]} channels @returns {string[][]} name, value, title */
function facts(row, channels) {
  const found = [["Server", text(row.server), ""], ["Began", timeOfDay(row.started), fullTime(row.started)]];
  if (row.answered) found.push(["Answered", timeOfDay(row.answered), fullTime(row.answered)]);
  if (row.dialled) found.push(["Dialled", text(row.dialled), ""]);
  if (row.queue) found.push(["Queue", text(row.queue), ""]);
  const bridges = [...new Set(channels.map((each) => each.bridge).filter(Boolean))];
  if (bridges.length) found.push(["Bridge", bridges.map(text).join(", "), ""]);
  if (row.application) found.push(["Application", text(row.application), ""]);
  if (row.cause) found.push(["Cause", `${row.cause}${row.text ? ` ${text(row.text)}` : ""}`, ""]);
  if (row.merged_into) found.push(["Became part of", text(row.merged_into), ""]);
  return found;
}
