import { randomUUID } from "node:crypto";
import type { Limits } from "./limits.js";

/** A connection whose outgoing bytes are counted, until it has closed. */
export interface Sender {
  /** Hands over what waits, and returns how many bytes wait for its peer. */
  measureBacklog(): number;
  /** Closes it at once, since its peer reads too slowly: all that waits is released. */
  dropSlowConsumer(): void;
}

/**
 * What the peers of one API hold together: sockets, from the upgrade until they have closed, and bytes that wait for
 * readers. What one connection does, its own gate and inbox count.
 */
export class Ledger {
  readonly #limits: Limits;
  readonly #senders: Iterable<Sender>;
  readonly #byAddress = new Map<string, number>();
  #sockets = 0;
  #unaccepted = 0;
  /** Never fewer than the bytes that wait for all peers. */
  #atMostWaiting = 0;
  #isDropping = false;

  constructor(limits: Limits, senders: Iterable<Sender>) {
    this.#limits = limits;
    this.#senders = senders;
  }

  /** How many sockets are open: connections, handshakes, and those that are closing. */
  get sockets(): number {
    return this.#sockets;
  }

  /** How many of these are not accepted: in their handshake, or refused and not closed yet. */
  get unaccepted(): number {
    return this.#unaccepted;
  }

  /** How many of these are of an address. */
  of(address: string): number {
    return this.#byAddress.get(address) ?? 0;
  }

  /** Counts a socket until its slot is released. */
  open(address: string | undefined): Slot {
    this.#sockets++;
    this.#unaccepted++;
    if (address !== undefined) this.#byAddress.set(address, this.of(address) + 1);
    return new Slot(this, address);
  }

  /**
   * Counts bytes that a peer is about to be sent. When the limit for all peers may be reached, what waits is counted; with
   * more than nine tenths of it the slowest are dropped until a quarter is free, so that counting stays rare.
   */
  outboxGrows(bytes: number): void {
    const { maxTotalOutboxBytes } = this.#limits;
    this.#atMostWaiting += bytes;
    // What is dropped may send: that is counted, and no more.
    if (this.#isDropping || this.#atMostWaiting <= maxTotalOutboxBytes) return;
    const waiting = Array.from(this.#senders, (sender) => ({ sender, bytes: sender.measureBacklog() })).sort(
      (a, b) => a.bytes - b.bytes,
    );
    this.#atMostWaiting = waiting.reduce((sum, { bytes }) => sum + bytes, bytes);
    if (this.#atMostWaiting <= 0.9 * maxTotalOutboxBytes) return;
    this.#isDropping = true;
    while (waiting.length > 0 && this.#atMostWaiting > 0.75 * maxTotalOutboxBytes) {
      const slowest = waiting.pop();
      if (!slowest?.bytes) break;
      this.#atMostWaiting -= slowest.bytes;
      slowest.sender.dropSlowConsumer();
    }
    this.#isDropping = false;
  }

  /** The handshake of a slot's socket was accepted. */
  accepted(): void {
    this.#unaccepted--;
  }

  /** The socket of a slot has closed. */
  closed(slot: Slot): void {
    this.#sockets--;
    if (!slot.isAccepted) this.#unaccepted--;
    const { address } = slot;
    if (address === undefined) return;
    const others = this.of(address) - 1;
    if (others > 0) this.#byAddress.set(address, others);
    else this.#byAddress.delete(address);
  }
}

/** Distinguishes the connections of this process from those of others. */
const PROCESS = randomUUID().slice(0, 8);

let lastNumber = 0;

/** The place of one socket in the ledger. It belongs to the socket, and not to the work that is done for it. */
export class Slot {
  /** What the program counts as its address, else that of the TCP peer. */
  readonly address: string | undefined;
  readonly #number = ++lastNumber;
  readonly #ledger: Ledger;
  #isAccepted = false;
  #controller: AbortController | undefined;
  #isClosed = false;

  constructor(ledger: Ledger, address: string | undefined) {
    this.#ledger = ledger;
    this.address = address;
  }

  /** Identifies the connection in log entries, also among those of other processes. */
  get id(): string {
    return `${PROCESS}-${this.#number}`;
  }

  /** Whether its handshake was accepted. */
  get isAccepted(): boolean {
    return this.#isAccepted;
  }

  /** Aborted when the socket has closed. Created lazily: most connections do not need it. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isClosed) this.#controller.abort();
    return this.#controller.signal;
  }

  /** The handshake was accepted. */
  accept(): void {
    this.#isAccepted = true;
    if (!this.#isClosed) this.#ledger.accepted();
  }

  /** The socket has closed. */
  release(): void {
    this.#isClosed = true;
    this.#ledger.closed(this);
    this.#controller?.abort();
  }
}
