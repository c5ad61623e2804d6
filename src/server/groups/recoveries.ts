import type { GGBusMessage, GGPosition } from "../../api/bus.js";
import { setDeadline } from "../../connection/deadlines.js";
import { decodeGroupMessage } from "../../groups/groupMessage.js";
import type { Recovered } from "../../groups/recovery.js";
import { encodeGroup, withPlace } from "../../protocol/resume.js";
import type { ServerConnection } from "../connection/serverConnection.js";

/** How long a member waits for what it has missed while others get what is new, in ms. */
const PATIENCE = 2_000;

/** What recoveries need of their group. */
interface RecoveriesHooks {
  /** The name of the group. */
  readonly name: string;
  /** What its members call it. */
  readonly alias: string;
  readonly position: GGPosition | undefined;
  /** Whether the contract has a message of this path. */
  isSendable(path: string): boolean;
  /** See `Topic.recover`. */
  recover(after: GGPosition, since: number, isOverdue: boolean): Recovered | undefined;
  /** A member gets what is new from now on. */
  onStarted(connection: ServerConnection): void;
}

interface Waiting {
  /** Where an earlier connection was. */
  readonly after: GGPosition | undefined;
  /** When it joined. */
  readonly since: number;
  isOverdue: boolean;
  /** Calls back whether it has recovered; `undefined` at a first join, and when that takes too long to wait for. */
  done(recovered?: boolean): void;
}

/** The members of a group that resume, from when they join until they have what they have missed. */
export class Recoveries {
  readonly #hooks: RecoveriesHooks;
  readonly #waiting = new Map<ServerConnection, Waiting>();

  constructor(hooks: RecoveriesHooks) {
    this.#hooks = hooks;
  }

  /** Resolves with whether it goes on where it was; `undefined` at a first join, and while that is not known after 2 s. */
  begin(connection: ServerConnection, after: GGPosition | undefined): Promise<boolean | undefined> {
    return new Promise((resolve) => {
      const waiting: Waiting = { after, since: performance.now(), isOverdue: false, done: resolve };
      this.#waiting.set(connection, waiting);
      this.settle();
      if (!this.#waiting.has(connection)) return;
      const cancel = setDeadline(PATIENCE, () => {
        waiting.isOverdue = true;
        this.settle();
        resolve(undefined);
      });
      waiting.done = (recovered) => {
        cancel();
        resolve(recovered);
      };
    });
  }

  /** Lets members start that can. */
  settle(): void {
    for (const [connection, { after, since, isOverdue, done }] of this.#waiting) {
      const { position } = this.#hooks;
      const found = after ? this.#hooks.recover(after, since, isOverdue) : position && { position };
      if (!found) continue;
      this.#waiting.delete(connection);
      done(this.#start(connection, after, found));
    }
  }

  /** It has left. */
  end(connection: ServerConnection): void {
    this.#waiting.get(connection)?.done();
    this.#waiting.delete(connection);
  }

  #start(connection: ServerConnection, after: GGPosition | undefined, found: Recovered): boolean | undefined {
    const { name, alias } = this.#hooks;
    const { position } = found;
    const missed = found.missed && hasRoom(connection, found.missed) ? found.missed : undefined;
    const recovered = after && missed !== undefined;
    const { epoch, offset } = recovered ? after : position;
    const outcome = after && { recovered: !!recovered, ...(missed && { missed: missed.length }) };
    connection.sendIfOpen(encodeGroup(alias, { group: name, epoch, offset, ...outcome }));
    if (recovered) this.#sendMissed(connection, offset, missed);
    if (after) connection.api.metrics.recovered(recovered ? "OK" : "LOST");
    this.#hooks.onStarted(connection);
    return recovered;
  }

  #sendMissed(connection: ServerConnection, after: number, missed: readonly GGBusMessage[]): void {
    const { alias } = this.#hooks;
    const sent = new Map<string, number>();
    let offset = after;
    for (const { body } of missed) {
      offset++;
      const message = decodeGroupMessage(body);
      if (!message || message.except === connection.clientId || !this.#hooks.isSendable(message.path)) {
        connection.sendIfOpen(encodeGroup(alias, offset));
        continue;
      }
      const { frame, path } = message;
      connection.sendIfOpen(withPlace(frame, path, alias, offset));
      sent.set(path, (sent.get(path) ?? 0) + 1);
    }
    for (const [path, count] of sent) connection.api.metrics.sent(path, "OK", undefined, count);
  }
}

/** Whether messages fit into what may wait for a connection. */
function hasRoom(connection: ServerConnection, messages: readonly GGBusMessage[]): boolean {
  // A UTF-16 unit becomes three bytes at most.
  const atMost = 3 * messages.reduce((sum, { body }) => sum + body.length, 0);
  return atMost + connection.measureBacklog() <= connection.api.limits.maxOutboxBytes;
}
