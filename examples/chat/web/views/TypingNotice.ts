import { element } from "../dom.js";
import { listOfNames } from "./names.js";

/** Longer than the interval between two typing notices. */
const SHOWN_MS = 4_000;

/** The users who are typing. */
export class TypingNotice {
  readonly root = element("p", { class: "typing", "aria-live": "polite" });
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  show(name: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(
      name,
      setTimeout(() => this.hide(name), SHOWN_MS),
    );
    this.#render();
  }

  hide(name: string): void {
    clearTimeout(this.#timers.get(name));
    if (this.#timers.delete(name)) this.#render();
  }

  clear(): void {
    for (const name of [...this.#timers.keys()]) this.hide(name);
  }

  #render(): void {
    const names = [...this.#timers.keys()];
    const shown = element("span", {});
    if (names.length > 0) shown.append(...listOfNames(names), ` ${names.length === 1 ? "is" : "are"} typing…`);
    // The same text again would be read out again.
    if (this.root.textContent !== shown.textContent) this.root.replaceChildren(...shown.childNodes);
  }
}
