// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The bar below the top: does what is shown hold, and how are the servers? */
import { byId, h } from "./dom.js";
import { timeOfDay } from "./format.js";
import { badge } from "./states.js";

export class Status {
  /** @param {any} app */
  constructor(app) {
    this._app = app;
    this._badge = badge("connecting");
    this._asof = h("div", { class: "asof", hidden: true, id: "asof" });
    byId("status").append(this._badge.element);
    byId("status").after(this._asof);
    app.live.on("status", () => this._show());
    this._show();
  }

  _show() {
    const { live, clock } = this._app;
    this._badge.show(live.state);
    const old = live.hello !== null && (live.state === "lost" || live.state === "asking");
    this._asof.hidden = !old;
    if (old) this._asof.replaceChildren(h("span", { text: `As of ${timeOfDay(clock.now())}` }));
  }
}
