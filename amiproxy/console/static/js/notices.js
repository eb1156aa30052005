// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** Lines above the view that stay: what should be known of this page itself. */
import { byId, h } from "./dom.js";
import { isReadable } from "./login.js";

/** @param {any} app */
export function startNotices(app) {
  let page = "";
  let readable = false;
  app.live.on("hello", (/** @type {any} */ doc) => {
    if (!readable && app.live.me.login_required && isReadable()) {
      readable = true;
      show("This connection is not encrypted: whoever is between can read all of it.");
    }
    // A new release of the proxy has new pages, too; who is in the middle of something decides when.
    if (page && doc.page && page !== doc.page) {
      show("The proxy has a newer page than this one.", h("button", { type: "button", text: "Load it", onclick: () => location.reload() }));
      page = doc.page;
    }
    page = page || doc.page || "";
  });
}

/** @param {string} words @param {any} [button] */
function show(words, button) {
  byId("notices").append(h("p", { class: "notice" }, words, button || null));
}
