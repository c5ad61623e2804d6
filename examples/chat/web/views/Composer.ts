import { MAX_TEXT } from "../../shared/ChatApi.js";
import { element } from "../dom.js";

/** How often a typing notice is sent, in ms. */
const TYPING_EVERY_MS = 2_000;

/** From how many characters before the limit on they are counted. */
const COUNTED_FROM = MAX_TEXT - 200;

export interface ComposerActions {
  /** Resolves to whether it was sent; if it was not, the text stays. */
  send(text: string): Promise<boolean>;
  startTyping(): void;
}

/** The message input. Enter sends, Shift+Enter starts a new line. What is typed while there is no connection stays. */
export class Composer {
  readonly root: HTMLElement;
  readonly #text = element("textarea", { rows: "1", "aria-label": "Message", enterkeyhint: "send", disabled: true });
  readonly #length = element("output", { class: "length", "aria-label": "Length" });
  readonly #send = element("button", { class: "primary", disabled: true }, "Send");
  #isOnline = false;
  #announcedAt = 0;

  constructor(private readonly actions: ComposerActions) {
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

  /** Opens it for a room. */
  open(roomName: string): void {
    this.#text.disabled = false;
    this.#text.placeholder = `Message ${roomName}`;
    // Where there is no keyboard, this would open one on the screen.
    if (matchMedia("(pointer: fine)").matches) this.#text.focus();
  }

  set isOnline(isOnline: boolean) {
    this.#isOnline = isOnline;
    this.#update();
  }

  get #canSend(): boolean {
    const { value } = this.#text;
    return this.#isOnline && value.trim() !== "" && value.trim().length <= MAX_TEXT;
  }

  #update(): void {
    const length = this.#text.value.trim().length;
    this.#send.disabled = !this.#canSend;
    this.#length.textContent = length > COUNTED_FROM ? `${length} of ${MAX_TEXT} characters` : "";
    this.#text.setAttribute("aria-invalid", String(length > MAX_TEXT));
  }

  async #submit(): Promise<void> {
    if (!this.#canSend) return;
    const text = this.#text.value;
    // Cleared at once, so that the next message can be typed while this one is sent.
    this.#text.value = "";
    this.#announcedAt = 0;
    this.#update();
    const isSent = await this.actions.send(text);
    if (!isSent && this.#text.value === "") this.#text.value = text;
    this.#update();
  }

  #announce(): void {
    const now = Date.now();
    if (!this.#canSend || now - this.#announcedAt < TYPING_EVERY_MS) return;
    this.#announcedAt = now;
    this.actions.startTyping();
  }
}
