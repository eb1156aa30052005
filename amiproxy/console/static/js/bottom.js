// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The bar at the bottom of a phone: the parts of Now, and what there is no room for. */
import { byId, h, svg } from "./dom.js";

/** On a phone one of these is shown; on a desk all are. */
const PARTS = [
  { name: "queues", title: "Queues", d: "M2 11V7M6 11V3M10 11V5" },
  { name: "calls", title: "Calls", d: "M2 4h7M7 2l2 2-2 2M10 8.5H3M5 6.5l-2 2 2 2" },
  { name: "people", title: "People", d: "M6 1.5a2.3 2.3 0 1 0 0 4.6a2.3 2.3 0 1 0 0-4.6zM1.8 11c.4-2.6 2-3.7 4.2-3.7s3.8 1.1 4.2 3.7" },
  { name: "more", title: "More", d: "M2 3h8M2 6h8M2 9h8" },
];

/** The part of Now that *place* names. @param {import("./router.js").Place} place */
export function partOf(place) {
  if (place.tab !== "now") return "more";
  return PARTS.some(({ name }) => name === place.path[0]) ? place.path[0] : "queues";
}

/** @param {any} app */
export function startBottom(app) {
  const links = PARTS.map(({ name, title, d }) => h("a", { href: `#/now/${name}` },
    svg("svg", { viewBox: "0 0 12 12", class: "shape big", "aria-hidden": "true" }, svg("path", { d })), h("span", { text: title })));
  const show = () => links.forEach((link, index) => {
    if (PARTS[index].name === partOf(app.router.place)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
  byId("bottom").append(...links);
  app.router.on("place", show);
  show();
}
