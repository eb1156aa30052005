// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The console: puts its parts together, and begins. */
import { startBottom } from "./bottom.js";
import { Clock } from "./clock.js";
import { byId } from "./dom.js";
import { startKeys } from "./help.js";
import { Live } from "./live.js";
import { watchLogin } from "./login.js";
import { startNotices } from "./notices.js";
import { Rights } from "./rights.js";
import { Router } from "./router.js";
import { Status } from "./status.js";
import { Store } from "./store.js";
import { Announcer, Tabs } from "./tabs.js";
import { startTools } from "./tools.js";

const clock = new Clock();
const live = new Live(clock);
const store = new Store();
const router = new Router();
const announcer = new Announcer();
const rights = new Rights(live);

/** What every tab is given. */
const app = {
  clock,
  live,
  store,
  router,
  rights,
  /** Words for a screen reader. @param {string} words */
  announce: (words) => announcer.say(words),
  /** Show something over the page. @param {...any} told title, and what is shown */
  dialog: async (...told) => (await import("./dialog.js")).dialog(told[0], ...told.slice(1)),
  /**
   * How long ago *since* of *row* is; of a server that is lost, when it was.
   * @param {any} row @param {number | null | undefined} since
   */
  age(row, since) {
    if (!row.stale) return clock.age(since);
    const server = store.get("servers", row.server);
    return server && typeof since === "number" ? Math.max(0, server.since - since) : null;
  },
  /** The tabs that this user may see. */
  tabs: () => tabs.all,
};

live.on("rows", (/** @type {any} */ doc) => store.take(doc));
live.on("status", (/** @type {any} */ { state }) => {
  document.documentElement.dataset.live = state;
});
for (const name of ["server", "queue"]) {
  const values = router.page.getAll(name).flatMap((each) => each.split(",")).filter(Boolean);
  if (values.length) live.where[name] = values;
}
live.want("page", { state: ["servers", "totals"] });

byId("skip").addEventListener("click", (/** @type {Event} */ event) => {
  event.preventDefault();
  byId("view").focus();
});
startTools(app);
startBottom(app);
watchLogin(app, byId("user"));
new Status(app);
const tabs = new Tabs(app);
tabs.show(router.place);
startKeys(app, tabs);
live.start();

startNotices(app);

export { app };
