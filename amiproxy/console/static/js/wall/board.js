// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** One queue on the wall: elements that are made once, and filled whenever something changes. */

import { dress, h, mark, say } from "../dom.js";
import { UNKNOWN, duration, number, text } from "../format.js";
import { lookOf, shape } from "../states.js";
import { nameOf } from "./figures.js";

/** Members, and callers, that a board shows: the rest is counted. */
const MEMBERS = 12;
const CALLERS = 4;

const LOOKS = { alarm: "is-alarm", warn: "is-warn", ok: "", unknown: "is-unknown" };
/** @type {Record<string, "octagon" | "triangle" | "dash">} */
const SIGNS = { alarm: "octagon", warn: "triangle", unknown: "dash" };

/** States whose time says something on a wall. */
const TIMED = new Set(["in_call", "paused", "ringing", "wrap_up"]);

export class BoardView {
  constructor() {
    this._name = h("h2");
    this._server = h("span", { class: "server" });
    this._signs = Object.entries(SIGNS).map(([name, sign]) => h("span", { class: `sign sign-${name}` }, shape(sign)));
    this._waiting = figure("waiting");
    this._longest = figure("longest");
    this._free = figure("free");
    this._level = figure("level %", " 60 min");
    this._figures = h("div", { class: "figures" }, this._waiting.element, this._longest.element, this._free.element, this._level.element);
    this._members = lines("members", MEMBERS);
    this._callers = lines("callers", CALLERS);
    this._note = h("p", { class: "note" });
    this.element = h("section", { class: "board" }, h("header", null, ...this._signs, this._name, this._server),
      this._figures, this._callers.element, this._members.element, this._note);
  }

  /**
   * @param {import("./figures.js").Board} board
   * @param {"ok" | "warn" | "alarm" | "unknown"} standing
   * @param {import("./options.js").Thresholds} limits
   * @param {number} now by the proxy's clock
   * @param {boolean} showsServer
   */
  show(board, standing, limits, now, showsServer) {
    const wait = board.longestSince === null ? null : Math.max(0, now - board.longestSince);
    const waiting = number(board.waiting);
    const longest = board.waiting ? duration(wait) : UNKNOWN;
    say(this._name, text(board.name));
    say(this._server, showsServer && board.server ? text(board.server) : "");
    // There is room for two digits and `2:41`; more is written smaller.
    const more = Math.min(4, waiting.length + longest.length - 6);
    dress(this.element, more > 0 ? `board ${standing} more-${more}` : `board ${standing}`);
    mark(this.element, "aria-label", `${text(board.name)}: ${standing}`);
    const long = wait !== null && wait >= limits.alarm ? "alarm" : wait !== null && wait >= limits.warn ? "warn" : "ok";
    // "~": events are missing in the hour that it is of.
    const level = board.level === null ? UNKNOWN : `${board.complete ? "" : "~"}${Math.round(board.level)}`;
    const low = board.level !== null && board.level < limits.level ? "warn" : "ok";
    this._waiting.show(waiting, board.waiting ? long : "ok");
    this._longest.show(longest, board.waiting ? long : "ok");
    this._free.show(number(board.free), board.free === 0 && board.waiting ? "warn" : "ok");
    this._level.show(level, low);
    this._callers.show(board.callers.map((row) => [`${row.position}. ${text(row.caller_number || row.caller_name)} ${duration(now - row.since)}`, "clock", ""]));
    this._members.show(board.members.map((row) => member(row, now)));
    say(this._note, note(board));
    this._note.hidden = this._note.textContent === "";
  }
}

/** @param {string} label @param {string} [more] where there is room */
function figure(label, more = "") {
  const value = h("b", { text: UNKNOWN });
  const element = h("p", { class: "figure" }, h("span", null, label, more && h("i", { text: more })), value);
  return {
    element,
    /** @param {string} words @param {"ok" | "warn" | "alarm" | "unknown"} standing */
    show(words, standing) {
      say(value, words);
      dress(element, `figure ${LOOKS[standing]}`.trim());
    },
  };
}

/** @param {any} row @param {number} now @returns {[string, string, string]} words, state, class */
function member(row, now) {
  const look = lookOf(row.state);
  const since = TIMED.has(row.state) && typeof row.since === "number" ? ` ${duration(now - row.since)}` : "";
  const reason = row.state === "paused" && row.pause_reason ? ` ${text(row.pause_reason)}` : "";
  return [`${text(nameOf(row))}${reason}${since}`, row.state, `is-${look.look}`];
}

/** A list with a fixed number of places. @param {string} name @param {number} most */
function lines(name, most) {
  const places = Array.from({ length: most }, () => {
    const words = h("span");
    const state = h("span", { class: "unseen" });
    const element = h("li", null, words, state);
    return { element, words, state };
  });
  const more = h("li", { class: "more" });
  const element = h("ul", { class: name, "aria-label": name }, ...places.map((place) => place.element), more);
  return {
    element,
    /** @param {[string, string, string][]} rows */
    show(rows) {
      places.forEach((place, index) => {
        const row = rows[index];
        place.element.hidden = !row;
        if (!row) return;
        say(place.words, row[0]);
        say(place.state, row[2] ? lookOf(row[1]).word : "");
        dress(place.element, row[2] || "caller");
        mark(place.element, "data-state", row[1]);
      });
      more.hidden = rows.length <= most;
      say(more, `and ${rows.length - most} more`);
      element.hidden = rows.length === 0;
    },
  };
}

/** @param {import("./figures.js").Board} board */
function note(board) {
  if (board.missing) return "There is no such queue, or you may not see it.";
  if (board.stale) return `${board.server ? text(board.server) : "The server"} is lost.`;
  return board.without.length ? `without ${board.without.map(text).join(", ")}` : "";
}
