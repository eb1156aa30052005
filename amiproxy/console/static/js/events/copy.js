// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** An event as text to copy: as JSON, as the lines of AMI, as a command that asks for its like. */

import { text } from "../format.js";

/**
 * @typedef {object} EventMessage what the proxy sends for an event of Asterisk
 * @property {string} id
 * @property {string} server
 * @property {number} time
 * @property {Record<string, string | string[]>} event
 */

/**
 * Return header and value for each line, in the order in which Asterisk sent them.
 *
 * @param {Record<string, string | string[]>} event
 * @returns {[string, string][]}
 */
export function lines(event) {
  return Object.entries(event).flatMap(([name, value]) =>
    [value].flat().map((one) => /** @type {[string, string]} */ ([name, String(one)])),
  );
}

/** @param {EventMessage} message */
export function asJson(message) {
  return JSON.stringify(message, null, 2);
}

/** @param {EventMessage} message */
export function asAmi(message) {
  return `${lines(message.event).map(([name, value]) => `${name}: ${value}`).join("\r\n")}\r\n\r\n`;
}

/**
 * Return a command that prints events of this name and server, from this one on.
 *
 * @param {EventMessage} message
 * @param {string} base the address of the proxy, with a slash at the end
 * @param {string | null} user who is to be asked for a secret; null: nobody has to log in
 */
export function asCurl(message, base, user) {
  const fields = new URLSearchParams({ event: String(message.event.Event || "*") });
  if (message.server) fields.set("server", message.server);
  if (message.id) fields.set("since", message.id);
  const login = user === null ? "" : ` -u ${quoted(user)}`;
  return `curl -N${login} ${quoted(`${base}events?${fields}`)}`;
}

/** Return *text* as one word of a shell. @param {string} text */
export function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

// Headers that say most about an event, in the order in which a line shows them.
const TELLING = [
  "Channel", "Queue", "Interface", "MemberName", "Exten", "CallerIDNum", "CallerIDName", "DestChannel",
  "ChannelStateDesc", "DialStatus", "BridgeUniqueid", "Device", "State", "Peer", "PeerStatus",
  "Endpoint", "EndpointName", "ContactStatus", "Variable", "Value", "Application", "AppData", "Cause-txt",
  "UserEvent", "Conference", "Reason", "Status", "Message",
];

/** Return an event in one line. @param {Record<string, string | string[]>} event */
export function summary(event) {
  const parts = [];
  for (const name of TELLING) {
    const value = event[name];
    if (value !== undefined && value !== "" && value !== "<unknown>") parts.push(`${name}: ${text([value].flat()[0])}`);
    if (parts.length === 5) break;
  }
  return parts.join("   ");
}
