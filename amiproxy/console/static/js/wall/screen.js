// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** What is on the wall: up to twelve boards, then the next page, and whether it all holds. */

import { byId, dress, h, mark, say } from "../dom.js";
import { count, timeOfDay } from "../format.js";
import { lookOf } from "../states.js";
import { BoardView } from "./board.js";
import { boards, standing } from "./figures.js";
import { digitOf, layout } from "./layout.js";

const MOST = 12;
/** Seconds that a page stays. */
const TURN = 15;

/** Words for each state of the connection but `live`. @type {Record<string, string>} */
const BANDS = {
  connecting: "Connecting",
  reconnecting: "Reconnecting",
  lost: "No connection: trying again",
  asking: "Checking the connection",
  login: "Not logged in",
};

/** @typedef {{options: import("./options.js").WallOptions, clock: any, live: any, store: any, announcer: any, sound: any}} Parts */

export class Screen {
  /** @param {Parts} parts */
  constructor(parts) {
    this._parts = parts;
    /** @type {BoardView[]} made when first needed, and kept */
    this._views = [];
    /** Queues whose alarm was told; those that are gone are taken out. @type {Set<string>} */
    this._alarms = new Set();
    this._page = 0;
    this._turned = performance.now();
    this._why = "";
    this._laid = "";
    this._empty = h("p", { class: "nothing" });
    byId("boards").before(this._empty);
    say(byId("title"), parts.options.title || parts.options.queues.join(", ") || "Queues");
    document.title = `${parts.options.title || parts.options.queues.join(", ") || "Wall"} – astmanproxy`;
    const draw = () => this.draw();
    for (const kind of ["queues", "members", "callers", "servers"]) parts.store.on(kind, () => { this._changed = true; });
    parts.store.on("drawn", draw);
    parts.clock.on("second", draw);
    parts.live.on("status", draw);
    window.addEventListener("resize", draw);
    /** @type {import("./figures.js").Board[]} */
    this._boards = [];
    this._changed = true;
    // The clock stands still while the connection is lost; the band, the time of day do not.
    window.setInterval(() => this._head(), 1000);
    this.draw();
  }

  draw() {
    const { options, store, live, clock } = this._parts;
    if (this._changed) {
      const rows = (/** @type {string} */ kind) => store.rows(kind).values();
      this._boards = boards({ queues: rows("queues"), members: rows("members"), callers: rows("callers") }, options);
      this._changed = false;
    }
    const known = store.known.has("queues");
    const shown = known ? this._onPage() : [];
    while (this._views.length < shown.length) {
      const view = new BoardView();
      this._views.push(view);
      byId("boards").append(view.element);
    }
    const now = clock.now();
    const several = new Set(this._boards.map((board) => board.server)).size > 1;
    this._views.forEach((view, index) => {
      const board = shown[index];
      view.element.hidden = !board;
      if (!board) return;
      const limits = options.thresholds(board.name);
      view.show(board, standing(board, limits, now), limits, now, several);
    });
    this._lay(shown.length);
    this._alarm(live.isLive ? now : NaN);
    this._head();
    say(this._empty, this._nothing(known));
    this._empty.hidden = shown.length > 0 && !this._why;
  }

  /** The boards of the page whose turn it is. */
  _onPage() {
    const pages = Math.max(1, Math.ceil(this._boards.length / MOST));
    if (performance.now() - this._turned >= TURN * 1000) {
      this._turned = performance.now();
      this._page += 1;
    }
    this._page %= pages;
    say(byId("page"), pages > 1 ? `${this._page + 1} of ${pages}` : "");
    return this._boards.slice(this._page * MOST, (this._page + 1) * MOST);
  }

  /** @param {number} shown */
  _lay(shown) {
    const place = byId("boards");
    const { innerWidth: width, innerHeight: height } = window;
    const told = `${shown} ${width} ${height}`;
    if (told === this._laid) return;
    this._laid = told;
    const { columns, rows, way, members, size } = layout(Math.max(1, shown), width, height, digitOf(place), this._parts.options.numbers);
    dress(place, members ? way : `${way} bare`);
    place.style.setProperty("--columns", String(columns));
    place.style.setProperty("--rows", String(rows));
    place.style.setProperty("--size", `${size}px`);
  }

  /** Tell of alarms that begin. @param {number} now NaN: nobody knows */
  _alarm(now) {
    if (Number.isNaN(now)) return;
    const { options, announcer, sound } = this._parts;
    const present = new Set();
    for (const board of this._boards) {
      if (standing(board, options.thresholds(board.name), now) !== "alarm") continue;
      present.add(board.key);
      if (this._alarms.has(board.key)) continue;
      announcer.say(`Alarm: ${board.name}, ${count(board.waiting ?? 0, "caller")} waiting.`);
      sound.alarm();
    }
    this._alarms = present;
  }

  _head() {
    const { live, clock } = this._parts;
    const { state } = live;
    document.documentElement.dataset.live = state;
    say(byId("time"), timeOfDay(Date.now() / 1000, false));
    say(byId("state"), state === "live" ? "live" : lookOf(state).word);
    mark(byId("state"), "data-state", state);
    const band = byId("band");
    band.hidden = state === "live" || (state === "connecting" && !this._why);
    const asOf = live.hello ? ` – as of ${timeOfDay(clock.now())}` : "";
    say(band, `${this._why || BANDS[state] || state}${asOf}`);
    if (state === "live") this._why = "";
  }

  /** Say why nobody is logged in, and what to do. @param {string} why */
  explain(why) {
    this._why = why || "This wall is not logged in";
    this.draw();
  }

  /** @param {boolean} known */
  _nothing(known) {
    const { live } = this._parts;
    if (this._why) {
      const here = `${location.host}${location.pathname}`;
      return `Open ${here}#token=TOKEN here, or log in at ${location.host}${location.pathname.replace(/wall\/?$/, "")} in this browser: the wall goes on by itself.`;
    }
    if (!known) return live.state === "live" ? "Reading the queues." : "";
    return "No queues.";
  }
}
