import type { GGBus } from "../../api/bus.js";
import type { SchemaDefinition } from "../../api/schema.js";
import type { ServerConnection } from "../connection/serverConnection.js";
import { LazyMethods } from "../lazyMethods.js";
import { oneWayOf, sender } from "./group.js";
import { SharedGroup } from "./sharedGroup.js";

/** What the connections of one server that have a key are in. */
interface KeyEntry {
  readonly group: SharedGroup;
  readonly connections: Set<ServerConnection>;
}

/** The connections of one server by the keys that the program gives them: a group for each key, on all nodes. */
export class KeyGroups {
  readonly #schema: SchemaDefinition;
  readonly #bus: GGBus | undefined;
  readonly #entries = new Map<string, KeyEntry>();

  constructor(schema: SchemaDefinition, bus: GGBus | undefined) {
    this.#schema = schema;
    this.#bus = bus;
  }

  /** Adds a connection that is open, until it closes. */
  add(connection: ServerConnection, keys: readonly string[]): void {
    for (const key of new Set(keys)) {
      const entry = this.#entries.get(key) ?? { group: this.#groupOf(key), connections: new Set() };
      this.#entries.set(key, entry);
      entry.connections.add(connection);
      void entry.group.inUse.add(connection);
      connection.onClose(() => {
        entry.connections.delete(connection);
        if (entry.connections.size === 0) this.#entries.delete(key);
      });
    }
  }

  /** The connections of this server that have a key. */
  of(key: string): readonly ServerConnection[] {
    return [...(this.#entries.get(key)?.connections ?? [])];
  }

  /** What sends to all connections that have a key, on every node. */
  to(key: string): object {
    // Without a bus the group of a key lasts as long as its connections.
    const current = () => this.#entries.get(key)?.group ?? this.#groupOf(key);
    const methods = new LazyMethods(
      oneWayOf(this.#schema),
      (method) =>
        (...args) =>
          sender(current(), method)(...args),
    );
    return methods.addTo({});
  }

  #groupOf(key: string): SharedGroup {
    return new SharedGroup(this.#schema, { bus: this.#bus, name: `@key:${key}`, hasPresence: false });
  }
}
