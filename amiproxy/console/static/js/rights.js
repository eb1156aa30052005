// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** What the user may do, as hello and /v1/me say it.  The proxy checks it again, always. */

export class Rights {
  /** @param {import("./live.js").Live} live */
  constructor(live) {
    this._live = live;
  }

  /** @returns {any} */
  get all() {
    const { rights } = this._live.hello || {};
    return rights && Object.keys(rights).length ? rights : this._live.me.rights || {};
  }

  get user() {
    return (this._live.hello && this._live.hello.user) || this._live.me.user || "";
  }

  /** Whether a class of actions may be sent (`call`, `agent`). @param {string} name */
  mayWrite(name) {
    return has(this.all.write, name);
  }

  /** Whether events of a class are told. @param {string} name */
  mayRead(name) {
    return has(this.all.read, name);
  }

  /** @param {string} name */
  mayProxyAction(name) {
    return has(this.all.proxyactions, name);
  }

  get isOperator() {
    return this.all.operator === true;
  }
}

/** @param {any} names @param {string} name */
function has(names, name) {
  if (!Array.isArray(names)) return false;
  const wanted = name.toLowerCase();
  return names.some((each) => ["all", "*", wanted].includes(String(each).toLowerCase()));
}
