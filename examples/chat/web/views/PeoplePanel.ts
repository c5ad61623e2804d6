import type { Presence } from "../../shared/model.js";
import { element, hidden } from "../dom.js";
import type { Palette } from "../Palette.js";
import { avatar } from "./avatar.js";
import { MemberList } from "./MemberList.js";
import { Profile } from "./Profile.js";

/** How many avatars the button shows. */
const SHOWN = 3;

/** The members of the room and the user's profile: beside the messages, and on a phone behind a button. */
export class PeoplePanel {
  readonly #members: MemberList;
  readonly #panel: HTMLElement;
  readonly #button = element("button", { type: "button", "aria-expanded": "false", "aria-controls": "people" });
  readonly root: HTMLElement;

  constructor(
    own: { readonly id: string; readonly name: string },
    private readonly palette: Palette,
    onLeave: () => void,
    signal: AbortSignal,
  ) {
    this.#members = new MemberList(own.id, palette);
    const profile = new Profile(own.name, palette.hueOf(own.id), onLeave);
    this.#panel = element("div", { class: "panel", id: "people" }, this.#members.root, profile.root);
    this.root = element("div", { class: "people" }, this.#button, this.#panel);
    this.#button.addEventListener("click", () => this.#toggle(!this.#isOpen));
    document.addEventListener(
      "pointerdown",
      ({ target }) => !this.root.contains(target as Node) && this.#toggle(false),
      {
        signal,
      },
    );
    this.root.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape" || !this.#isOpen) return;
      this.#toggle(false);
      this.#button.focus();
    });
  }

  show(members: readonly Presence[]): void {
    this.#members.show(members);
    const avatars = members.slice(0, SHOWN).map(({ userId, name }) => avatar(name, this.palette.hueOf(userId)));
    this.#button.replaceChildren(...avatars, element("span", {}, String(members.length)), hidden("span", {}, " here"));
  }

  get #isOpen(): boolean {
    return this.#button.getAttribute("aria-expanded") === "true";
  }

  #toggle(isOpen: boolean): void {
    this.#button.setAttribute("aria-expanded", String(isOpen));
  }
}
