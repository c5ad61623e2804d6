import type { GGContextKey } from "@grest-ts/context";
import { GG_WS_CONNECTION, type WsConnectionContext } from "../../api/contextKeys.js";
import { TracedContext } from "../../connection/trace.js";
import type { Slot } from "../ledger.js";

/** What a connection's context needs of its API. */
interface Address {
  readonly port: number | undefined;
  readonly path: string;
}

/** The context of a connection: its `GG_WS_CONNECTION` is made when something asks for it. */
export class ConnectionContext extends TracedContext {
  readonly #api: Address;
  readonly #slot: Slot;
  #address: ConnectionAddress | undefined;

  constructor(api: Address, slot: Slot) {
    super("ws-connection");
    this.#api = api;
    this.#slot = slot;
  }

  override get<T>(key: GGContextKey<T>): T {
    return super.get(key) ?? ((key.name === GG_WS_CONNECTION.name ? this.#shown : undefined) as T);
  }

  override has<T>(key: GGContextKey<T>): boolean {
    return key.name === GG_WS_CONNECTION.name || super.has(key);
  }

  get #shown(): ConnectionAddress {
    this.#address ??= new ConnectionAddress(this.#api.port, this.#api.path, this.#slot);
    return this.#address;
  }
}

/** What `GG_WS_CONNECTION` holds on a server. Port and path are its own members, as at 0.0.39; the rest is derived. */
class ConnectionAddress implements WsConnectionContext {
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
