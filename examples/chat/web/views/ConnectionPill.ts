import type { ConnectionState } from "../Connection.js";
import { element } from "../dom.js";

const LABELS: Readonly<Record<ConnectionState, string>> = {
  connecting: "Connecting…",
  online: "Connected",
  offline: "Disconnected",
};

/** The state of the connection, and a button to reconnect. */
export class ConnectionPill {
  readonly #label = element("span", { class: "pill", role: "status" });
  readonly #reconnect = element("button", { type: "button", class: "primary small", hidden: true }, "Reconnect");
  readonly root = element("div", { class: "connection" }, this.#label, this.#reconnect);

  constructor(onReconnect: () => void) {
    this.#reconnect.addEventListener("click", onReconnect);
  }

  show(state: ConnectionState): void {
    this.#label.textContent = LABELS[state];
    this.#label.dataset.state = state;
    this.#reconnect.hidden = state !== "offline";
  }
}
