// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The wall: a page of its own, for a screen that nobody touches for months. */

import { Clock } from "./clock.js";
import { byId } from "./dom.js";
import { Live } from "./live.js";
import { Store } from "./store.js";
import { Announcer } from "./tabs.js";
import { wallOptions } from "./wall/options.js";
import { Pass } from "./wall/pass.js";
import { Screen } from "./wall/screen.js";
import { watchRelease, keepAwake, shift } from "./wall/running.js";
import { Sound } from "./wall/sound.js";

const options = wallOptions(location.search);
const clock = new Clock();
const live = new Live(clock);
const store = new Store();
const pass = new Pass(live);
const sound = new Sound(options.sound, byId("state"));
const screen = new Screen({ options, clock, live, store, announcer: new Announcer(), sound });

live.on("rows", (/** @type {any} */ doc) => store.take(doc));
if (options.queues.length) live.where.queue = options.queues;
if (options.servers.length) live.where.server = options.servers;
live.want("wall", { state: ["queues", "members", "servers", ...(options.numbers ? ["callers"] : [])] });

live.on("login", () => pass.required(screen));
watchRelease(live, () => pass.reload());
keepAwake();
shift(document.body);
// With a token in the address: first that, then the connection.
pass.begin().then(() => live.start());

// For who looks at a wall with the browser's tools.
export { clock, live, screen, store };
