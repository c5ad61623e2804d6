import { describeError } from "../client/describeError.js";
import { byId, element } from "./dom.js";

const SHOWN_MS = 6_000;

/** Tells of something in a corner of the page, for a while. */
export function toast(text: string): void {
  const close = element("button", { type: "button", "aria-label": "Dismiss" }, "×");
  const shown = element("div", { class: "toast" }, element("p", {}, text), close);
  close.addEventListener("click", () => shown.remove());
  setTimeout(() => shown.remove(), SHOWN_MS);
  byId("toasts").append(shown);
}

/** Tells what went wrong, in the error's own words. */
export function toastError(error: unknown): void {
  toast(describeError(error));
}
