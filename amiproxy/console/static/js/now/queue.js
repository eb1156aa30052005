// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The queue that was chosen: its members, who waits in it, and how its level comes about. */
import { dress, h, mark, say } from "../dom.js";
import { count, duration, fullTime, text } from "../format.js";
import { badge } from "../states.js";
import { Tiles } from "./tiles.js";
import { levelWords } from "./queues.js";

/** Members in this order, each state by its time. */
const ORDER = ["ringing", "in_call", "wrap_up", "free", "ringing_elsewhere", "busy_elsewhere", "paused", "offline", "unknown"];

export class QueueDetails {
  /** @param {any} app @param {any} now */
  constructor(app, now) {
    this._app = app;
    this._now = now;
    this.id = "";
    this._title = h("h2", { id: "queue-title", text: "Members" });
    this._count = h("span", { class: "quiet" });
    this._none = h("p", { class: "empty" });
    this._members = new Tiles({ class: "members", label: "Members", make: () => memberTile(app) });
    this._callersTitle = h("h3", { text: "Waiting" });
    this._callers = new Tiles({ class: "callers", label: "Waiting", make: () => callerTile(app, (row) => this._open(row)) });
    this._level = h("p", { class: "quiet level" });
    this.element = h("section", { class: "panel detailspart", "aria-labelledby": "queue-title" },
      h("header", null, this._title, this._count),
      h("div", { class: "scroll" }, this._none, this._callersTitle, this._callers.element, this._members.element, this._level));
    this._plan = 0;
  }

  /** On a phone the members are on another page. */
  reveal() {
    const { router } = this._app;
    if (!matchMedia("(max-width: 639px)").matches) return;
    router.go(`#/now/people?${router.place.params}`);
  }

  /** The queue that is chosen, else the one that waits longest. @returns {[string, any] | null} */
  _chosen() {
    const queues = this._app.store.rows("queues");
    const asked = this._app.router.get("chosen");
    if (asked) return queues.has(asked) ? [asked, queues.get(asked)] : null;
    if (queues.has(this.id)) return [this.id, queues.get(this.id)];
    const first = this._now.queues.table.order[0];
    return first !== undefined && queues.has(first) ? [first, queues.get(first)] : null;
  }

  route() { this.show(); }

  refresh() { this.show(); }

  /** @param {string} kind */
  changed(kind) {
    // Four times a second is enough for people, however much happens.
    if (!["members", "callers", "queues"].includes(kind) || this._plan) return;
    this._plan = window.setTimeout(() => {
      this._plan = 0;
      this.show();
    }, 200);
  }

  show() {
    const chosen = this._chosen();
    this.id = chosen ? chosen[0] : "";
    this._now.queues.table.choose(this.id);
    const queue = chosen ? chosen[1] : null;
    say(this._title, queue ? `${text(queue.queue)}` : "Members");
    const of = (/** @type {string} */ kind) => (queue ? [...this._app.store.rows(kind)].filter(
      ([, row]) => row.queue === queue.queue && row.server === queue.server) : []);
    const members = of("members").sort(([, a], [, b]) => rank(a) - rank(b) || (a.since ?? 0) - (b.since ?? 0));
    const callers = of("callers").sort(([, a], [, b]) => a.position - b.position);
    say(this._count, queue ? `${text(queue.server)} \u00b7 ${count(members.length, "member")}` : "");
    this._members.show(members);
    this._callers.show(callers);
    this._callersTitle.hidden = !callers.length;
    this._none.hidden = members.length > 0;
    say(this._none, queue ? "No members." : "Choose a queue to see who is in it.");
    this._level.hidden = !queue || typeof queue.hour_offered !== "number";
    if (queue) say(this._level, `Service level, last 60 minutes: ${levelWords(queue, "hour")}`);
    this.element.classList.toggle("stale", Boolean(queue && queue.stale));
  }

  /** @param {any} row of a caller */
  _open(row) {
    for (const [id, call] of this._app.store.rows("calls")) {
      if (call.server === row.server && (call.legs || []).includes(row.uniqueid)) this._now.show(id);
    }
  }

  second() {
    // Rows may come long before the table has put them in order.
    if (!this.id) this.show();
    this._members.second();
    this._callers.second();
  }

  close() { window.clearTimeout(this._plan); }
}

/** @param {any} row */
function rank(row) {
  const found = ORDER.indexOf(row.state);
  return found < 0 ? ORDER.length : found;
}

/** What a member does, behind the word of the state. @param {any} row */
function memberWords(row) {
  const peer = row.in_call_with || row.ringing_for;
  if (row.state === "in_call" || row.state === "ringing") {
    const who = row.caller_name || row.caller_number || peer;
    return who ? text(who) : "";
  }
  return row.paused && row.pause_reason ? text(row.pause_reason) : "";
}

/** @param {any} app */
export function memberTile(app) {
  const name = h("strong", { class: "name" });
  const state = badge();
  const time = h("span", { class: "time number" });
  const more = h("span", { class: "quiet words" });
  const element = h("li", { class: "tile" }, name, time, state.element, more);
  return {
    element,
    /** @param {string} _id @param {any} row */
    show(_id, row) {
      say(name, text(row.name || row.interface));
      state.show(row.state);
      const since = row.state === "paused" ? row.paused_since ?? row.since : row.since;
      let words = memberWords(row);
      if (row.paused && row.state !== "paused") words = `paused too${words ? ` \u00b7 ${words}` : ""}`;
      const left = row.state === "wrap_up" && row.wrap_up_seconds ? row.wrap_up_seconds - (app.age(row, row.since) ?? 0) : null;
      if (left !== null) words = `${duration(left)} left`;
      say(time, duration(app.age(row, since)));
      say(more, words);
      dress(element, row.stale ? "tile stale" : "tile");
      mark(element, "title", [text(row.interface), row.channel && text(row.channel), since && `since ${fullTime(since)}`].filter(Boolean).join("\n"));
    },
  };
}

/** @param {any} app @param {(row: any) => void} open */
function callerTile(app, open) {
  /** @type {any} */
  let known = {};
  const position = h("span", { class: "position number" });
  const who = h("span", { class: "name" });
  const time = h("span", { class: "time number" });
  const button = h("button", { type: "button", class: "bare callerline", onclick: () => open(known) }, position, who, time);
  const element = h("li", null, button);
  return {
    element,
    /** @param {string} _id @param {any} row */
    show(_id, row) {
      known = row;
      say(position, `${row.position}`);
      say(who, [row.caller_number, row.caller_name].filter(Boolean).map(text).join(" ") || text(null));
      say(time, duration(app.age(row, row.since)));
      dress(element, row.stale ? "stale" : "");
    },
  };
}
