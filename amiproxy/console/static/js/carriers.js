// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * Ways in which documents come: a WebSocket; where something between does not let it through, an
 * EventSource; where that is held back too, one request after the other.
 *
 * Each is a function of (wants, told, ended) that begins, and returns `{send, close}`: *told* is
 * called with each document, *ended* once with `{opened, code, reason}`; `send` is null where
 * nothing can be said that way: then a change of what is wanted needs a new carrier.
 */

/** @typedef {{events: string[], state: string[], where: Record<string, string[]>, since: string}} Wants */
/** @typedef {{send: ((doc: any) => void) | null, close: () => void}} Carrier */

/** @param {string} data @param {(doc: any) => void} told */
export function parse(data, told) {
  let doc;
  try {
    doc = JSON.parse(data);
  } catch {
    return; // not for us
  }
  if (doc && typeof doc === "object") told(doc);
}

/** @param {Wants} wants @param {(doc: any) => void} told @param {(end: any) => void} ended
 * @param {string} [ticket] @returns {Carrier} */
export function webSocket(wants, told, ended, ticket = "") {
  const url = new URL(ticket ? `ws?ticket=${encodeURIComponent(ticket)}` : "ws", document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.hash = "";
  const socket = new WebSocket(url, "astmanproxy.json");
  let opened = false;
  let over = false;
  const end = (/** @type {any} */ detail) => {
    if (over) return;
    over = true;
    ended({ opened, ...detail });
  };
  socket.onopen = () => { opened = true; };
  socket.onmessage = ({ data }) => { if (!over) parse(data, told); };
  socket.onclose = ({ code, reason }) => end({ code, reason });
  return {
    send: (doc) => { if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(doc)); },
    // A socket that nobody answers takes minutes to close: we do not wait for it.
    close: () => { over = true; socket.close(); },
  };
}
