// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The last events of one call: those that name one of its channels. */
import { h, say } from "../dom.js";
import { text, timeOfDay } from "../format.js";

const MOST = 50;
const IDS = ["Uniqueid", "Linkedid", "DestUniqueid", "DestLinkedid", "Uniqueid1", "Uniqueid2", "TransfererUniqueid",
  "TransfereeUniqueid", "ParkeeUniqueid", "OrigTransfererUniqueid", "LocalOneUniqueid", "LocalTwoUniqueid", "TargetUniqueid"];

export class CallEvents {
  /** @param {any} app */
  constructor(app) {
    this._app = app;
    /** @type {Set<string>} */
    this._ids = new Set();
    this._server = "";
    /** @type {any[]} */
    this.kept = [];
    this._list = h("ol", { class: "events" });
    this._none = h("p", { class: "quiet", text: "None yet since this was opened." });
    this.element = h("div", null, this._none, this._list);
    this._off = () => {};
  }

  /** @param {string} server */
  begin(server) {
    this._server = server;
    this._off = this._app.live.on("event", (/** @type {any} */ doc) => this._take(doc));
    this._app.live.want(this, { events: ["*"] });
  }

  end() {
    this._off();
    this._app.live.unwant(this);
    this._ids.clear();
    this.kept = [];
    this._list.replaceChildren();
    this._none.hidden = false;
  }

  /** Which ids belong to the call; those of channels that have left stay. @param {string[]} ids */
  of(ids) {
    for (const id of ids) this._ids.add(id);
  }

  /** @param {any} doc */
  _take(doc) {
    const event = doc.event || {};
    if (doc.server !== this._server || !IDS.some((name) => this._ids.has(event[name]))) return;
    this.kept.push(doc);
    if (event.Uniqueid) this._ids.add(event.Uniqueid);
    this._none.hidden = true;
    const lines = Object.entries(event).map(([name, value]) => `${text(name)}: ${[value].flat().map(text).join(", ")}`);
    const summary = h("summary", null, h("span", { class: "time", text: timeOfDay(doc.time) }), h("strong"), h("span", { class: "quiet words" }));
    say(summary.children[1], text(event.Event));
    say(summary.children[2], text(event.Channel ?? event.DestChannel ?? ""));
    this._list.prepend(h("li", null, h("details", null, summary, h("pre", { text: lines.join("\n") }))));
    if (this.kept.length > MOST) {
      this.kept.shift();
      this._list.lastElementChild.remove();
    }
  }
}
