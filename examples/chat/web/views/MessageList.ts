import type { Message } from "../../shared/model.js";
import { element } from "../dom.js";
import type { Palette } from "../Palette.js";
import { messageItem } from "./messageItem.js";
import { listOfNames } from "./names.js";

/** How far from the end the newest message counts as seen, in px. */
const NEAR_END = 80;

/** The messages, oldest first. The newest one stays in view, unless the user has scrolled away from it. */
export class MessageList {
  readonly root: HTMLElement;
  readonly #list = element("ol");
  readonly #empty = element(
    "div",
    { class: "empty" },
    element("p", { class: "title" }, "Nothing here yet"),
    element("p", {}, "Say hello: others see it at once."),
  );
  readonly #shown = new Map<string, Message>();
  readonly #receipt = element("p", { class: "receipt" });
  readonly #readers = new Set<string>();
  #unread: Message | undefined;
  #isAtEnd = true;

  constructor(
    private readonly ownId: string,
    private readonly palette: Palette,
    private readonly onRead: (message: Message) => void,
    signal: AbortSignal,
  ) {
    this.root = element(
      "div",
      { class: "messages", role: "log", "aria-label": "Messages", "aria-live": "polite", tabindex: "0" },
      this.#empty,
      this.#list,
    );
    this.root.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.root;
      this.#isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    });
    // What appears above or below takes room from it.
    const sizes = new ResizeObserver(() => this.#stayAtEnd());
    sizes.observe(this.root);
    signal.addEventListener("abort", () => sizes.disconnect());
    // A message that arrived while the page was hidden counts as read once it is visible.
    document.addEventListener("visibilitychange", () => this.#markAsRead(), { signal });
  }

  has(messageId: string): boolean {
    return this.#shown.has(messageId);
  }

  /** While a history loads, screen readers announce nothing. */
  set isBusy(isBusy: boolean) {
    this.root.setAttribute("aria-busy", String(isBusy));
  }

  clear(): void {
    this.#shown.clear();
    this.#unread = undefined;
    this.#isAtEnd = true;
    this.#list.replaceChildren();
    this.#empty.hidden = false;
  }

  /** Adds messages that are not shown yet: a history may contain some that the socket has already delivered. */
  merge(messages: readonly Message[]): void {
    const fresh = messages.filter(({ id }) => !this.#shown.has(id));
    if (fresh.length === 0) return;
    const last = [...this.#shown.values()].at(-1);
    const isInOrder = !last || fresh.every(({ timestamp }) => timestamp >= last.timestamp);
    for (const message of fresh) this.#shown.set(message.id, message);
    if (isInOrder) this.#append(fresh, last);
    else this.#rebuild();
    this.#empty.hidden = true;

    this.#isAtEnd ||= fresh.at(-1)?.senderId === this.ownId;
    this.#stayAtEnd();
    this.#unread = fresh.findLast(({ senderId }) => senderId !== this.ownId) ?? this.#unread;
    this.#markAsRead();
  }

  /** Notes under your latest message who has seen it. */
  showReader(messageId: string, name: string): void {
    const own = [...this.#shown.values()].findLast(({ senderId }) => senderId === this.ownId);
    if (own?.id !== messageId) return;
    this.#readers.add(name);
    this.#receipt.replaceChildren("Seen by ", ...listOfNames([...this.#readers]));
    this.#list.querySelector(`[data-id="${CSS.escape(messageId)}"]`)?.append(this.#receipt);
    this.#stayAtEnd();
  }

  #append(messages: readonly Message[], before: Message | undefined): void {
    let previous = before;
    for (const message of messages) {
      const isOwn = message.senderId === this.ownId;
      if (isOwn) {
        this.#receipt.remove();
        this.#readers.clear();
      }
      this.#list.append(messageItem(message, { isOwn, hue: this.palette.hueOf(message.senderId), previous }));
      previous = message;
    }
  }

  #rebuild(): void {
    const sorted = [...this.#shown.values()].sort((a, b) => a.timestamp - b.timestamp);
    this.#shown.clear();
    for (const message of sorted) this.#shown.set(message.id, message);
    this.#list.replaceChildren();
    this.#append(sorted, undefined);
  }

  #stayAtEnd(): void {
    if (this.#isAtEnd) this.root.scrollTop = this.root.scrollHeight;
  }

  #markAsRead(): void {
    if (!this.#unread || document.visibilityState !== "visible") return;
    this.onRead(this.#unread);
    this.#unread = undefined;
  }
}
