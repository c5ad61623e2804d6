type Attributes = Readonly<Record<string, string | boolean>>;

/** Creates an element. Text becomes text nodes, never markup, so user input cannot inject elements. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "string") made.setAttribute(name, value);
    else made.toggleAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Creates an element that only screen readers show. */
export function hidden(tag: "p" | "span", attributes: Attributes = {}, ...children: (Node | string)[]): HTMLElement {
  return element(tag, { ...attributes, class: "hidden" }, ...children);
}

/** The element of the page's own markup that has this id. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`There is no element with the id "${id}"`);
  return found;
}
