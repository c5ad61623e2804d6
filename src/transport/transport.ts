/**
 * What a connection needs of the layer below. `transport/` implements it for `ws` and for the native WebSocket.
 * A transport calls its listener and nothing else; it keeps no list of them.
 */
export interface Transport {
  /** The platform's `WebSocket`, in a transport over one: inspections see there what passes. */
  readonly socket?: object;
  /** Sets the listener, in place of the one before. */
  attach(listener: TransportListener): void;
  /** Hands text messages over in their order, in one write where the platform can. */
  send(messages: readonly string[]): void;
  /** Hands over a message that other connections get too. */
  sendShared?(message: SharedMessage): void;
  /** How many bytes were handed over and are not sent yet, since the peer reads too slowly. */
  backlog?(): number;
  /**
   * Looks for signs of life of the peer, as far as the platform shows them. The number changes when messages, pings, pongs
   * or bytes have arrived, or when bytes that waited at the last look have been sent; it is NaN while reading is paused.
   * Where this end is busy, so that the peer may miss a sign of life, it gets one.
   */
  watchLife?(): number;
  /** A number that changes when bytes that waited at the last look have been sent. */
  watchSending?(): number;
  /** Sends a ping frame; `onAlive` reports the answer. */
  ping?(): void;
  /** Begins the closing handshake. A code that must not be sent is left out, a reason too long is cut. */
  close(code?: number, reason?: string): void;
  /** Ends the connection without a closing handshake. */
  terminate(): void;
  /**
   * A message of this many characters waits to be handled. Where the platform can, reading pauses at a limit, which
   * puts back pressure on the peer. Returns false when reading must go on, and there is no room for the message.
   */
  hold?(length: number, mustKeepReading?: boolean): boolean;
  /** Resumes reading, though messages wait. */
  keepReading?(): void;
  /** Nothing waits any more: resumes reading. */
  resume?(): void;
}

/** What a transport reports. After `onClosed` it reports nothing more. */
export interface TransportListener {
  /** The connection is open; not called on an accepted one, which is open from the start. */
  onOpen?(): void;
  /** A text message has arrived. */
  onText(text: string): void;
  /** A ping or pong frame has arrived. */
  onAlive?(): void;
  /** Nothing but parts of messages arrives, or reading is paused: the peer has been sent a ping. */
  onBusy?(): void;
  /** The connection has ended; 1006 when it broke. */
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
