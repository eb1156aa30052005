// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * The states of things: each has a word, a shape and a colour, so that none of these is needed.
 * The model's words are on the left; what it does not know is shown as unknown.
 */
import { dress, h, mark, say, svg } from "./dom.js";

/** Shapes in 12 x 12; filled ones by `fill`. */
const SHAPES = {
  dot: "M6 3a3 3 0 1 0 0 6a3 3 0 1 0 0-6z",
  bell: "M6 1.5a3 3 0 0 1 3 3c0 3 1.2 3.8 1.2 3.8H1.8S3 7.5 3 4.5a3 3 0 0 1 3-3zM5 10.5h2",
  play: "M3 1.8 10 6 3 10.2z",
  bars: "M4 2v8M8 2v8",
  pause: "M6 1a5 5 0 1 0 0 10a5 5 0 1 0 0-10zM4.7 4.3v3.4M7.3 4.3v3.4",
  pen: "M2 10l.6-2.4L8.5 1.7l1.8 1.8L4.4 9.4zM7 3.2l1.8 1.8",
  park: "M3 11V1.5h3.5a2.7 2.7 0 0 1 0 5.4H3",
  clock: "M6 1a5 5 0 1 0 0 10a5 5 0 1 0 0-10zM6 3.2V6l2 1.4",
  arrow: "M2.5 9.5l7-7M4.5 2.5h5v5",
  group: "M2 4.5a1.3 1.3 0 1 0 2.6 0a1.3 1.3 0 1 0-2.6 0M7.4 4.5a1.3 1.3 0 1 0 2.6 0a1.3 1.3 0 1 0-2.6 0M4.7 8.5a1.3 1.3 0 1 0 2.6 0a1.3 1.3 0 1 0-2.6 0",
  keys: "M2 2.5h.01M6 2.5h.01M10 2.5h.01M2 6h.01M6 6h.01M10 6h.01M2 9.5h.01M6 9.5h.01M10 9.5h.01",
  triangle: "M6 1.3 11 10.3H1zM6 4.8v2.4M6 8.9v.01",
  octagon: "M4 1h4l3 3v4l-3 3H4L1 8V4zM6 3.5v3M6 8.6v.01",
  dash: "M2.5 6h7",
  cross: "M2.5 2.5l7 7M9.5 2.5l-7 7",
  tick: "M2 6.5l2.8 2.8L10 3.2",
  half: "M6 1a5 5 0 1 0 0 10a5 5 0 1 0 0-10zM6 1v10",
};

/** @typedef {{word: string, look: string, shape: keyof typeof SHAPES}} Look */

/** @param {string} word @param {string} look @param {keyof typeof SHAPES} shape @returns {Look} */
const is = (word, look, shape) => ({ word, look, shape });

/** @type {Record<string, Look>} */
export const LOOKS = {
  // our connection
  connecting: is("connecting", "unknown", "half"),
  live: is("live", "talk", "tick"),
  reconnecting: is("reconnecting", "warn", "triangle"),
  lost: is("lost", "alarm", "octagon"),
  asking: is("checking", "unknown", "half"),
  login: is("not logged in", "unknown", "dash"),
  // servers
  building: is("reading", "ring", "half"),
  connected: is("connected, no state", "unknown", "half"),
  stale: is("stale", "unknown", "dash"),
  given_up: is("given up", "alarm", "octagon"),
  stopping: is("stopping", "warn", "triangle"),
  // calls
  waiting: is("waiting", "ring", "clock"),
  ringing: is("ringing", "ring", "bell"),
  dialling: is("dialling", "ring", "arrow"),
  talking: is("talking", "talk", "play"),
  conference: is("conference", "talk", "group"),
  hold: is("on hold", "hold", "bars"),
  parked: is("parked", "hold", "park"),
  application: is("application", "free", "keys"),
  ended: is("ended", "unknown", "cross"),
  // members
  free: is("free", "free", "dot"),
  in_call: is("in call", "talk", "play"),
  paused: is("paused", "hold", "pause"),
  wrap_up: is("wrap-up", "hold", "pen"),
  ringing_elsewhere: is("rings elsewhere", "ring", "bell"),
  busy_elsewhere: is("busy elsewhere", "talk", "arrow"),
  offline: is("offline", "unknown", "dash"),
  unknown: is("unknown", "unknown", "dash"),
  // devices
  not_inuse: is("free", "free", "dot"),
  inuse: is("in use", "talk", "play"),
  busy: is("busy", "talk", "play"),
  ringinuse: is("in use, rings", "ring", "bell"),
  onhold: is("on hold", "hold", "bars"),
  unavailable: is("offline", "unknown", "dash"),
  invalid: is("invalid", "unknown", "cross"),
  // levels
  warning: is("warning", "warn", "triangle"),
  alarm: is("alarm", "alarm", "octagon"),
};

/** The states of devices, in the order in which they are listed. */
export const DEVICE_STATES = ["NOT_INUSE", "INUSE", "BUSY", "RINGING", "RINGINUSE", "ONHOLD", "UNAVAILABLE", "INVALID", "UNKNOWN"];

/** How *state* looks; one that is not known here keeps its own word. @param {any} state @returns {Look} */
export function lookOf(state) {
  if (typeof state !== "string" || !state) return LOOKS.unknown;
  const name = state.toLowerCase().replace(/[ -]/g, "_");
  return Object.hasOwn(LOOKS, name) ? LOOKS[name] : is(state.slice(0, 30), "unknown", "dash");
}

/** The word of a channel's state: Asterisk's own, in small letters. @param {any} state */
export const channelWord = (state) => (typeof state === "string" && state ? state.toLowerCase().slice(0, 30) : "unknown");

/** A shape by its name, for beside a text. @param {keyof typeof SHAPES} name @returns {any} */
export function shape(name) {
  const path = svg("path", { d: SHAPES[name] });
  return svg("svg", { viewBox: "0 0 12 12", class: "shape", "aria-hidden": "true" }, path);
}

/**
 * A badge: make it once, `show` it as often as the state changes.
 * @param {any} [state] @param {string} [more]
 */
export function badge(state = "unknown", more = "") {
  const path = svg("path", { d: SHAPES.dash });
  const word = h("span");
  const element = h("span", { class: "badge" },
    svg("svg", { viewBox: "0 0 12 12", "aria-hidden": "true" }, path), word);
  const made = {
    element,
    /** @param {any} to @param {string} [words] behind the state's word @param {string} [look]
     * @param {string} [instead] of the state's word */
    show(to, words = "", look = "", instead = "") {
      const found = lookOf(to);
      dress(element, `badge is-${look || found.look}`);
      mark(path, "d", SHAPES[found.shape]);
      const told = instead || found.word;
      say(word, words ? `${told} ${words}` : told);
    },
  };
  made.show(state, more);
  return made;
}
