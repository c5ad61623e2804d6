import type { GGContext } from "@grest-ts/context";
import type { Transport } from "../../transport/transport.js";
import { answeredAtOnce } from "../answeredAtOnce.js";
import type { Slot } from "../ledger.js";

/** Which connections are to be closed, and how. */
export interface Revocation {
  readonly match: () => boolean;
  readonly code: number;
  readonly reason: string;
}

/** Revocations in their order, each with the one that follows: those before the oldest pending handshake are released. */
interface RevocationEntry {
  readonly revocation?: Revocation;
  next?: RevocationEntry;
}

interface PendingHandshake {
  readonly context: GGContext;
  readonly slot: Pick<Slot, "id">;
  /** The last revocation before it began. */
  readonly since: RevocationEntry;
  /** Whether it has become a connection, whose connection handler is still running. */
  isAccepted: boolean;
}

/**
 * The handshakes of one API in progress, until the connection handler is done: up to then middlewares and handler may
 * set whose connection it is.
 */
export class PendingHandshakes {
  readonly #pending = new Map<Transport, PendingHandshake>();
  #latest: RevocationEntry = {};
  #isClosing = false;

  started(transport: Transport, context: GGContext, slot: Pick<Slot, "id">): void {
    this.#pending.set(transport, { context, slot, since: this.#latest, isAccepted: false });
  }

  /** The transports of those that have not become a connection, with the ids that these will have. */
  get open(): [Transport, string][] {
    const open = [...this.#pending].filter(([, { isAccepted }]) => !isAccepted);
    return open.map(([transport, { slot }]) => [transport, slot.id]);
  }

  /** It has become a connection. */
  accepted(transport: Transport): void {
    const handshake = this.#pending.get(transport);
    if (handshake) handshake.isAccepted = true;
  }

  ended(transport: Transport): void {
    this.#pending.delete(transport);
  }

  /** Whether a handshake may still become a connection: not when it was ended from here. */
  isPending(transport: Transport): boolean {
    return !this.#isClosing && this.#pending.has(transport);
  }

  /** The revocation since it began that a handshake matches by now; `undefined` when none does. */
  takeRevocation(transport: Transport): Revocation | undefined {
    const handshake = this.#pending.get(transport);
    for (let entry = handshake?.since.next; entry; entry = entry.next) {
      if (!handshake || !entry.revocation || !isMatch(handshake.context, entry.revocation.match)) continue;
      this.#pending.delete(transport);
      return entry.revocation;
    }
    return undefined;
  }

  /** Closes the handshakes that match now, and remembers the revocation for the others. Returns how many it closed. */
  revoke(revocation: Revocation): number {
    const { match, code, reason } = revocation;
    let count = 0;
    for (const [transport, { context, isAccepted }] of this.#pending) {
      if (isAccepted || !isMatch(context, match)) continue;
      this.#pending.delete(transport);
      transport.close(code, reason);
      count++;
    }
    const entry: RevocationEntry = { revocation };
    this.#latest.next = entry;
    this.#latest = entry;
    return count;
  }

  /** Closes all handshakes, and lets none become a connection any more. */
  closeAll(code: number, reason: string): void {
    this.#isClosing = true;
    for (const [transport, { isAccepted }] of this.#pending) if (!isAccepted) transport.close(code, reason);
  }
}

/** Before the middlewares have run, what `match` reads may be missing; it may throw then. */
function isMatch(context: GGContext, match: () => boolean): boolean {
  try {
    return answeredAtOnce(context.run(match));
  } catch {
    return false;
  }
}
