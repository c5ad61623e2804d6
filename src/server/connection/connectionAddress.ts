import type { WsConnectionContext } from "../../api/contextKeys.js";
import type { Slot } from "../ledger.js";

/** What `GG_WS_CONNECTION` holds on a server. Port and path are its own members, as at 0.0.39; the rest is derived. */
export class ConnectionAddress implements WsConnectionContext {
  readonly port: number | undefined;
  readonly path: string;
  readonly #slot: Slot;

  constructor(port: number | undefined, path: string, slot: Slot) {
    this.port = port;
    this.path = path;
    this.#slot = slot;
  }

  get id(): string {
    return this.#slot.id;
  }

  get address(): string | undefined {
    return this.#slot.address;
  }

  get signal(): AbortSignal {
    return this.#slot.signal;
  }
}
