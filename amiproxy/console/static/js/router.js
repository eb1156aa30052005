// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * Where we are is in the address, behind the `#`: a view can be kept as a bookmark, and sent.
 *
 * `#/now/calls?q=105&queue=support`: tab `now`, path `["calls"]`, and the parameters.
 */
import { Emitter } from "./emitter.js";

/** @typedef {{tab: string, path: string[], params: URLSearchParams}} Place */

/** @param {string} hash @returns {Place} */
export function read(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?", 2);
  const parts = (path || "").split("/").filter(Boolean).map(decode);
  return { tab: parts[0] || "now", path: parts.slice(1), params: new URLSearchParams(query || "") };
}

/** @param {Place} place @returns {string} */
export function write(place) {
  const query = place.params.toString();
  const path = [place.tab, ...place.path].map(encodeURIComponent).join("/");
  return `#/${path}${query ? `?${query}` : ""}`;
}

/** @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export class Router extends Emitter {
  constructor() {
    super();
    this.place = read(location.hash);
    // What stands in front of the hash (?me=, ?queue=, ?server=) holds for the whole page.
    this.page = new URLSearchParams(location.search);
    window.addEventListener("hashchange", () => this._moved());
  }

  _moved() {
    const before = this.place;
    this.place = read(location.hash);
    this.tell("place", { place: this.place, before });
  }

  /** A parameter of this view, else of the page. @param {string} name @returns {string} */
  get(name) {
    return this.place.params.get(name) ?? this.page.get(name) ?? "";
  }

  /** Go to another view; Back leads here again. @param {string} hash */
  go(hash) {
    location.hash = hash;
  }

  /**
   * Change parameters of this view; "" takes one out.  Back does not lead through these.
   * @param {Record<string, string>} changes
   */
  change(changes) {
    const params = new URLSearchParams(this.place.params);
    for (const [name, value] of Object.entries(changes)) {
      if (value) params.set(name, value);
      else params.delete(name);
    }
    const before = this.place;
    this.place = { ...before, params };
    history.replaceState(null, "", write(this.place));
    this.tell("place", { place: this.place, before });
  }
}
