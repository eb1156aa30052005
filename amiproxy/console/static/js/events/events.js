// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * The Events tab: what happens, as it happens.
 *
 * What is kept outlives a look at another tab as little as the connection's interest in events
 * does: nobody pays for events that nobody sees.
 */

import { h, say } from "../dom.js";
import { count, number, text, timeOfDay } from "../format.js";
import { details } from "./detail.js";
import { filter, patterns } from "./filter.js";
import { EventsList } from "./list.js";

/** @type {EventsTab | null} */
let tab = null;

/** @param {HTMLElement} section @param {any} app */
export function open(section, app) {
  tab = new EventsTab(section, app);
}

export function close() {
  if (tab) tab.end();
  tab = null;
}

/** @param {any} place */
export function route(place) {
  if (tab) tab.route(place);
}

/** What a single key does here (js/help.js). @type {Record<string, () => void>} */
export const keys = { p: () => tab && tab.toggle() };

class EventsTab {
  /** @param {HTMLElement} section @param {any} app */
  constructor(section, app) {
    this._app = app;
    this._passes = filter({ names: "", server: "", text: "" });
    this._list = new EventsList((line) => this._show(line), () => this._state());
    this._detail = h("div", { class: "events-side" });
    this._told = h("span", { class: "events-told" });
    this._pause = h("button", { type: "button", text: "Pause", "aria-pressed": "false", onclick: () => this.toggle() });
    this._newer = h("button", { type: "button", class: "main newer", onclick: () => this._list.follow() });
    this._form = this._fields();
    section.append(h("h1", { class: "unseen", text: "Events" }), this._form,
      h("div", { class: "events" }, h("div", { class: "events-main" }, this._list.element, this._newer), this._detail));
    this._ends = [
      app.live.on("event", (/** @type {any} */ message) => this._event(message)),
      app.live.on("gap", (/** @type {any} */ gap) => this._gap(gap)),
      app.live.on("hello", () => this._servers()),
    ];
    this._servers();
    this._read();
    this._state();
  }

  end() {
    this._ends.forEach((end) => end());
    this._app.live.unwant(this);
    this._list.clear();
  }

  route() {
    this._read();
  }

  toggle() {
    if (this._list.kept.isStill) this._list.follow();
    else this._list.hold();
  }

  _fields() {
    const field = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string} */ hint) =>
      h("label", null, label, h("input", { type: "search", name, placeholder: hint, autocomplete: "off", spellcheck: "false", autocapitalize: "none" }));
    const form = h("form", { class: "filters", role: "search" },
      field("event", "Events", "Hangup, Dial*"),
      h("label", null, "Server", h("select", { name: "server" }, h("option", { value: "", text: "all" }))),
      field("q", "Text", "number, channel, any header"),
      this._pause, h("button", { type: "button", text: "Clear", onclick: () => { this._list.clear(); this._state(); } }), this._told);
    form.addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
    form.addEventListener("input", () => this._typed());
    form.elements.namedItem("q").dataset.search = "";
    return form;
  }

  /** @param {string} name @returns {any} */
  _field(name) {
    return this._form.elements.namedItem(name);
  }

  _servers() {
    const select = this._field("server");
    const chosen = this._app.router.get("server") || select.value;
    const names = [...new Set([...serverNames(this._app), ...(chosen ? [chosen] : [])])];
    select.replaceChildren(h("option", { value: "", text: "all" }), ...names.map((name) => h("option", { value: name, text: text(name) })));
    select.value = chosen;
  }

  /** Take the filter from the address. */
  _read() {
    for (const name of ["event", "q"]) {
      const wanted = this._app.router.get(name);
      if (this._field(name).value !== wanted) this._field(name).value = wanted;
    }
    this._field("server").value = this._app.router.get("server");
    this._apply();
  }

  _typed() {
    const value = (/** @type {string} */ name) => this._field(name).value;
    this._app.router.change({ event: value("event"), server: value("server"), q: value("q") });
    this._apply();
  }

  _apply() {
    const names = this._field("event").value;
    this._passes = filter({ names, server: this._field("server").value, text: this._field("q").value });
    const wanted = patterns(names);
    // Only what is asked for is sent at all; where the server and the text fit is seen here.
    this._app.live.want(this, { events: wanted.length ? wanted : ["*"] });
  }

  /** @param {any} message */
  _event(message) {
    if (!message.event || !this._passes(message)) return;
    this._list.add({ kind: "event", text: "", message });
    if (this._list.kept.isStill) this._state();
  }

  /** @param {any} gap */
  _gap(gap) {
    this._list.add({ kind: "gap", text: gapText(gap) });
  }

  _state() {
    const { isStill, unseen, length } = this._list.kept;
    const pressed = String(isStill);
    if (this._pause.getAttribute("aria-pressed") !== pressed) this._pause.setAttribute("aria-pressed", pressed);
    this._newer.hidden = !isStill;
    say(this._newer, unseen ? `${count(unseen, "newer event")}: show` : "Follow");
    say(this._told, isStill ? `held still, ${count(length, "event")} kept` : "the newest is below");
  }

  /** @param {import("./list.js").Line | null} line */
  _show(line) {
    if (!line || !line.message) return;
    const app = this._app;
    const user = app.live.me && app.live.me.login_required ? app.live.me.user || "USER" : null;
    const shown = details(line.message, user, app.announce, () => this._hide());
    this._detail.replaceChildren(shown);
    shown.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this._hide();
    });
    shown.querySelector("h2").focus();
  }

  _hide() {
    this._detail.replaceChildren();
    this._list.element.focus();
  }
}

/** Names of the servers that this user may see. @param {any} app @returns {string[]} */
export function serverNames(app) {
  const rows = [...app.store.rows("servers").values()];
  const told = rows.length ? rows : (app.live.hello && app.live.hello.servers) || [];
  return told.map((/** @type {any} */ row) => row.name);
}

const REASONS = /** @type {Record<string, string>} */ ({
  ring: "older than what the proxy keeps",
  server_lost: "the connection to the server was lost",
  slow: "this page did not read fast enough",
  restart: "the proxy was started anew",
  bus: "they have not come from the proxy that is connected",
  filter_change: "the user's rights changed",
});

/** @param {any} gap @returns {string} */
function gapText(gap) {
  const missed = typeof gap.missed === "number" ? `${number(gap.missed)} events are missing` : "Events are missing";
  const from = gap.from ? ` from ${timeOfDay(gap.from)} to ${timeOfDay(gap.to)}` : "";
  return `${missed}${gap.server ? ` of ${text(gap.server)}` : ""}${from}: ${REASONS[gap.reason] || text(gap.reason)}`;
}
