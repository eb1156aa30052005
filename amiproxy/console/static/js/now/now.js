// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** Now: queues, who is in them, calls, devices.  It shows rows that it is sent, and nothing else. */
import { partOf } from "../bottom.js";
import { h, mark } from "../dom.js";
import { dressUp } from "../tabs.js";
import { Calls } from "./calls.js";
import { Devices } from "./devices.js";
import { QueueDetails } from "./queue.js";
import { Queues } from "./queues.js";

/** @type {any} */
let view = null;

class Now {
  /** @param {HTMLElement} section @param {any} app */
  constructor(section, app) {
    this.app = app;
    /** @type {any} */
    this._before = null;
    this._ends = /** @type {(() => void)[]} */ ([]);
    /** All of one call; loaded when it is first asked for. @type {any} */
    this.drawer = null;
    this.queues = new Queues(app, this);
    this.details = new QueueDetails(app, this);
    this.calls = new Calls(app, this);
    this.devices = new Devices(app);
    /** @type {any[]} */
    this.parts = [this.queues, this.details, this.calls, this.devices];
    this.element = h("div", { class: "now" },
      h("div", { class: "side" }, this.details.element),
      h("div", { class: "middle" }, this.queues.element, this.calls.element),
      this.devices.element, more(app));
    section.append(h("h1", { class: "unseen", text: "Now" }), this.element);
    if (app.router.get("me")) this._own();
    for (const kind of ["queues", "members", "callers", "calls", "devices", "servers", "totals"]) {
      this._ends.push(app.store.on(kind, (/** @type {any} */ changes) => this._changed(kind, changes)));
    }
    this._ends.push(app.clock.on("second", () => this.each("second")));
    this._ends.push(app.live.on("hello", () => this.each("refresh")));
    app.live.want(this, { state: ["calls", "queues", "members", "callers"] });
  }

  /** @param {string} name @param {...any} told */
  each(name, ...told) {
    for (const part of this.parts) if (/** @type {any} */ (part)[name]) /** @type {any} */ (part)[name](...told);
    if (this.drawer && this.drawer[name]) this.drawer[name](...told);
  }

  /** Show all of a call. @param {string} id */
  show(id) {
    this._before = document.activeElement;
    this.app.router.change({ open: id });
  }

  /** The reader's own phone, above all. */
  async _own() {
    const { Own } = await import("./own.js");
    const own = new Own(this.app);
    this.parts.push(own);
    this.details.element.before(own.element);
    own.second();
  }

  async _drawer() {
    const { Drawer } = await import("./drawer.js");
    await dressUp("call");
    if (this.drawer || view !== this) return;
    this.drawer = new Drawer(this.app, this);
    this.drawer.route();
  }

  /** Where the focus was when a call was opened. */
  takeFocus() {
    const before = this._before;
    this._before = null;
    return before;
  }

  /** @param {string} kind @param {any} changes */
  _changed(kind, changes) {
    this.each("changed", kind, changes);
  }

  /** The address has changed. */
  route() {
    mark(this.element, "data-part", partOf(this.app.router.place));
    this.each("route");
    if (this.app.router.get("open") && !this.drawer) this._drawer();
  }

  close() {
    for (const end of this._ends) end();
    this.app.live.unwant(this);
    this.each("close");
    this.app.store.forget(["calls", "queues", "members", "callers"]);
  }
}

/** What the bottom bar of a phone has no room for. @param {any} app */
function more(app) {
  return h("nav", { class: "panel morepart", "aria-label": "More" },
    ...app.tabs().map((/** @type {any} */ tab) => h("a", { href: `#/${tab.name}`, text: tab.title })));
}

/** @param {HTMLElement} section @param {any} app */
export function open(section, app) {
  view = new Now(section, app);
  view.route();
}

export function route() {
  if (view) view.route();
}

export function close() {
  if (view) view.close();
  view = null;
}
