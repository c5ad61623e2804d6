import { element } from "../dom.js";
import { avatar } from "./avatar.js";
import { nameOf } from "./names.js";

/** The user's name, and the button to leave the chat. */
export class Profile {
  readonly root: HTMLElement;

  constructor(name: string, hue: number, onLeave: () => void) {
    const leave = element("button", { type: "button", class: "quiet" }, "Leave");
    leave.addEventListener("click", onLeave);
    const shown = element("span", { class: "name", title: name }, nameOf(name));
    this.root = element("div", { class: "profile" }, avatar(name, hue), shown, leave);
  }
}
