import type { ConnectionState } from "../../client/Connection.js";
import { element } from "../dom.js";

const LABELS: Readonly<Record<ConnectionState, string>> = {
  connecting: "Connecting",
  online: "Connected",
  reconnecting: "Not connected",
  offline: "Not connected",
};

/** The state of the connection, and the server process that it has reached. */
export class ConnectionPill {
  readonly #label = element("span", { class: "label" });
  readonly #node = element("span", { class: "node", hidden: true });
  readonly root = element("p", { class: "pill" }, this.#label, this.#node);

  show(state: ConnectionState): void {
    this.#label.textContent = LABELS[state];
    this.root.dataset.state = state;
    if (state !== "online") this.showNode(undefined);
  }

  /** Where there are several processes. */
  showNode(name: string | undefined): void {
    this.#node.hidden = name === undefined;
    this.#node.textContent = name === undefined ? "" : `node ${name}`;
  }
}
