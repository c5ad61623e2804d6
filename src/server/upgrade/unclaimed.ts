import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setDeadline } from "../../connection/deadlines.js";

/** How long other listeners may take to claim an upgrade, in ms. */
const CLAIM_TIMEOUT = 5_000;

/** Calls back unless another listener has begun to read, write, close or watch the socket in time. */
export function whenUnclaimed(socket: Duplex, callback: () => void): void {
  const isClaimed = claimOf(socket);
  const cancel = setDeadline(CLAIM_TIMEOUT, () => {
    socket.off("close", cancel);
    if (!isClaimed()) callback();
  });
  socket.once("close", cancel);
}

/** The same once the other listeners have been called, which is before anything else arrives. */
export function unlessClaimed(socket: Duplex, callback: () => void): void {
  const isClaimed = claimOf(socket);
  process.nextTick(() => {
    if (!socket.destroyed && !isClaimed()) callback();
  });
}

/** What tells, from now on, whether another listener has the socket. */
function claimOf(socket: Duplex): () => boolean {
  const { bytesWritten } = socket as Socket;
  return () =>
    // Node sets `readableFlowing` to null when it hands a socket over; listeners for `data` and `readable` change that.
    socket.readableFlowing !== null ||
    socket.writableEnded ||
    (socket as Socket).bytesWritten !== bytesWritten ||
    // The router has one itself; a proxy adds its own while it connects.
    socket.listenerCount("error") > 1;
}
