// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The bar below the top: does what is shown hold, how are the servers, what is missing? */
import { byId, h, mark, say } from "./dom.js";
import { byName, count, duration, fullTime, number, text, timeOfDay } from "./format.js";
import { Spark } from "./spark.js";
import { badge } from "./states.js";

const WAYS = { sse: "by event stream", poll: "by polling", ticket: "", ws: "" };
const KEPT_GAPS = 50;

export class Status {
  /** @param {any} app */
  constructor(app) {
    this._app = app;
    this._badge = badge("connecting");
    this._age = h("span", { class: "quiet", id: "age" });
    this._servers = h("ul", { id: "servers", "aria-label": "Servers" });
    this._gaps = h("button", { class: "bare quiet", type: "button", id: "gaps", hidden: true });
    this._asof = h("div", { class: "asof", hidden: true, id: "asof" });
    /** @type {Map<string, ServerChip>} */
    this._chips = new Map();
    /** @type {any[]} */
    this.gaps = [];
    byId("status").append(this._badge.element, this._age, this._servers, this._gaps);
    byId("status").after(this._asof);
    app.live.on("status", () => this._show());
    app.live.on("gap", (/** @type {any} */ gap) => this._gap(gap));
    app.store.on("servers", () => this._list());
    app.store.on("totals", () => this._list());
    app.clock.on("second", () => this._second());
    this._gaps.addEventListener("click", () => this._showGaps());
    this._show();
    setInterval(() => this._show(), 1000);
  }

  _show() {
    const { live, clock } = this._app;
    const way = /** @type {any} */ (WAYS)[live.way] || "";
    this._badge.show(live.state, live.state === "live" ? way : "");
    const silence = live.silence;
    const age = live.state === "live" && isFinite(silence) ? `${Math.max(0, silence).toFixed(silence < 9.95 ? 1 : 0)} s` : "";
    say(this._age, age);
    mark(this._age, "title", "Since the proxy last said something");
    const old = live.hello !== null && ["lost", "asking"].includes(live.state);
    if (old === this._asof.hidden) this._asof.hidden = !old;
    if (old) this._tellOld(live.state, clock.now());
  }

  /** @param {string} state @param {number} at */
  _tellOld(state, at) {
    if (!this._asof.firstChild) {
      const again = h("button", { type: "button", text: "Try now", onclick: () => this._app.live.retry() });
      this._asof.append(h("span"), again);
    }
    const words = state === "lost" ? "No connection to the proxy" : "Is it still so? Asking the proxy";
    say(this._asof.firstChild, `As of ${timeOfDay(at)}. ${words}.`);
    mark(this._asof.firstChild, "title", fullTime(at));
  }

  _list() {
    const { store } = this._app;
    const rows = store.rows("servers");
    for (const [id, chip] of this._chips) {
      if (rows.has(id)) continue;
      chip.element.remove();
      this._chips.delete(id);
    }
    for (const id of [...rows.keys()].sort(byName)) {
      let chip = this._chips.get(id);
      if (!chip) {
        this._chips.set(id, (chip = new ServerChip(this._app)));
        this._servers.append(chip.element);
      }
      chip.show(rows.get(id), totalsOf(store, id));
    }
  }

  _second() {
    for (const chip of this._chips.values()) chip.second();
  }

  /** @param {any} gap */
  _gap(gap) {
    this.gaps.push({ ...gap, heard: this._app.clock.now() });
    if (this.gaps.length > KEPT_GAPS) this.gaps.shift();
    const last = this.gaps[this.gaps.length - 1];
    this._gaps.hidden = false;
    const missed = typeof last.missed === "number" ? ` (${number(last.missed)})` : "";
    say(this._gaps, `${count(this.gaps.length, "gap")} ${timeOfDay(last.from ?? last.heard, false)}${missed}`);
  }

  _showGaps() {
    const rows = this.gaps.map((gap) => h("li", null,
      `${timeOfDay(gap.from ?? gap.heard)} ${text(gap.server ?? "all servers")}: ${text(gap.reason)}, `
      + (typeof gap.missed === "number" ? count(gap.missed, "event") : "nobody knows how many events")));
    this._app.dialog("Events that are missing", h("ul", { class: "plainlist" }, ...rows));
  }
}

/** @param {any} store @param {string} server */
function totalsOf(store, server) {
  for (const row of store.rows("totals").values()) if (row.server === server) return row;
  return null;
}

/** One server in the bar. */
class ServerChip {
  /** @param {any} app */
  constructor(app) {
    this._app = app;
    /** @type {any} */
    this._row = {};
    this._state = "";
    this._badge = badge();
    this._name = h("strong");
    this._facts = h("span", { class: "facts" });
    this._spark = new Spark();
    this.element = h("li", { class: "server" }, this._name, this._badge.element, this._facts, this._spark.element);
  }

  /** @param {any} row @param {any} totals */
  show(row, totals) {
    this._row = row;
    this._totals = totals;
    say(this._name, text(row.name));
    if (this._state && this._state !== row.state && row.state !== "building") {
      this._app.announce(`${row.name} is ${row.state}`);
    }
    this._state = row.state;
    this._write();
  }

  second() {
    this._spark.add(isUp(this._row) ? this._row.events_per_second : null);
    if (!isUp(this._row)) this._write();
  }

  _write() {
    const row = this._row;
    const up = isUp(row);
    const lost = !up && !["connecting", "stopping"].includes(row.state);
    this._badge.show(row.state, "", lost ? "alarm" : "");
    this.element.classList.toggle("down", !up);
    this._facts.classList.toggle("upfacts", up);
    say(this._facts, up ? upFacts(row, this._totals) : downFacts(row, this._app.clock));
    mark(this.element, "title", [
      row.version && `Asterisk ${text(row.version)}`, row.system_name && text(row.system_name),
      typeof row.ping_seconds === "number" && `ping ${Math.round(row.ping_seconds * 1000)} ms`,
      typeof row.clock_offset === "number" && Math.abs(row.clock_offset) > 1 && `its clock is off by ${row.clock_offset.toFixed(1)} s`,
      row.since && `since ${fullTime(row.since)}`,
    ].filter(Boolean).join("\n"));
  }
}

/** Whether what is shown of a server holds. @param {any} row */
export const isUp = (row) => ["live", "building", "connected"].includes(row.state);

/** @param {any} row @param {any} totals */
function upFacts(row, totals) {
  const parts = [];
  if (row.version) parts.push(text(row.version));
  if (row.state === "building" && row.building) parts.push(`${row.building[0]} of ${row.building[1]} lists`);
  if (totals && typeof totals.calls === "number") parts.push(count(totals.calls, "call"));
  if (typeof row.events_per_second === "number") parts.push(`${number(row.events_per_second)} ev/s`);
  return parts.join(" \u00b7 ");
}

/** @param {any} row @param {any} clock */
function downFacts(row, clock) {
  const parts = [duration(clock.age(row.since))];
  if (row.reason) parts.push(text(row.reason));
  if (row.state === "lost") parts.push(`as of ${timeOfDay(row.since)}`);
  if (typeof row.next_try === "number") {
    const left = Math.ceil(row.next_try - clock.now());
    parts.push(left > 0 ? `next try in ${left} s` : "trying");
  }
  return parts.join(" \u00b7 ");
}
