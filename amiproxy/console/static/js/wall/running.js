// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** What lets a page run for months: new releases, a screen that stays on, pixels that do not burn in. */

/**
 * Reload when the proxy serves other pages than these, once for each of them.
 *
 * @param {import("../live.js").Live} live
 * @param {() => void} reload
 * @param {() => number} [pause] milliseconds: not all walls of a house at once
 */
export function watchRelease(live, reload, pause = () => Math.random() * 60000) {
  let own = "";
  let next = "";
  live.on("hello", (/** @type {any} */ { page }) => {
    own = own || page || "";
    if (!page || page === own || page === next) return;
    next = page;
    window.setTimeout(reload, pause());
  });
}

/** Ask for a screen that stays on, where browsers have that; again whenever it was let go. */
export function keepAwake() {
  const ask = async () => {
    if (document.hidden || !("wakeLock" in navigator)) return;
    try {
      await navigator.wakeLock.request("screen");
    } catch {
      // Low battery, or not allowed: the screen's own settings decide.
    }
  };
  document.addEventListener("visibilitychange", ask);
  ask();
}

/** Four places, one an hour: what stands still for a year would stay for good. */
const PLACES = [[0, 0], [4, 0], [4, 4], [0, 4]];

/** @param {HTMLElement} element @param {() => number} [now] */
export function shift(element, now = Date.now) {
  const move = () => {
    const [x, y] = PLACES[Math.floor(now() / 3600000) % PLACES.length];
    element.style.translate = `${x}px ${y}px`;
  };
  window.setInterval(move, 60000);
  move();
}
