import type { Resumption } from "../../protocol/resume.js";

/** A connection that a client has named itself on. */
interface Named {
  readonly serial: number;
  readonly connection: object;
}

/**
 * The clients that are connected to one API here, by the names that they give themselves. A client keeps its name on every
 * connection, each with a higher number: one that takes the name of another with a number that was used gets none.
 */
export class ClientIds {
  /** The latest open connection of each. */
  readonly #latest = new Map<string, Named>();

  /** The id that a connection has by its name until `release`, if it may have that. None is that of a connection. */
  claim({ session, serial }: Resumption, connection: object): string | undefined {
    const id = `~${session}`;
    const latest = this.#latest.get(id);
    if (!session || (latest && latest.serial >= serial)) return undefined;
    this.#latest.set(id, { serial, connection });
    return id;
  }

  release(id: string, connection: object): void {
    if (this.#latest.get(id)?.connection === connection) this.#latest.delete(id);
  }
}
