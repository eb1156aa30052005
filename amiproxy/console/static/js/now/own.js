// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The reader's own phone, first of all: `?me=PJSIP/101`. */
import { h, say } from "../dom.js";
import { duration, text } from "../format.js";
import { badge } from "../states.js";
import { partyWords } from "./calls.js";
import { memberTile } from "./queue.js";
import { Tiles } from "./tiles.js";

export class Own {
  /** @param {any} app */
  constructor(app) {
    this._app = app;
    this._me = app.router.get("me");
    this._call = badge();
    this._words = h("span", { class: "grow words" });
    this._time = h("span", { class: "time number" });
    this._tiles = new Tiles({ class: "members", label: "My queues", make: () => ownTile(app) });
    this._none = h("p", { class: "empty" });
    this._line = h("p", { class: "ownline" }, this._call.element, this._words, this._time);
    this.element = h("section", { class: "panel ownpart", "aria-label": "My phone", hidden: !this._me },
      h("header", null, h("h2", { text: text(this._me) })), this._line, this._tiles.element, this._none);
  }

  /** @param {string} kind */
  changed(kind) {
    if (this._me && (kind === "members" || kind === "calls")) this.second();
  }

  second() {
    if (!this._me) return;
    const { store } = this._app;
    const mine = [...store.rows("members")].filter(([, row]) => [row.interface, row.device, row.state_interface].includes(this._me));
    const call = [...store.rows("calls").values()].find((row) => row.state !== "ended" && [row.from_device, row.to_device].includes(this._me));
    this._tiles.show(mine);
    this._none.hidden = mine.length > 0;
    say(this._none, `${text(this._me)} is a member of no queue.`);
    this._line.hidden = !call;
    if (!call) return;
    this._call.show(call.state);
    say(this._words, partyWords(call, call.from_device === this._me ? "to" : "from"));
    say(this._time, duration(this._app.age(call, call.since)));
  }
}

/** A member's tile, which names the queue: the member is known. @param {any} app */
function ownTile(app) {
  const tile = memberTile(app);
  return { element: tile.element, show: (/** @type {string} */ id, /** @type {any} */ row) => tile.show(id, { ...row, name: row.queue }) };
}
