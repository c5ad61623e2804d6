import type { Presence, Room } from "../../shared/model.js";
import { element } from "../dom.js";

/** The rooms to choose from, with their member counts. */
export class RoomList {
  readonly root: HTMLElement;
  readonly #list = element("ul");
  readonly #entries = new Map<string, { readonly button: HTMLButtonElement; readonly count: HTMLElement }>();

  constructor(private readonly onChoose: (room: Room) => void) {
    this.root = element("nav", { class: "rooms", "aria-label": "Rooms" }, element("h2", {}, "Rooms"), this.#list);
  }

  show(rooms: readonly Room[]): void {
    const selected = [...this.#entries].find(([, { button }]) => button.hasAttribute("aria-current"))?.[0];
    this.#entries.clear();
    this.#list.replaceChildren(...rooms.map((room) => this.#entry(room)));
    if (selected) this.select(selected);
  }

  select(roomId: string): void {
    for (const [id, { button }] of this.#entries) {
      if (id === roomId) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  set isEnabled(isEnabled: boolean) {
    for (const { button } of this.#entries.values()) button.disabled = !isEnabled;
  }

  showCounts(online: readonly Presence[]): void {
    for (const [id, { count }] of this.#entries) {
      const there = online.filter(({ channelId }) => channelId === id).length;
      count.textContent = there === 0 ? "" : String(there);
      count.setAttribute("aria-label", `${there} here`);
    }
  }

  #entry(room: Room): HTMLElement {
    const count = element("span", { class: "count" });
    const name = element("span", { class: "name" }, room.name);
    const button = element("button", { type: "button", title: room.topic }, name, count);
    button.addEventListener("click", () => this.onChoose(room));
    this.#entries.set(room.id, { button, count });
    return element("li", {}, button);
  }
}
