import { element } from "../dom.js";
import { colourOf, initials } from "../format.js";

/** A disc with a user's initials. */
export function avatar(name: string): HTMLElement {
  return element("span", { class: "avatar", "data-colour": colourOf(name), "aria-hidden": "true" }, initials(name));
}
