import type { Presence } from "../../shared/model.js";
import { element } from "../dom.js";
import { avatar } from "./avatar.js";

/** The members of the room. */
export class MemberList {
  readonly root: HTMLElement;
  readonly #list = element("ul");

  constructor(private readonly ownId: string) {
    this.root = element(
      "section",
      { class: "members", "aria-label": "Who is here" },
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
          avatar(name),
          element("span", { class: "name" }, name),
          ...(userId === this.ownId ? [element("span", { class: "you" }, "you")] : []),
        ),
      ),
    );
  }
}
