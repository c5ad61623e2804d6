import type { InspectedServer } from "../api/inspect.js";
import type { Unsubscribe } from "../api/unsubscribe.js";
import type { Transport } from "../transport/transport.js";

type Tap = Parameters<InspectedServer["tap"]>[0];

/** Those who inspect the connections of an API. */
export class Taps {
  readonly #taps = new Set<Tap>();
  readonly #open: () => Iterable<readonly [Transport, string]>;

  /** @param open gives the transports that are open, with the ids of their connections; one may come twice */
  constructor(open: () => Iterable<readonly [Transport, string]>) {
    this.#open = open;
  }

  /** A transport was made, of which nothing was read yet. */
  opened(transport: Transport, slot: { readonly id: string }): void {
    for (const tap of this.#taps) tap(transport, slot.id);
  }

  /** See `InspectedServer`. */
  add(callback: Tap): Unsubscribe {
    // A function of its own: the same may be given twice.
    const tap: Tap = (transport, id) => callback(transport, id);
    this.#taps.add(tap);
    for (const [transport, id] of new Map(this.#open())) tap(transport, id);
    return () => this.#taps.delete(tap);
  }
}
