// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The legs of a call as bars in time: what of it rang, and what of it was answered. */
import { h, say } from "../dom.js";
import { duration, text } from "../format.js";
import { channelWord } from "../states.js";

export class Legs {
  /** @param {import("../clock.js").Clock} clock */
  constructor(clock) {
    this._clock = clock;
    this.element = h("ul", { class: "legs" });
    /** @type {any[]} */
    this._lines = [];
    /** @type {any} */
    this._call = null;
    this._end = 0;
  }

  /** @param {any[]} channels @param {any} call */
  show(channels, call) {
    this._call = call;
    const sorted = [...channels].sort((a, b) => (a.started ?? 0) - (b.started ?? 0));
    while (this._lines.length > sorted.length) this._lines.pop().element.remove();
    sorted.forEach((channel, index) => {
      if (!this._lines[index]) {
        this._lines[index] = line();
        this.element.append(this._lines[index].element);
      }
      this._lines[index].channel = channel;
    });
    if (!sorted.length) this.element.replaceChildren(...(call ? (call.legs || []).map((/** @type {string} */ id) => h("li", { class: "mono", text: text(id) })) : []));
    else if (this.element.childElementCount !== sorted.length) this.element.replaceChildren(...this._lines.map((each) => each.element));
    this._write();
  }

  second() {
    if (this._call && this._call.state !== "ended") this._write();
  }

  _write() {
    if (!this._lines.length) return;
    const now = this._clock.now();
    const begin = Math.min(...this._lines.map(({ channel }) => channel.started ?? now));
    const span = Math.max(1, now - begin);
    for (const each of this._lines) {
      const { channel } = each;
      const from = (channel.started ?? begin) - begin;
      const answered = channel.answered ? channel.answered - begin : span;
      each.bar.style.marginLeft = `${(100 * from) / span}%`;
      each.rang.style.flexGrow = String(Math.max(0, answered - from));
      each.talked.style.flexGrow = String(Math.max(0, span - answered));
      say(each.name, text(channel.name));
      const who = [channel.caller_number, channel.caller_name].filter(Boolean).map(text).join(" ");
      const state = `${channelWord(channel.state)}${channel.hold ? ", holds" : ""}${channel.muted ? ", muted" : ""}`;
      say(each.words, [who, state, duration(now - (channel.started ?? now)), channel.application && text(channel.application)].filter(Boolean).join(" \u00b7 "));
    }
  }
}

function line() {
  const name = h("span", { class: "mono name" });
  const rang = h("span", { class: "rang" });
  const talked = h("span", { class: "talked" });
  const bar = h("span", { class: "bar", "aria-hidden": "true" }, rang, talked);
  const words = h("span", { class: "quiet words" });
  return { element: h("li", null, name, h("span", { class: "track" }, bar), words), name, rang, talked, bar, words, channel: /** @type {any} */ ({}) };
}
