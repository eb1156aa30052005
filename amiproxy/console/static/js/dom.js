// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** Elements, made without markup: every text is a text node, whatever a caller is called. */

const SVG = "http://www.w3.org/2000/svg";

/** Attributes that are set as such; `class`, `text` and `on...` are looked at below. */
const ALLOWED = /^(id|role|href|title|type|name|value|for|placeholder|autocomplete|spellcheck|tabindex|lang|dir|rel|target|hidden|disabled|open|scope|colspan|list|min|max|step|rows|cols|maxlength|inputmode|enterkeyhint|autocapitalize|popover|popovertarget|method|action|download|aria-[a-z]+|data-[a-z-]+|viewBox|d|width|height|points|x|y|x1|y1|x2|y2|r|cx|cy|preserveAspectRatio)$/;

/**
 * Make an element.  *properties*: attributes, `class`, `text`, and listeners as `onclick` and so
 * on; false and null leave one out.
 * @param {string} tag
 * @param {Record<string, any> | null} [properties]
 * @param {...(Node | string | null | false)} children
 * @returns {any}
 */
export function h(tag, properties, ...children) {
  return furnish(document.createElement(tag), properties, children);
}

/** The same for SVG. @param {string} tag @param {Record<string, any> | null} [properties]
 * @param {...Node} children @returns {any} */
export function svg(tag, properties, ...children) {
  return furnish(document.createElementNS(SVG, tag), properties, children);
}

/** @param {any} element @param {Record<string, any> | null | undefined} properties
 * @param {(Node | string | null | false)[]} children */
function furnish(element, properties, children) {
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name === "class") element.setAttribute("class", value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else set(element, name, value);
  }
  for (const child of children) if (child !== null && child !== false) element.append(child);
  return element;
}

/** Set an attribute, if it is one of those that cannot run anything.
 * @param {Element} element @param {string} name @param {any} value */
export function set(element, name, value) {
  if (!ALLOWED.test(name)) throw new Error(`attribute ${name}`);
  if (name === "href" && /^\s*[a-z][a-z0-9+.-]*:/i.test(String(value))) {
    throw new Error("a link leads to another host");
  }
  if (value === false || value === null) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

/** Change a text, if it is another: what does not change costs no layout.
 * @param {Node} element @param {string} value */
export function say(element, value) {
  const first = element.firstChild;
  if (first && first === element.lastChild && first.nodeType === 3) {
    if (/** @type {Text} */ (first).data !== value) /** @type {Text} */ (first).data = value;
  } else {
    element.textContent = value;
  }
}

/** Set an attribute, if it is another value. @param {Element} element @param {string} name
 * @param {string | null} value */
export function mark(element, name, value) {
  if (element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else set(element, name, value);
}

/** Set the class, if it is another. @param {Element} element @param {string} value */
export function dress(element, value) {
  if (element.getAttribute("class") !== value) element.setAttribute("class", value);
}

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);
