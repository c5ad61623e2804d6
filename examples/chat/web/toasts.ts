import { describeError } from "../client/describeError.js";
import { byId, element } from "./dom.js";

const SHOWN_MS = 6_000;

/** Shows a message in a corner of the page for a while. */
export function toast(text: string): void {
  const close = element("button", { type: "button", "aria-label": "Dismiss" }, "×");
  const shown = element("div", { class: "toast" }, element("p", {}, text), close);
  close.addEventListener("click", () => shown.remove());
  setTimeout(() => shown.remove(), SHOWN_MS);
  byId("toasts").append(shown);
}

/** Shows an error's message. */
export function toastError(error: unknown): void {
  toast(describeError(error));
}
