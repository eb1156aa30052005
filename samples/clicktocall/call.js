// SPDX-License-Identifier: GPL-2.0-or-later
// The settings (options.html): the proxy's address, a token, the own phone, its context.
chrome.runtime.onMessage.addListener(({number}, _sender, answer) => {
  call(number).then(answer, (error) => answer(String(error)));
  return true;  // the answer comes later
});

async function call(number) {
  const {proxy, token, phone, context} = await chrome.storage.local.get();
  if (!proxy || !phone) return "Set up the extension first: its options";
  const reply = await fetch(`${proxy}/v1/actions/Originate`, {
    method: "POST",
    headers: {"Content-Type": "application/json", ...(token && {Authorization: `Bearer ${token}`})},
    body: JSON.stringify({
      Channel: phone, Exten: number, Context: context || "default", Priority: "1", Async: "true",
    }),
  });
  const told = await reply.json();
  return reply.ok ? `Your phone rings, then ${number}` : told.detail;
}
