import type { ConnectionState } from "../../client/Connection.js";
import { element } from "../dom.js";

const LABELS: Readonly<Record<ConnectionState, string>> = {
  connecting: "Connecting…",
  online: "Connected",
  reconnecting: "Disconnected",
  offline: "Disconnected",
};

/** The state of the connection, the server process that it has reached, and a button to reconnect. */
export class ConnectionPill {
  readonly #label = element("span", { class: "pill", role: "status" });
  readonly #reconnect = element("button", { type: "button", class: "primary small", hidden: true }, "Reconnect");
  readonly #node = element("span", {
    class: "node",
    title: "The server process that you are connected to",
    hidden: true,
  });
  readonly root = element("div", { class: "connection" }, this.#node, this.#label, this.#reconnect);

  constructor(onReconnect: () => void) {
    this.#reconnect.addEventListener("click", onReconnect);
  }

  show(state: ConnectionState): void {
    this.#label.textContent = LABELS[state];
    this.#label.dataset.state = state;
    if (state !== "online") this.showNode(undefined);
    this.#reconnect.hidden = state !== "offline" && state !== "reconnecting";
  }

  /** Where there are several processes. */
  showNode(name: string | undefined): void {
    this.#node.hidden = name === undefined;
    this.#node.textContent = name === undefined ? "" : `node ${name}`;
  }
}
