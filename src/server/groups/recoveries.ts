import type { GGBusMessage, GGPosition } from "../../api/bus.js";
import { setDeadline } from "../../connection/deadlines.js";
import { decodeGroupMessage } from "../../groups/groupMessage.js";
import type { Recovered } from "../../groups/recovery.js";
import { encodeGroup, type GroupPosition, withPlace } from "../../protocol/resume.js";
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
  /** What follows for members that are left out of none of it: many have missed the same. */
  readonly #answers = new WeakMap<readonly GGBusMessage[], Answer>();

  constructor(hooks: RecoveriesHooks) {
    this.#hooks = hooks;
  }

  /** Resolves with whether it goes on where it was; `undefined` at a first join, and while that is not known after 2 s. */
  begin(connection: ServerConnection, after: GGPosition | undefined): Promise<boolean | undefined> {
    return new Promise((resolve) => {
      const waiting: Waiting = { after, since: performance.now(), isOverdue: false, done: resolve };
      this.#waiting.set(connection, waiting);
      this.#settleOne(connection, waiting);
      if (!this.#waiting.has(connection)) return;
      const cancel = setDeadline(PATIENCE, () => {
        waiting.isOverdue = true;
        this.#settleOne(connection, waiting);
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
    for (const [connection, waiting] of this.#waiting) this.#settleOne(connection, waiting);
  }

  /** It has left. */
  end(connection: ServerConnection): void {
    this.#waiting.get(connection)?.done();
    this.#waiting.delete(connection);
  }

  #settleOne(connection: ServerConnection, waiting: Waiting): void {
    let found = this.#find(waiting);
    if (!found) return;
    connection.api.ledger.outboxGrows(3 * lengthOf(found.missed));
    // Others may have been closed to make room: what their callbacks have sent to the group has not come to this one.
    if (found.position !== this.#hooks.position) found = this.#find(waiting);
    if (found && this.#waiting.delete(connection)) waiting.done(this.#start(connection, waiting.after, found));
  }

  #find({ after, since, isOverdue }: Waiting): Recovered | undefined {
    const { position } = this.#hooks;
    return after ? this.#hooks.recover(after, since, isOverdue) : position && { position };
  }

  /** Sends all that was missed, or nothing of it, before anything new. Returns as `begin` does. */
  #start(
    connection: ServerConnection,
    after: GGPosition | undefined,
    { position, missed }: Recovered,
  ): boolean | undefined {
    const { metrics } = connection.api;
    const { frames, counts } = after && missed ? this.#whatFollows(connection, after, missed) : NOTHING;
    const isRecovered = after && frames.length > 0 && connection.sendTogether(frames);
    if (!isRecovered) {
      const frame = this.#joined(position, after && { recovered: false });
      // What cannot be left out closes the connection where there is no room for it.
      if (!connection.sendTogether([frame])) connection.sendIfOpen(frame);
    }
    this.#hooks.onStarted(connection);
    if (isRecovered) for (const [path, count] of counts) metrics.sent(path, "OK", undefined, count);
    if (after) metrics.recovered(isRecovered ? "OK" : "LOST");
    return isRecovered;
  }

  /** The frame that makes a connection a member. */
  #joined({ epoch, offset }: GGPosition, outcome?: Pick<GroupPosition, "recovered" | "missed">): string {
    const { alias, name: group } = this.#hooks;
    return encodeGroup(alias, { group, epoch, offset, ...outcome });
  }

  /** The frames for a member that goes on where it was, and how many messages they have of each path. */
  #whatFollows(connection: ServerConnection, after: GGPosition, missed: readonly GGBusMessage[]): Answer {
    const known = this.#answers.get(missed);
    if (known && !known.excepted.has(connection.clientId)) return known;
    const { alias } = this.#hooks;
    let { offset } = after;
    const excepted = new Set<string>();
    const frames = [this.#joined(after, { recovered: true, missed: missed.length })];
    const counts = new Map<string, number>();
    for (const { body } of missed) {
      offset++;
      const message = decodeGroupMessage(body);
      if (message) excepted.add(message.except);
      if (message && message.except !== connection.clientId && this.#hooks.isSendable(message.path)) {
        const { frame, path } = message;
        frames.push(withPlace(frame, path, alias, offset));
        counts.set(path, (counts.get(path) ?? 0) + 1);
      } else frames.push(encodeGroup(alias, offset));
    }
    const answer = { frames, counts, excepted };
    if (!excepted.has(connection.clientId)) this.#answers.set(missed, answer);
    return answer;
  }
}

interface Answer {
  readonly frames: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  /** Who is left out of some of them. */
  readonly excepted: ReadonlySet<string>;
}

const NOTHING: Answer = { frames: [], counts: new Map(), excepted: new Set() };

/** At most what is added to each message, in characters. */
const ADDED = 64;

/** How many characters the frames for missed messages have, about. */
function lengthOf(missed: readonly GGBusMessage[] = []): number {
  return missed.reduce((sum, { body }) => sum + body.length + ADDED, ADDED);
}
