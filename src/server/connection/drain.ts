import type { GGDrainOptions } from "../../api/server.js";
import type { Connection } from "../../connection/connection.js";
import { after } from "../../connection/deadlines.js";
import { CloseCode } from "../../protocol/closeCodes.js";
import { FrameType } from "../../protocol/frame.js";

/** How many groups the connections that cannot be told are closed in. */
const WAVES = 10;

/** How long what is in flight may take after the last was sent away, unless the program says otherwise, in ms. */
const GRACE = 5_000;

const REASON = "Server is shutting down";

/**
 * Leads connections away, and resolves when all have ended. Clients that can are told when to be elsewhere; the others
 * are closed in waves, once what is in flight on them is done.
 */
export async function drain(
  connections: ReadonlySet<Connection>,
  { spreadMs = 0, deadlineMs = spreadMs + GRACE }: GGDrainOptions = {},
): Promise<void> {
  const code = spreadMs > 0 ? CloseCode.SERVICE_RESTART : CloseCode.GOING_AWAY;
  const leaving = [...connections];
  const cancels = leaving.map((connection, i) => {
    const isTold = connection.can("drain");
    if (isTold) connection.reply(`${FrameType.DRAIN}:::${Math.floor(Math.random() * spreadMs)}`);
    if (spreadMs === 0) void connection.finish(code, REASON);
    // Who was told leaves by itself: closing its connection now might meet a request on its way.
    else if (!isTold) {
      return after((spreadMs * (i % WAVES)) / (WAVES - 1), () => void connection.finish(code, REASON));
    }
    return undefined;
  });
  cancels.push(
    after(deadlineMs, () => {
      for (const connection of leaving) connection.close(code, REASON);
    }),
  );
  await Promise.all(leaving.map((connection) => connection.closed()));
  for (const cancel of cancels) cancel?.();
}
