import type { GGDrainOptions } from "../../api/server.js";
import type { Connection } from "../../connection/connection.js";
import { setDeadline } from "../../connection/deadlines.js";
import { CloseCode } from "../../protocol/closeCodes.js";
import { FrameType } from "../../protocol/frame.js";

/** How many waves the connections without `drain` are closed in. */
const WAVES = 10;

/** How long what is in flight may take after the last wave, unless the program says otherwise, in ms. */
const GRACE = 5_000;

const REASON = "Server is shutting down";

/**
 * Drains connections on shutdown, and resolves when all have closed. Clients that support `drain` are sent when to
 * reconnect; the others are closed in waves, once what is in flight on them is done.
 */
export async function drain(
  connections: ReadonlySet<Connection>,
  { spreadMs = 0, deadlineMs = spreadMs + GRACE }: GGDrainOptions = {},
): Promise<void> {
  const code = spreadMs > 0 ? CloseCode.SERVICE_RESTART : CloseCode.GOING_AWAY;
  const closing = [...connections];
  const cancels = closing.map((connection, i) => {
    const canDrain = connection.can("drain");
    if (canDrain) connection.sendIfOpen(`${FrameType.DRAIN}:::${Math.floor(Math.random() * spreadMs)}`);
    if (spreadMs === 0) void connection.closeGracefully(code, REASON);
    // A client with `drain` closes by itself: closing its connection here might lose a request in transit.
    else if (!canDrain) {
      const delay = (spreadMs * (i % WAVES)) / (WAVES - 1);
      return setDeadline(delay, () => void connection.closeGracefully(code, REASON));
    }
    return undefined;
  });
  cancels.push(
    setDeadline(deadlineMs, () => {
      for (const connection of closing) connection.close(code, REASON);
    }),
  );
  await Promise.all(closing.map((connection) => connection.closed()));
  for (const cancel of cancels) cancel?.();
}
