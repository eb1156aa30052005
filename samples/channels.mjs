// SPDX-License-Identifier: GPL-2.0-or-later
// List the live channels. Usage: node channels.mjs [http://host:port]
// ask() also works in a browser, on a page whose origin is in httpcors.

export async function ask(proxy, action, user) {
  const headers = {"Content-Type": "application/json"};
  if (user) headers.Authorization = "Basic " + btoa(user);
  const response = await fetch(proxy + "/?format=json", {
    method: "POST",
    headers,
    body: JSON.stringify(action),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status}: ${text}`);
  // One message, or an array of them.
  return [JSON.parse(text)].flat();
}

if (typeof process !== "undefined") {
  const proxy = process.argv[2] ?? process.env.PROXY ?? "http://localhost:1234";
  const messages = await ask(proxy, {Action: "CoreShowChannels"}, process.env.PROXY_USER);
  const channels = messages.filter((message) => message.Event === "CoreShowChannel");
  for (const channel of channels) console.log(channel.Channel, channel.ChannelStateDesc);
  console.log(`${channels.length} channels`);
}
