/** A message to many connections: a transport frames it once and keeps the frame here. */
export class SharedMessage {
  /** Made by the first transport that sends it, for the others of its kind. */
  frame: Uint8Array | undefined;

  constructor(readonly text: string) {}
}
