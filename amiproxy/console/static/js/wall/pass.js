// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * How a wall logs in: by `/wall#token=...`.  The fragment goes to no server and into no log; it is
 * traded for a cookie, and taken out of the address.  A cookie ends one day, the wall does not: so
 * the token is kept in this page, and nowhere else.
 */

import { logIn, refusal } from "../login.js";

/** Seconds between two tries, where the proxy refuses. */
const AGAIN = 30;

export class Pass {
  /** @param {import("../live.js").Live} live */
  constructor(live) {
    this._live = live;
    this._token = new URLSearchParams(location.hash.slice(1)).get("token") || "";
    if (this._token) history.replaceState(null, "", location.pathname + location.search);
  }

  /** Log in with the token, if there is one. */
  async begin() {
    return this._token ? (await logIn({ token: this._token })).status : 0;
  }

  /**
   * The proxy wants a log-in: give it the token again, or say on *screen* what to do.  It goes on
   * trying: somebody may log in in another window, or put the token back into the users file.
   *
   * @param {{explain: (why: string) => void}} screen
   */
  async required(screen) {
    const wait = AGAIN * 1000;
    if (!this._token) {
      screen.explain("");
    } else {
      const { status, doc } = await logIn({ token: this._token });
      if (status === 200) return void this._live.retry();
      screen.explain(status === 401 ? "The token of this wall is not valid any more." : refusal(status, doc));
    }
    window.setTimeout(() => this._live.retry(), wait);
  }

  /** Load the page anew, token and all. */
  reload() {
    if (this._token) history.replaceState(null, "", `${location.pathname}${location.search}#token=${encodeURIComponent(this._token)}`);
    location.reload();
  }
}
