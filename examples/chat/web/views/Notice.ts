import { element } from "../dom.js";

const RECONNECTED_SHOWN_MS = 4_000;

/** Says whether the conversation is complete after an interruption. */
export class Notice {
  readonly root = element("div", { class: "notice", role: "status" });
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** For a moment. What it says about missed messages stays. */
  showReconnected(): void {
    if (this.#timer === undefined && this.root.hasChildNodes()) return;
    this.#show(element("p", {}, "Reconnected"));
    this.#timer = setTimeout(() => this.clear(), RECONNECTED_SHOWN_MS);
  }

  /** Until the user dismisses it. */
  showMissed(): void {
    const close = element("button", { type: "button", "aria-label": "Dismiss" }, "×");
    close.addEventListener("click", () => this.clear());
    this.#show(element("p", { class: "missed" }, "You may have missed messages", close));
  }

  clear(): void {
    this.#show();
  }

  #show(...content: Node[]): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.root.replaceChildren(...content);
  }
}
