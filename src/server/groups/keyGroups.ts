import type { GGBus } from "../../api/bus.js";
import type { SchemaDefinition } from "../../api/schema.js";
import type { ServerConnection } from "../connection/serverConnection.js";
import { withLazyMethods } from "../lazyMethods.js";
import { oneWayOf, sender } from "./group.js";
import { SharedGroup } from "./sharedGroup.js";

/** Before the names of groups that the library makes; those of programs do not begin with it. */
export const INTERNAL = "@";

/** The connections of one API by the keys that the program gives them: a group for each key, on all nodes. */
export class KeyGroups {
  readonly #schema: SchemaDefinition;
  readonly #bus: GGBus | undefined;
  /** Those with connections on this node. */
  readonly #groups = new Map<string, SharedGroup>();

  constructor(schema: SchemaDefinition, bus: GGBus | undefined) {
    this.#schema = schema;
    this.#bus = bus;
  }

  /** Adds a connection that is open, until it closes. */
  add(connection: ServerConnection, keys: readonly string[]): void {
    for (const key of new Set(keys)) {
      const group = this.#groups.get(key) ?? this.#make(key);
      this.#groups.set(key, group);
      void group.add(connection);
      connection.onClose(() => {
        if (group.members.size === 0) this.#groups.delete(key);
      });
    }
  }

  /** The connections of this node that have a key. */
  of(key: string): readonly ServerConnection[] {
    return [...(this.#groups.get(key)?.members.all ?? [])];
  }

  /** What sends to all connections that have a key, on every node. */
  to(key: string): object {
    return withLazyMethods({}, oneWayOf(this.#schema), (method) =>
      sender(() => this.#groups.get(key) ?? this.#make(key), method),
    );
  }

  #make(key: string): SharedGroup {
    const options = { bus: this.#bus, name: `${INTERNAL}${key}`, hasPresence: false };
    return new SharedGroup(this.#schema, options).inUse;
  }
}
