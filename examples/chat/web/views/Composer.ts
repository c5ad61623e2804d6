import { newMessageId } from "../../client/newMessageId.js";
import { MAX_TEXT } from "../../shared/ChatApi.js";
import { element } from "../dom.js";

/** How often a typing notice is sent, in ms. */
const TYPING_EVERY_MS = 2_000;

/** From how many characters before the limit on they are counted. */
const COUNTED_FROM = MAX_TEXT - 200;

export interface ComposerActions {
  /** Resolves to whether it was sent; if it was not, the text comes back. */
  send(text: string, messageId: string): Promise<boolean>;
  startTyping(): void;
}

interface Unsent {
  readonly id: string;
  readonly text: string;
  /** Its place among the others. */
  readonly at: number;
}

/**
 * The message input. Enter sends, Shift+Enter starts a new line. What is typed while there is no connection stays, and what
 * was not sent comes back, in front of what has been typed since.
 */
export class Composer {
  readonly root: HTMLElement;
  readonly #text = element("textarea", { rows: "1", "aria-label": "Message", enterkeyhint: "send", disabled: true });
  readonly #length = element("output", { class: "length", "aria-label": "Length" });
  readonly #send = element("button", { class: "primary", disabled: true }, "Send");
  #isOnline = false;
  #announcedAt = 0;
  /** What has come back, and is in front of what is typed, in the order in which it was written. */
  #unsent: readonly Unsent[] = [];
  #submitted = 0;

  constructor(
    private readonly actions: ComposerActions,
    draft: string,
  ) {
    this.#text.value = draft;
    const form = element("form", { class: "composer" }, this.#text, this.#length, this.#send);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener("input", () => {
      this.#update();
      this.#announce();
    });
    this.#text.addEventListener("keydown", (event) => {
      // While an input method composes a character, it handles Enter.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    this.root = form;
  }

  /** Opens it for a room, or closes it while there is none. */
  open(roomName: string | undefined): void {
    this.#text.disabled = roomName === undefined;
    this.#text.placeholder = roomName === undefined ? "" : `Message ${roomName}`;
    this.#update();
    // Where there is no keyboard, this would open one on the screen.
    if (matchMedia("(pointer: fine)").matches) this.#text.focus();
  }

  /** What is not sent yet. */
  get draft(): string {
    return this.#text.value;
  }

  /**
   * Messages of this user have arrived. One that had come back, because its reply was lost, is removed, unless it was changed.
   *
   * @returns whether nothing is left that had come back
   */
  confirm(messageIds: readonly string[]): boolean {
    const typed = this.#typed();
    const left = this.#unsent.filter(({ id }) => !messageIds.includes(id));
    if (left.length === this.#unsent.length) return false;
    this.#showUnsent(left, typed);
    return left.length === 0;
  }

  set isOnline(isOnline: boolean) {
    this.#isOnline = isOnline;
    this.#update();
  }

  get #canSend(): boolean {
    const { value } = this.#text;
    return this.#isOnline && !this.#text.disabled && value.trim() !== "" && value.trim().length <= MAX_TEXT;
  }

  #update(): void {
    const length = this.#text.value.trim().length;
    this.#send.disabled = !this.#canSend;
    this.#length.textContent = length > COUNTED_FROM ? `${length} of ${MAX_TEXT} characters` : "";
    this.#text.setAttribute("aria-invalid", String(length > MAX_TEXT));
  }

  async #submit(): Promise<void> {
    if (!this.#canSend) return;
    const message = { id: newMessageId(), text: this.#text.value, at: ++this.#submitted };
    // Cleared at once, so that the next message can be typed while this one is sent.
    this.#showUnsent([], "");
    this.#announcedAt = 0;
    if (await this.actions.send(message.text, message.id)) return;
    const typed = this.#typed();
    this.#showUnsent(
      [...this.#unsent, message].sort((a, b) => a.at - b.at),
      typed,
    );
  }

  /** What is typed after that which has come back. If that was changed, all is as if it was typed. */
  #typed(): string {
    const { value } = this.#text;
    const back = textOf(this.#unsent);
    if (value === back) return "";
    if (this.#unsent.length > 0 && value.startsWith(`${back}\n`)) return value.slice(back.length + 1);
    this.#unsent = [];
    return value;
  }

  #showUnsent(unsent: readonly Unsent[], typed: string): void {
    const { value, selectionStart, selectionEnd } = this.#text;
    this.#unsent = unsent;
    this.#text.value = [textOf(unsent), typed].filter((text) => text !== "").join("\n");
    // The caret stays where it was in what is typed.
    const shift = this.#text.value.length - value.length;
    this.#text.setSelectionRange(Math.max(0, selectionStart + shift), Math.max(0, selectionEnd + shift));
    this.#update();
  }

  #announce(): void {
    const now = Date.now();
    if (!this.#canSend || now - this.#announcedAt < TYPING_EVERY_MS) return;
    this.#announcedAt = now;
    this.actions.startTyping();
  }
}

const textOf = (unsent: readonly Unsent[]): string => unsent.map(({ text }) => text).join("\n");
