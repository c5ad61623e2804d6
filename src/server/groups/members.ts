import type { SocketMetrics } from "../../connection/endpoint.js";
import type { SharedMessage } from "../../transport/transport.js";
import type { ServerConnection } from "../connection/serverConnection.js";

/** How a message is handed to members. */
export interface MemberDelivery {
  /** The path of its method. */
  readonly path: string;
  readonly isDroppable: boolean;
  /** The id of the connection that does not get it. */
  readonly except?: string | undefined;
}

/** The connections of a group. Each leaves when it closes. */
export class Members {
  /** Each with the function that removes its close callback. */
  readonly #members = new Map<ServerConnection, () => void>();
  readonly #onLeft: (connection: ServerConnection, hasClosed: boolean) => void;

  constructor(onLeft: (connection: ServerConnection, hasClosed: boolean) => void = () => {}) {
    this.#onLeft = onLeft;
  }

  get size(): number {
    return this.#members.size;
  }

  has(connection: ServerConnection): boolean {
    return this.#members.has(connection);
  }

  get all(): Iterable<ServerConnection> {
    return this.#members.keys();
  }

  /** Any of them. */
  get first(): ServerConnection | undefined {
    return this.#members.keys().next().value;
  }

  /** Returns whether it is new. */
  add(connection: ServerConnection): boolean {
    if (!connection.isOpen || this.has(connection)) return false;
    const stopWatching = connection.onClose(() => {
      if (this.#members.delete(connection)) this.#onLeft(connection, true);
    });
    this.#members.set(connection, stopWatching);
    return true;
  }

  /** Returns whether it was in. */
  remove(connection: ServerConnection): boolean {
    this.#members.get(connection)?.();
    const wasIn = this.#members.delete(connection);
    if (wasIn) this.#onLeft(connection, false);
    return wasIn;
  }

  /** Removes all of them, and returns them. */
  clear(): readonly ServerConnection[] {
    const connections = [...this.#members.keys()];
    for (const connection of connections) this.remove(connection);
    return connections;
  }

  /** Hands the same message to every member, and counts. */
  send(message: SharedMessage, { path, isDroppable, except }: MemberDelivery): void {
    const sent = new Map<SocketMetrics | undefined, number>();
    for (const connection of this.#members.keys()) {
      if (except && connection.id === except) continue;
      const { metrics } = connection.socketEndpoint;
      if (connection.isOpen && connection.sendShared(message, isDroppable)) {
        sent.set(metrics, (sent.get(metrics) ?? 0) + 1);
      } else metrics?.sent(path, connection.isOpen ? "DROPPED" : "CONNECTION_CLOSED");
    }
    for (const [metrics, count] of sent) metrics?.sent(path, "OK", undefined, count);
  }
}
