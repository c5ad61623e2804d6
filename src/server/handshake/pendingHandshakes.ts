import type { GGContext } from "@grest-ts/context";
import type { Transport } from "../../transport/transport.js";

/** Which connections are to be closed, and how. */
export interface Revocation {
  readonly match: () => boolean;
  readonly code: number;
  readonly reason: string;
}

interface PendingHandshake {
  readonly context: GGContext;
  /** What was revoked while its middlewares were running. */
  readonly revocations: Revocation[];
}

/** The handshakes of one API that are under way. */
export class PendingHandshakes {
  readonly #pending = new Map<Transport, PendingHandshake>();
  #isClosing = false;

  /** How many there are. */
  get size(): number {
    return this.#pending.size;
  }

  handshakeStarted(transport: Transport, context: GGContext): void {
    this.#pending.set(transport, { context, revocations: [] });
  }

  handshakeEnded(transport: Transport): void {
    this.#pending.delete(transport);
  }

  /** Whether a handshake may still become a connection: not when it was ended from here. */
  isPending(transport: Transport): boolean {
    return !this.#isClosing && this.#pending.has(transport);
  }

  /** Takes the revocation that a handshake has met, now that its middlewares have run; `undefined` when none. */
  takeRevocation(transport: Transport): Revocation | undefined {
    const handshake = this.#pending.get(transport);
    const revocation = handshake?.revocations.find(({ match }) => isMatch(handshake.context, match));
    if (revocation) this.#pending.delete(transport);
    return revocation;
  }

  /** Closes those that match now, and remembers the revocation for the others. Returns how many it closed. */
  revoke(revocation: Revocation): number {
    const { match, code, reason } = revocation;
    let count = 0;
    for (const [transport, { context, revocations }] of this.#pending) {
      if (isMatch(context, match)) {
        this.#pending.delete(transport);
        transport.close(code, reason);
        count++;
      } else revocations.push(revocation);
    }
    return count;
  }

  /** Closes all, and lets none become a connection any more. */
  closeAll(code: number, reason: string): void {
    this.#isClosing = true;
    for (const transport of this.#pending.keys()) transport.close(code, reason);
  }
}

/** Before the middlewares have run, what `match` reads may be missing; it may throw then. */
function isMatch(context: GGContext, match: () => boolean): boolean {
  try {
    return context.run(match);
  } catch {
    return false;
  }
}
