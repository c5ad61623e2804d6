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

  /** Returns whether the connection has the name now, until `release`. */
  claim({ session, serial }: Resumption, connection: object): boolean {
    const latest = this.#latest.get(session);
    if (!session || (latest && latest.serial >= serial)) return false;
    this.#latest.set(session, { serial, connection });
    return true;
  }

  release(session: string, connection: object): void {
    if (this.#latest.get(session)?.connection === connection) this.#latest.delete(session);
  }
}
