import { element } from "../dom.js";

/** How often a typing notice is sent. */
const TYPING_EVERY_MS = 2_000;

export interface ComposerActions {
  /** Resolves to whether it was sent; if it was not, the text stays. */
  send(text: string): Promise<boolean>;
  startTyping(): void;
}

/** The message input. Enter sends, Shift+Enter starts a new line. */
export class Composer {
  readonly root: HTMLElement;
  readonly #text = element("textarea", { rows: "1", "aria-label": "Message", enterkeyhint: "send", disabled: true });
  readonly #send = element("button", { class: "primary", disabled: true }, "Send");
  #announcedAt = 0;

  constructor(private readonly actions: ComposerActions) {
    const form = element("form", { class: "composer" }, this.#text, this.#send);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener("input", () => this.#announce());
    this.#text.addEventListener("keydown", (event) => {
      // While an input method composes a character, it handles Enter.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    this.root = form;
  }

  enable(placeholder: string): void {
    this.#setEnabled(true, placeholder);
    this.#text.focus();
  }

  disable(placeholder: string): void {
    this.#setEnabled(false, placeholder);
  }

  #setEnabled(isEnabled: boolean, placeholder: string): void {
    this.#text.disabled = !isEnabled;
    this.#send.disabled = !isEnabled;
    this.#text.placeholder = placeholder;
  }

  async #submit(): Promise<void> {
    const text = this.#text.value;
    // Cleared at once, so that the next message can be typed while this one is sent.
    this.#text.value = "";
    this.#announcedAt = 0;
    const isSent = await this.actions.send(text);
    if (!isSent && this.#text.value === "") this.#text.value = text;
  }

  #announce(): void {
    const now = Date.now();
    if (this.#text.value.trim() === "" || now - this.#announcedAt < TYPING_EVERY_MS) return;
    this.#announcedAt = now;
    this.actions.startTyping();
  }
}
