import type { ConnectionState } from "../../client/Connection.js";
import { Countdown } from "../../client/Countdown.js";
import { element } from "../dom.js";

/** How long good news is shown, in ms. */
const SHOWN_MS = 6_000;

/** What interrupts the conversation, and how it goes on: above the messages, which it moves and never covers. */
export class StatusBar {
  readonly #text = element("p", { role: "status" });
  /** Not a part of the status, which would be read out every second. */
  readonly #countdown = element("span", { class: "countdown" });
  readonly #button = element("button", { type: "button", class: "small" });
  readonly root = element("div", { class: "status" }, this.#text, this.#countdown, this.#button);
  readonly #clock = new Countdown((seconds) => {
    this.#countdown.textContent = `next try in ${seconds} s`;
  });
  #press = () => {};
  /** That messages may be missing, until the user has read it. */
  #missing: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onTry is called when the user does not want to wait for the next attempt */
  constructor(private readonly onTry: () => void) {
    this.#button.addEventListener("click", () => this.#press());
    this.clear();
  }

  /** Says that there is no connection. Nothing changes while there is one: `showReturn` says how it goes on. */
  showState(state: ConnectionState, nextTryAt: number | undefined): void {
    this.#clock.stop();
    this.#countdown.textContent = "";
    const { tone } = this.root.dataset;
    // The first attempt is over at once, mostly.
    const isBeginning = state === "connecting" && nextTryAt === undefined && tone === "none";
    if (state === "online" && (tone === "wait" || tone === "bad")) this.clear();
    else if (state === "offline") this.#show("bad", "Disconnected", "Connect", this.onTry);
    else if (state !== "online" && !isBeginning) {
      this.#show("wait", state === "connecting" ? "Connecting…" : "Reconnecting…", "Try now", this.onTry);
      this.#button.disabled = nextTryAt === undefined;
      if (nextTryAt !== undefined) this.#clock.start(nextTryAt);
    }
  }

  /** For a moment; that messages may be missing, until the user has read it, whatever comes in between. */
  showReturn(text: string, isComplete: boolean): void {
    if (!isComplete) this.#missing = text;
    if (this.#missing === undefined) {
      this.#show("good", text);
      this.#timer = setTimeout(() => this.clear(), SHOWN_MS);
      return;
    }
    this.#show("missing", this.#missing, "OK", () => {
      this.#missing = undefined;
      this.clear();
    });
  }

  clear(): void {
    this.#clock.stop();
    this.#show("none", "");
  }

  #show(tone: string, text: string, button = "", press = () => {}): void {
    clearTimeout(this.#timer);
    this.root.dataset.tone = tone;
    // The same text again would be read out again.
    if (this.#text.textContent !== text) this.#text.textContent = text;
    this.#button.textContent = button;
    this.#button.hidden = button === "";
    this.#button.disabled = false;
    this.#press = press;
  }
}
