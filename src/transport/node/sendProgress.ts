/** What Node's handle of a stream says about the write in progress. */
interface StreamHandle {
  readonly writeQueueSize?: number;
  /** The TCP connection below TLS. */
  readonly _parent?: StreamHandle | null;
}

/** What a socket of Node shows of its bytes, by its private handle too; each part may be missing in another runtime. */
export interface ByteCounts {
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  readonly _handle?: StreamHandle | null;
}

/**
 * Counts looks at which bytes that waited at the look before had been sent. A write that finds room in the buffers of the
 * system leaves at once, also when the peer is dead; what waits goes on only when the peer has taken bytes.
 */
export class SendProgress {
  #done = 0;
  #queued = 0;
  #moves = 0;

  /** @param waiting bytes that were handed over and are not sent yet, those of a write in progress as a whole */
  count(waiting: number, { bytesWritten = 0, _handle: handle }: ByteCounts = {}): number {
    const done = bytesWritten - waiting;
    // What is left of the write in progress, which may be one of many megabytes.
    const queued = (handle?._parent ?? handle)?.writeQueueSize ?? waiting;
    if (this.#queued > 0 && (done > this.#done || queued < this.#queued)) this.#moves++;
    this.#done = done;
    this.#queued = queued;
    return this.#moves;
  }
}
