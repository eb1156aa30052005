// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * The frame of the tabs.  A tab is a module that has
 *
 * - `open(section, app)`: fill the section; called once each time it is shown;
 * - `close()`: forget everything, end what it has begun; the section is emptied afterwards;
 * - `route(place)`, if it likes: the address has changed, and it is still this tab;
 * - `keys`, if it likes: what single characters do (help.js).
 *
 * It is loaded when it is first shown.
 */
import { byId, h, say } from "./dom.js";

/** @typedef {{name: string, title: string, load: () => Promise<any>, styles?: string[], may?: (app: any) => boolean}} Tab */

/** @type {Tab[]} */
const TABS = [
  { name: "now", title: "Now", load: () => import("./now/now.js") },
  { name: "events", title: "Events", load: () => import("./events/events.js"), styles: ["events"] },
  { name: "action", title: "Action", load: () => import("./action/action.js"), styles: ["action", "connect"] },
  { name: "proxy", title: "Proxy", load: () => import("./proxy/proxy.js"), styles: ["proxy", "connect"], may: (app) => app.rights.isOperator },
];

export class Tabs {
  /** @param {any} app */
  constructor(app) {
    this._app = app;
    this._name = "";
    /** @type {any} The module of the tab that is open. */
    this._module = null;
    this._turn = 0;
    app.router.on("place", ({ place }) => this.show(place));
    app.live.on("hello", () => this._greeted());
    this._list();
  }

  /** The tabs that this user may see: the others are not there. */
  get all() {
    return TABS.filter((tab) => !tab.may || tab.may(this._app));
  }

  /** The module of the tab that is open; null while it is loaded. */
  get module() {
    return this._module;
  }

  /** Now it is known what this user may see. */
  _greeted() {
    const { place } = this._app.router;
    const isAllowed = this.all.some((tab) => tab.name === this._name);
    if (!isAllowed || (place.tab !== this._name && this.all.some((tab) => tab.name === place.tab))) this.show(place);
    this._list();
  }

  _list() {
    const links = this.all.map((tab) => h("a", {
      href: `#/${tab.name}`, "data-tab": tab.name, text: tab.title,
      "aria-current": tab.name === this._name ? "page" : null,
    }));
    byId("tabs").replaceChildren(...links);
  }

  /** Show what *place* names. @param {import("./router.js").Place} place */
  async show(place) {
    const tab = this.all.find((each) => each.name === place.tab) || this.all[0];
    if (tab.name === this._name) {
      if (this._module && this._module.route) this._module.route(place);
      return;
    }
    this._leave();
    this._name = tab.name;
    this._list();
    document.title = `${tab.title} \u2013 astmanproxy`;
    const section = byId("view");
    section.setAttribute("aria-label", tab.title);
    document.documentElement.dataset.tab = tab.name;
    const turn = ++this._turn;
    try {
      const [module] = await Promise.all([tab.load(), ...(tab.styles || []).map(dressUp)]);
      if (turn !== this._turn) return; // somebody was quicker
      this._module = module;
      module.open(section, this._app);
    } catch (error) {
      console.error(error);
      if (turn === this._turn) section.append(h("p", { class: "empty", text: "This view could not be loaded. Load the page again." }));
    }
  }

  _leave() {
    const module = this._module;
    this._module = null;
    if (module && module.close) module.close();
    byId("view").replaceChildren();
  }
}

/** Load the style sheet of a tab, once. @param {string} name */
export function dressUp(name) {
  const href = `console/css/${name}.css`;
  if (document.querySelector(`link[href="${href}"]`)) return null;
  return new Promise((resolve) => {
    const link = h("link", { rel: "stylesheet", href });
    link.onload = link.onerror = resolve;
    document.head.append(link);
  });
}

/** Tell a screen reader, politely, and seldom: at most one thing in ten seconds, the last one. */
export class Announcer {
  constructor() {
    this._last = -Infinity;
    this._waiting = "";
    this._timer = 0;
  }

  /** @param {string} words */
  say(words) {
    this._waiting = words;
    if (this._timer) return;
    const wait = Math.max(0, this._last + 10000 - performance.now());
    this._timer = window.setTimeout(() => {
      this._timer = 0;
      this._last = performance.now();
      say(byId("announce"), this._waiting);
    }, wait);
  }
}
