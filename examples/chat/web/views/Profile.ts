import { element } from "../dom.js";
import { avatar } from "./avatar.js";

/** The user's name, and the button to leave the chat. */
export class Profile {
  readonly root: HTMLElement;

  constructor(name: string, onLeave: () => void) {
    const leave = element("button", { type: "button", class: "quiet" }, "Leave");
    leave.addEventListener("click", onLeave);
    this.root = element("div", { class: "profile" }, avatar(name), element("span", { class: "name" }, name), leave);
  }
}
