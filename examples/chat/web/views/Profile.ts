import { element } from "../dom.js";
import { avatar } from "./avatar.js";

/** Who you are, and the way out. */
export class Profile {
  readonly root: HTMLElement;

  constructor(name: string, onLeave: () => void) {
    const leave = element("button", { type: "button", class: "quiet" }, "Leave");
    leave.addEventListener("click", onLeave);
    this.root = element("div", { class: "profile" }, avatar(name), element("span", { class: "name" }, name), leave);
  }
}
