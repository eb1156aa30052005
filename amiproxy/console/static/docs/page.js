// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
// Shows openapi.json for people, and lets them try what only reads.  Every text goes in by
// textContent, every link is relative: nothing of another host is loaded.

const BASE = new URL("..", new URL(document.baseURI));

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} inside
 * @returns {HTMLElement}
 */
function make(name, attributes = {}, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...inside);
  return element;
}

/** @param {any} schema @returns {string} */
function typeOf(schema = {}) {
  if (schema.enum) return schema.enum.join(", ");
  if (schema.type === "array") return `${typeOf(schema.items)}, several`;
  const type = [schema.type].flat().filter(Boolean).join(" or ");
  const range = [schema.minimum, schema.maximum].filter((each) => each !== undefined).join(" to ");
  return range ? `${type}, ${range}` : type;
}

/** @param {string} caption @param {string[][]} rows @returns {Node} */
function table(caption, rows) {
  const body = rows.map(([head, ...rest]) =>
    make("tr", {}, make("th", { scope: "row" }, make("code", {}, head)),
      ...rest.map((each) => make("td", {}, each))));
  return make("table", {}, make("caption", {}, caption), make("tbody", {}, ...body));
}

/** The form that sends a GET. @param {string} path @param {any} operation @returns {Node} */
function tryIt(path, operation) {
  const form = make("form", { class: "try" });
  const fields = operation.parameters.filter((each) => each.schema.type !== "object");
  const inputs = fields.map((each) => {
    const input = /** @type {HTMLInputElement} */ (make("input", { name: each.name }));
    input.required = each.required;
    form.append(make("label", {}, each.name, input));
    return input;
  });
  const more = operation.parameters.some((each) => each.schema.type === "object")
    ? /** @type {HTMLInputElement} */ (make("input", { placeholder: "name=value&name=value" })) : null;
  if (more) form.append(make("label", {}, "further", more));
  const shown = make("pre", { hidden: "", tabindex: "0" });
  const status = make("p", { class: "status", role: "status" });
  form.append(make("button", {}, "Try it"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    let place = path.slice(1);
    const query = new URLSearchParams(more ? more.value : "");
    fields.forEach((each, at) => {
      const value = inputs[at].value;
      if (each.in === "path") place = place.replace(`{${each.name}}`, encodeURIComponent(value));
      else if (value) query.append(each.name, value);
    });
    const url = new URL(place, BASE);
    url.search = query.toString();
    status.textContent = "...";
    try {
      const response = await fetch(url);
      const text = await response.text();
      status.textContent = `${response.status} for ${url.pathname}${url.search}`;
      shown.textContent = text.startsWith("{") ? JSON.stringify(JSON.parse(text), null, 1) : text;
    } catch (error) {
      status.textContent = String(error);
      shown.textContent = "";
    }
    shown.hidden = !shown.textContent;
  });
  return make("div", {}, form, status, shown);
}

/** @param {string} path @param {string} method @param {any} operation @returns {HTMLElement} */
function show(path, method, operation) {
  const inside = make("div", { class: "inside" });
  if (operation.parameters.length) {
    inside.append(table("In the URL", operation.parameters.map((each) =>
      [each.name, typeOf(each.schema), each.description + (each.required ? "; must be given" : "")])));
  }
  if (operation.requestBody) {
    const { schema } = operation.requestBody.content["application/json"];
    inside.append(make("p", {}, "The body is JSON:"), make("pre", {}, JSON.stringify(schema, null, 1)));
  }
  inside.append(table("Answers", Object.entries(operation.responses).map(([status, each]) =>
    [status, each.description])));
  if (method === "get") inside.append(tryIt(path, operation));
  const head = make("summary", {}, make("span", { class: "method" }, method.toUpperCase()),
    make("span", { class: "path" }, path), make("span", { class: "about" }, operation.summary));
  const details = make("details", { id: operation.operationId }, head, inside);
  details.dataset.words = `${method} ${path} ${operation.summary}`.toLowerCase();
  return details;
}

/** Only those that have all words of the search. @param {HTMLElement} main @param {string} text */
function search(main, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const section of main.querySelectorAll("section")) {
    const all = [...section.querySelectorAll("details")];
    for (const each of all) each.hidden = !words.every((word) => each.dataset.words?.includes(word));
    section.hidden = all.every((each) => each.hidden);
  }
}

/** The form to log in, where one must. @returns {Promise<void>} */
async function login() {
  const form = /** @type {HTMLFormElement} */ (document.getElementById("login"));
  const who = /** @type {HTMLElement} */ (document.getElementById("who"));
  form.hidden = (await fetch(new URL("v1/me", BASE))).status !== 401;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = JSON.stringify(Object.fromEntries(new FormData(form)));
    const response = await fetch(new URL("v1/session", BASE),
      { method: "POST", headers: { "Content-Type": "application/json" }, body });
    const said = await response.json();
    who.textContent = response.ok ? `You are ${said.user}.` : said.detail;
  });
}

async function start() {
  const main = /** @type {HTMLElement} */ (document.getElementById("main"));
  const description = await (await fetch(new URL("openapi.json", BASE))).json();
  /** @type {Map<string, HTMLElement>} */
  const sections = new Map();
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags[0];
      const section = sections.get(tag) ?? make("section", {}, make("h2", {}, tag));
      sections.set(tag, section);
      section.append(show(path, method, operation));
    }
  }
  main.replaceChildren(...sections.values());
  const field = /** @type {HTMLInputElement} */ (document.getElementById("search"));
  field.addEventListener("input", () => search(main, field.value));
  await login();
}

start();
