import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setDeadline } from "../../connection/deadlines.js";

/** How long other listeners may take to claim an upgrade, in ms. */
const CLAIM_TIMEOUT = 5_000;

/** Calls back unless another listener has begun to read, write, close or watch the socket in time. */
export function whenUnclaimed(socket: Duplex, callback: () => void): void {
  const { bytesWritten } = socket as Socket;
  const cancel = setDeadline(CLAIM_TIMEOUT, () => {
    socket.off("close", cancel);
    // Node sets `readableFlowing` to null when it hands a socket over; listeners for `data` and `readable` change that.
    const isClaimed =
      socket.readableFlowing !== null ||
      socket.writableEnded ||
      (socket as Socket).bytesWritten !== bytesWritten ||
      // The router has one itself; a proxy adds its own while it connects.
      socket.listenerCount("error") > 1;
    if (!isClaimed) callback();
  });
  socket.once("close", cancel);
}
