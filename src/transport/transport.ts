/**
 * What a socket needs of the line under it. `transport/` implements it for `ws` and for the native WebSocket.
 * A transport calls its listener and nothing else; it keeps no list of them.
 */
export interface Transport {
  /** Who hears of the transport from now on, in place of the one before. */
  attach(listener: TransportListener): void;
  /** Hands text messages over in their order, in one write where the platform can. */
  send(messages: readonly string[]): void;
  /** Hands over a message that other connections get too. */
  sendShared?(message: SharedMessage): void;
  /** How many bytes were handed over and have not left yet, since the peer reads too slowly. */
  backlog?(): number;
  /** Asks the peer for a sign of life below the messages; answered by `onAlive`. */
  ping?(): void;
  /** Begins the closing handshake. A code that must not be sent is left out, a reason too long is cut. */
  close(code?: number, reason?: string): void;
  /** Ends the line at once. */
  terminate(): void;
  /**
   * A message of so many characters waits for somebody to take it. Where the platform can, reading stops at so many of
   * them, and the peer then feels back pressure.
   */
  hold?(length: number): void;
  /** Nothing waits any more: reads again. */
  resume?(): void;
}

/** What a transport reports. After `onClosed` it reports nothing more. */
export interface TransportListener {
  /** The line is open (a transport that was accepted is open from the start, and never says so). */
  onOpen?(): void;
  /** A text message has arrived. */
  onText(text: string): void;
  /** The peer has given a sign of life that is no message. */
  onAlive?(): void;
  /** The line has ended; 1006 when it broke. */
  onClosed(code: number, reason: string): void;
  /** Something failed; `onClosed` follows. */
  onFailed(error: Error): void;
}

/** A message to many connections: a transport frames it once and keeps the frame here. */
export class SharedMessage {
  /** Made by the first transport that sends it, for the others of its kind. */
  frame: Uint8Array | undefined;

  constructor(readonly text: string) {}
}
