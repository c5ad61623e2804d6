import type { Presence } from "../../shared/model.js";
import { element } from "../dom.js";
import type { Palette } from "../Palette.js";
import { avatar } from "./avatar.js";
import { nameOf } from "./names.js";

/** The members of the room. */
export class MemberList {
  readonly root: HTMLElement;
  readonly #list = element("ul");

  constructor(
    private readonly ownId: string,
    private readonly palette: Palette,
  ) {
    this.root = element(
      "section",
      { class: "members", "aria-label": "Who is here", tabindex: "0" },
      element("h2", {}, "Here now"),
      this.#list,
    );
  }

  show(members: readonly Presence[]): void {
    this.#list.replaceChildren(
      ...members.map(({ userId, name }) =>
        element(
          "li",
          { title: name },
          avatar(name, this.palette.hueOf(userId)),
          element("span", { class: "name" }, nameOf(name)),
          ...(userId === this.ownId ? [element("span", { class: "you" }, "you")] : []),
        ),
      ),
    );
  }
}
