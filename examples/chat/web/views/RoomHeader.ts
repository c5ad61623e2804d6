import type { Room } from "../../shared/model.js";
import { element } from "../dom.js";

/** The open room's name and topic. */
export class RoomHeader {
  readonly #name = element("h1", {}, "Chat");
  readonly #topic = element("p");
  readonly root = element("div", { class: "room-header" }, this.#name, this.#topic);

  show(room: Room | undefined): void {
    this.#name.textContent = room?.name ?? "Chat";
    this.#topic.textContent = room?.topic ?? "";
  }
}
