import type { Presence, Room } from "../../shared/model.js";
import { element, hidden } from "../dom.js";

interface Entry {
  readonly room: Room;
  readonly button: HTMLButtonElement;
  /** How many are there. */
  readonly count: HTMLElement;
  /** How many messages were sent there since the user's last visit. */
  readonly news: HTMLElement;
  newsCount: number;
}

/** The rooms to choose from: how many are there, and how many messages are new. */
export class RoomList {
  readonly root: HTMLElement;
  readonly #list = element("ul");
  readonly #announcement = hidden("p", { role: "status" });
  readonly #entries = new Map<string, Entry>();
  #isLoading = false;

  constructor(
    private readonly onChoose: (room: Room) => void,
    private readonly onReload: () => void,
  ) {
    const heading = element("h2", {}, "Rooms");
    this.root = element("nav", { class: "rooms", "aria-label": "Rooms" }, heading, this.#list, this.#announcement);
  }

  /** How many messages are new, in all rooms. */
  get newsCount(): number {
    return [...this.#entries.values()].reduce((sum, { newsCount }) => sum + newsCount, 0);
  }

  /**
   * Shows the rooms that are requested, or a button to try again. Nothing is requested while they are shown or requested.
   *
   * @returns the first one, when they are new
   */
  async load(request: () => Promise<readonly Room[]>): Promise<Room | undefined> {
    if (this.#isLoading || this.#entries.size > 0) return undefined;
    this.#isLoading = true;
    try {
      const rooms = await request();
      this.#list.replaceChildren(...rooms.map((room) => this.#entry(room)));
      return rooms[0];
    } catch (error) {
      const button = element("button", { type: "button" }, "Load the rooms");
      button.addEventListener("click", this.onReload);
      this.#list.replaceChildren(element("li", {}, button));
      throw error;
    } finally {
      this.#isLoading = false;
    }
  }

  /** The user is in this room, and sees what is new in it; or in none. */
  select(roomId: string | undefined): void {
    for (const [id, entry] of this.#entries) {
      if (id !== roomId) entry.button.removeAttribute("aria-current");
      else {
        entry.button.setAttribute("aria-current", "true");
        this.#showNews(entry, 0);
      }
    }
  }

  set isEnabled(isEnabled: boolean) {
    for (const { button } of this.#entries.values()) button.disabled = !isEnabled;
  }

  showCounts(online: readonly Presence[]): void {
    for (const [id, { count }] of this.#entries) {
      const there = online.filter(({ channelId }) => channelId === id).length;
      count.replaceChildren(...(there === 0 ? [] : [String(there), hidden("span", {}, " here")]));
    }
  }

  addNews(roomId: string): void {
    const entry = this.#entries.get(roomId);
    if (entry) this.#showNews(entry, entry.newsCount + 1);
  }

  #showNews(entry: Entry, newsCount: number): void {
    const { news, room } = entry;
    entry.newsCount = newsCount;
    news.replaceChildren(
      ...(newsCount === 0 ? [] : [newsCount > 99 ? "99+" : String(newsCount), hidden("span", {}, " new")]),
    );
    // Once, and not with every message.
    if (newsCount === 1) this.#announcement.textContent = `New messages in ${room.name}`;
    if (newsCount === 0) this.#announcement.textContent = "";
  }

  #entry(room: Room): HTMLElement {
    const count = element("span", { class: "count" });
    const news = element("span", { class: "news" });
    const name = element("span", { class: "name" }, room.name);
    const button = element("button", { type: "button", title: room.topic }, name, " ", count, " ", news);
    button.addEventListener("click", () => this.onChoose(room));
    this.#entries.set(room.id, { room, button, count, news, newsCount: 0 });
    return element("li", {}, button);
  }
}
