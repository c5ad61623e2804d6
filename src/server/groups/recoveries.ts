import type { GGBusMessage, GGPosition } from "../../api/bus.js";
import { setDeadline } from "../../connection/deadlines.js";
import { decodeGroupMessage } from "../../groups/groupMessage.js";
import type { Recovered } from "../../groups/recovery.js";
import { encodeGroup, type GroupPosition, withPlace } from "../../protocol/resume.js";
import type { ServerConnection } from "../connection/serverConnection.js";

/** How long `add` waits until it is known what a member has missed, in ms. */
const JOIN_TIMEOUT = 2_000;

/**
 * How long a member waits for that while others get what is new, in ms: a process that thousands come back to may be busy for
 * seconds.
 */
const PATIENCE = 10_000;

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
      if (this.#waiting.get(connection) !== waiting) return;
      const cancelJoin = setDeadline(JOIN_TIMEOUT, () => resolve(undefined));
      const cancelWait = setDeadline(PATIENCE, () => {
        waiting.isOverdue = true;
        this.#settleOne(connection, waiting);
      });
      waiting.done = (recovered) => {
        cancelJoin();
        cancelWait();
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
    if (!connection.isOpen) return this.end(connection);
    let start = this.#prepare(connection, waiting);
    if (!start) return;
    connection.api.ledger.outboxGrows(3 * start.length);
    // Others may have been closed to make room: what their callbacks have sent to the group has not come to this one.
    if (start.position !== this.#hooks.position) start = this.#prepare(connection, waiting);
    // They may have removed it, and have added it again.
    if (!start || this.#waiting.get(connection) !== waiting) return;
    if (!connection.isOpen) return this.end(connection);
    this.#waiting.delete(connection);
    waiting.done(this.#start(connection, start));
  }

  /** How a member starts: with all that it has missed, or nothing of it. `undefined` while that is not known. */
  #prepare(connection: ServerConnection, { after, since, isOverdue }: Waiting): Start | undefined {
    const { position } = this.#hooks;
    const found = after ? this.#hooks.recover(after, since, isOverdue) : position && { position };
    if (!found) return undefined;
    const answer = after && found.missed && this.#whatFollows(connection, after, found.missed);
    if (answer && connection.hasRoomForMissed(answer.frames))
      return { position: found.position, isRecovered: true, ...answer };
    const frame = this.#joined(found.position, after && { recovered: false });
    const isRecovered = after && false;
    return { position: found.position, isRecovered, frames: [frame], length: frame.length, counts: NO_COUNTS };
  }

  /** Sends what was counted, before anything new: no callback of the program may run meanwhile. Returns as `begin` does. */
  #start(connection: ServerConnection, { frames, counts, isRecovered }: Start): boolean | undefined {
    const { outbox, api } = connection;
    for (const frame of frames) {
      // What cannot be left out closes the connection where there is no room for it.
      if (isRecovered || outbox.hasRoom(frame)) outbox.push(frame);
      else connection.sendIfOpen(frame);
    }
    this.#hooks.onStarted(connection);
    for (const [path, count] of counts) api.metrics.sent(path, "OK", undefined, count);
    if (isRecovered !== undefined) api.metrics.recovered(isRecovered ? "OK" : "LOST");
    return isRecovered;
  }

  /** The frame that makes a connection a member. */
  #joined({ epoch, offset }: GGPosition, outcome?: Pick<GroupPosition, "recovered" | "missed">): string {
    const { alias, name: group } = this.#hooks;
    return encodeGroup(alias, { group, epoch, offset, ...outcome });
  }

  /** What a member gets that goes on where it was; `undefined` when that is too long for it in any case. */
  #whatFollows(connection: ServerConnection, after: GGPosition, missed: readonly GGBusMessage[]): Answer | undefined {
    // First: a peer that cannot get it must not make this node take it apart.
    if (lengthOf(missed) > connection.maxMissedBytes) return undefined;
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
    const length = frames.reduce((sum, frame) => sum + frame.length + 1, 0);
    const answer = { frames, length, counts, excepted };
    if (!excepted.has(connection.clientId)) this.#answers.set(missed, answer);
    return answer;
  }
}

interface Answer {
  readonly frames: readonly string[];
  /** How many characters they have. */
  readonly length: number;
  /** How many messages they have of each path. */
  readonly counts: ReadonlyMap<string, number>;
  /** Who is left out of some of them. */
  readonly excepted: ReadonlySet<string>;
}

interface Start extends Omit<Answer, "excepted"> {
  /** Where the group is then. */
  readonly position: GGPosition;
  /** As `begin` resolves. */
  readonly isRecovered: boolean | undefined;
}

const NO_COUNTS: ReadonlyMap<string, number> = new Map();

/** How many characters the frames for missed messages have at least, and so bytes, when the member is left out of none. */
function lengthOf(missed: readonly GGBusMessage[]): number {
  return missed.reduce((sum, { body }) => sum + (typeof body === "string" ? body.length - body.indexOf(";") : 0), 0);
}
