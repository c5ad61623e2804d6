import { element } from "../dom.js";
import { initials } from "../format.js";

/** A disc with a user's initials, in the user's hue. */
export function avatar(name: string, hue: number): HTMLElement {
  return inHue(element("span", { class: "avatar", "aria-hidden": "true" }, initials(name)), hue);
}

/** Gives an element the hue of a person, for the style sheet. */
export function inHue<E extends HTMLElement>(target: E, hue: number): E {
  target.style.setProperty("--person", String(hue));
  return target;
}
