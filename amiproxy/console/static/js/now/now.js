// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** Now: queues, who is in them, calls, devices.  It shows rows that it is sent, and nothing else. */
import { byId, h, mark } from "../dom.js";
import { Calls } from "./calls.js";
import { Devices } from "./devices.js";
import { Drawer } from "./drawer.js";
import { Own } from "./own.js";
import { QueueDetails } from "./queue.js";
import { Queues } from "./queues.js";

/** On a phone one of these is shown; on a desk all are, and this says which one has the focus. */
const PARTS = [
  { name: "queues", title: "Queues", d: "M2 12V8M6 12V4M10 12V6" },
  { name: "calls", title: "Calls", d: "M2 4h7M7 2l2 2-2 2M10 8.5H3M5 6.5l-2 2 2 2" },
  { name: "people", title: "People", d: "M6 1.5a2.3 2.3 0 1 0 0 4.6a2.3 2.3 0 1 0 0-4.6zM1.8 11c.4-2.6 2-3.7 4.2-3.7s3.8 1.1 4.2 3.7" },
  { name: "more", title: "More", d: "M2 3h8M2 6h8M2 9h8" },
];

/** @type {any} */
let view = null;

class Now {
  /** @param {HTMLElement} section @param {any} app */
  constructor(section, app) {
    this.app = app;
    this._ends = /** @type {(() => void)[]} */ ([]);
    this.drawer = new Drawer(app);
    this.queues = new Queues(app, this);
    this.details = new QueueDetails(app, this);
    this.calls = new Calls(app, this);
    this.devices = new Devices(app);
    this.own = new Own(app);
    this.parts = [this.own, this.queues, this.details, this.calls, this.devices];
    this.element = h("div", { class: "now" },
      h("div", { class: "side" }, this.own.element, this.details.element),
      h("div", { class: "middle" }, this.queues.element, this.calls.element),
      this.devices.element, more(app));
    section.append(this.element);
    for (const kind of ["queues", "members", "callers", "calls", "devices", "servers", "totals"]) {
      this._ends.push(app.store.on(kind, (/** @type {any} */ changes) => this._changed(kind, changes)));
    }
    this._ends.push(app.clock.on("second", () => this.each("second")));
    this._ends.push(app.live.on("hello", () => this.each("refresh")));
    app.live.want(this, { state: ["calls", "queues", "members", "callers"] });
    this.route();
  }

  /** @param {string} name @param {...any} told */
  each(name, ...told) {
    for (const part of this.parts) if (/** @type {any} */ (part)[name]) /** @type {any} */ (part)[name](...told);
    if (/** @type {any} */ (this.drawer)[name]) /** @type {any} */ (this.drawer)[name](...told);
  }

  /** @param {string} kind @param {any} changes */
  _changed(kind, changes) {
    this.each("changed", kind, changes);
  }

  /** The address has changed. */
  route() {
    const { router } = this.app;
    const part = PARTS.some((each) => each.name === router.place.path[0]) ? router.place.path[0] : "queues";
    mark(this.element, "data-part", part);
    byId("bottom").replaceChildren(...PARTS.map((each) => bottomLink(each, part)));
    this.each("route");
  }

  close() {
    for (const end of this._ends) end();
    this.app.live.unwant(this);
    this.each("close");
    byId("bottom").replaceChildren();
    this.app.store.forget(["calls", "queues", "members", "callers"]);
  }
}

/** @param {{name: string, title: string, d: string}} part @param {string} current */
function bottomLink({ name, title, d }, current) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("viewBox", "0 0 12 12");
  picture.setAttribute("class", "shape big");
  picture.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", d);
  picture.append(path);
  return h("a", { href: `#/now/${name}`, "aria-current": name === current ? "page" : null }, picture, h("span", { text: title }));
}

/** What the bottom bar of a phone has no room for. @param {any} app */
function more(app) {
  return h("nav", { class: "panel morepart", "aria-label": "More" },
    ...app.tabs().map((/** @type {any} */ tab) => h("a", { href: `#/${tab.name}`, text: tab.title })));
}

/** @param {HTMLElement} section @param {any} app */
export function open(section, app) {
  view = new Now(section, app);
}

export function route() {
  if (view) view.route();
}

export function close() {
  if (view) view.close();
  view = null;
}
