import type { Message } from "../../shared/model.js";
import { element } from "../dom.js";
import { formatDateAndTime, formatNames, formatTime } from "../format.js";
import { avatar } from "./avatar.js";

/** Messages of one user within this time are grouped. */
const GROUP_WITHIN_MS = 5 * 60_000;

/** The messages, oldest first. */
export class MessageList {
  readonly root: HTMLElement;
  readonly #list = element("ol");
  readonly #empty = element("p", { class: "empty" }, "No messages yet. Write the first one!");
  readonly #shown = new Map<string, Message>();
  readonly #receipt = element("span", { class: "receipt" });
  #readers = new Set<string>();
  #unread: Message | undefined;

  constructor(
    private readonly ownId: string,
    private readonly onRead: (message: Message) => void,
    signal: AbortSignal,
  ) {
    this.root = element(
      "div",
      { class: "messages", role: "log", "aria-label": "Messages", "aria-live": "polite", tabindex: "0" },
      this.#empty,
      this.#list,
    );
    // A message that arrived while the page was hidden counts as read once it is visible.
    document.addEventListener("visibilitychange", () => this.#markAsRead(), { signal });
  }

  /** While a history loads, screen readers announce nothing. */
  set isBusy(isBusy: boolean) {
    this.root.setAttribute("aria-busy", String(isBusy));
  }

  clear(): void {
    this.#shown.clear();
    this.#unread = undefined;
    this.#list.replaceChildren();
    this.#empty.hidden = false;
  }

  /** Adds messages that are not shown yet: a history may contain some that the socket has already delivered. */
  merge(messages: readonly Message[]): void {
    const wasAtEnd = this.root.scrollHeight - this.root.scrollTop - this.root.clientHeight < 80;
    const fresh = messages.filter(({ id }) => !this.#shown.has(id));
    if (fresh.length === 0) return;
    const last = [...this.#shown.values()].at(-1);
    const isInOrder = !last || fresh.every(({ timestamp }) => timestamp >= last.timestamp);
    for (const message of fresh) this.#shown.set(message.id, message);
    if (isInOrder) this.#append(fresh, last);
    else this.#rebuild();
    this.#empty.hidden = true;

    const isOwn = fresh.at(-1)?.senderId === this.ownId;
    if (wasAtEnd || isOwn) this.root.scrollTop = this.root.scrollHeight;
    this.#unread = fresh.findLast(({ senderId }) => senderId !== this.ownId) ?? this.#unread;
    this.#markAsRead();
  }

  /** Notes under your latest message who has seen it. */
  showReader(messageId: string, name: string): void {
    const own = [...this.#shown.values()].findLast(({ senderId }) => senderId === this.ownId);
    if (own?.id !== messageId) return;
    this.#readers.add(name);
    this.#receipt.textContent = `Seen by ${formatNames([...this.#readers])}`;
    this.#list.querySelector(`[data-id="${CSS.escape(messageId)}"] .meta`)?.append(this.#receipt);
  }

  #append(messages: readonly Message[], before: Message | undefined): void {
    let previous = before;
    for (const message of messages) {
      this.#list.append(this.#item(message, previous));
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

  #item(message: Message, previous: Message | undefined): HTMLElement {
    const { id, senderId, senderName, text, timestamp } = message;
    const isOwn = senderId === this.ownId;
    if (isOwn) {
      this.#receipt.remove();
      this.#readers = new Set();
    }
    const isFirst = previous?.senderId !== senderId || timestamp - previous.timestamp > GROUP_WITHIN_MS;
    const time = element(
      "time",
      { datetime: new Date(timestamp).toISOString(), title: formatDateAndTime(timestamp) },
      formatTime(timestamp),
    );
    return element(
      "li",
      { "data-id": id, class: ["message", isOwn && "own", isFirst && "first"].filter(Boolean).join(" ") },
      avatar(senderName),
      element("span", { class: "sender" }, isOwn ? "You" : senderName),
      element("p", { class: "bubble" }, text),
      element("span", { class: "meta" }, time),
    );
  }

  #markAsRead(): void {
    if (!this.#unread || document.visibilityState !== "visible") return;
    this.onRead(this.#unread);
    this.#unread = undefined;
  }
}
