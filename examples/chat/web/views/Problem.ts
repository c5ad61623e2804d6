import { describeError } from "../../client/describeError.js";
import { element } from "../dom.js";

/** Why what the user wanted did not happen: the latest one, until the user goes on or dismisses it. */
export class Problem {
  readonly #text = element("p");
  readonly root = element("div", { class: "problem", role: "alert" });
  #isLasting = false;

  /** @param isLasting whether another connection mends nothing */
  show(error: unknown, isLasting = false): void {
    this.#isLasting = isLasting;
    const close = element("button", { type: "button", class: "quiet", "aria-label": "Dismiss" }, "×");
    close.addEventListener("click", () => this.clear());
    this.#text.textContent = describeError(error);
    this.root.replaceChildren(this.#text, close);
  }

  /** There is a connection again. */
  clearUnlessLasting(): void {
    if (!this.#isLasting) this.clear();
  }

  clear(): void {
    this.root.replaceChildren();
  }
}
