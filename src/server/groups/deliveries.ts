import type { GGBusMessage, GGPosition } from "../../api/bus.js";
import type { MethodTable } from "../../connection/methods/methodTable.js";
import { decodeGroupMessage } from "../../groups/groupMessage.js";
import type { Recovered } from "../../groups/recovery.js";
import { encodeGroup } from "../../protocol/resume.js";
import type { ServerConnection } from "../connection/serverConnection.js";
import { Members } from "./members.js";
import { Recoveries } from "./recoveries.js";

/** How many aliases are given: the same to all members, so that one message is the same to all. */
let aliases = 0;

/** What deliveries need of their group. */
interface DeliveriesHooks {
  /** The name of the group. */
  readonly name: string;
  /** What may be sent, by its path. */
  readonly methods: MethodTable;
  /** Whether messages are kept: clients can resume. */
  readonly isKept: boolean;
  readonly position: GGPosition | undefined;
  /** See `Topic.recover`. */
  recover(after: GGPosition, since: number, isOverdue: boolean): Recovered | undefined;
  /** A member has left. */
  onLeft(connection: ServerConnection, hasClosed: boolean): void;
}

/**
 * Hands what the topic of a group passes on to the members on this node. Those that resume learn where each message is in
 * the order, and get what they have missed before what is new.
 */
export class Deliveries {
  readonly members: Members;
  readonly #hooks: DeliveriesHooks;
  /** The members that resume, while they wait; made with the first one. */
  #recoveries: Recoveries | undefined;
  /** What members that resume call the group. */
  #alias = "";
  /** How often messages were lost. */
  #losses = 0;

  constructor(hooks: DeliveriesHooks) {
    this.#hooks = hooks;
    this.members = new Members((connection, hasClosed) => {
      this.#recoveries?.end(connection);
      hooks.onLeft(connection, hasClosed);
    });
  }

  /** Adds a connection. Returns whether it is new: `recover` has to follow then. */
  add(connection: ServerConnection): boolean {
    const { isKept, position, name } = this.#hooks;
    const { presented } = connection;
    // Before there is a position, what comes has no place: clients that have none either get it.
    const isWaiting = isKept && !!presented && (position !== undefined || presented.has(name));
    return this.members.add(connection, isWaiting, this.#losses);
  }

  /** Resolves as `GGGroupJoin.recovered` for a member that is new; `undefined` for one that cannot resume. */
  recover(connection: ServerConnection): Promise<boolean | undefined> | undefined {
    const { isKept, name } = this.#hooks;
    const { presented } = connection;
    return isKept && presented ? this.#recoveriesInUse.begin(connection, presented.take(name)) : undefined;
  }

  /** Takes a member out, though its connection stays open. Returns whether it was in. */
  remove(connection: ServerConnection): boolean {
    const { members } = this;
    const isResuming = this.#alias && connection.presented && connection.isOpen && members.has(connection);
    const left = encodeGroup(this.#alias);
    // First: a callback of the program may add it again. One that runs while room is made may have removed it.
    if (isResuming && connection.makeRoom(left) && members.has(connection)) connection.outbox.push(left);
    return members.remove(connection);
  }

  /** Returns whether the message can be read. */
  deliver({ body, position }: GGBusMessage, isKept = position !== undefined, hadAfter?: number): boolean {
    const alias = this.#alias;
    const place = position && alias ? { alias, offset: position.offset } : undefined;
    const message = decodeGroupMessage(body);
    const isReadable = message !== undefined && this.#isSendable(message.path);
    if (isReadable) {
      // Field by field: this is done for every message, and a spread costs more than all else here.
      const { frame, path, isDroppable, except } = message;
      this.members.send(frame, { path, isDroppable, except, isKept, place, hadAfter });
    } else if (place) this.members.move(alias, place.offset);
    return isReadable;
  }

  /** A message that was delivered before the latest so many losses: members from before them do not get it again. */
  deliverAgain(message: GGBusMessage, losses: number): boolean {
    return this.deliver(message, true, this.#losses - losses);
  }

  /** Messages are lost: members go on after a position. */
  lost({ epoch, offset }: GGPosition): void {
    this.#losses++;
    if (this.#alias) this.members.move(this.#alias, { epoch, offset, recovered: false });
  }

  /** There is a position, or what members wait for may be known. */
  settle(): void {
    this.#recoveries?.settle();
  }

  get #recoveriesInUse(): Recoveries {
    const hooks = this.#hooks;
    this.#alias ||= `${++aliases}`;
    this.#recoveries ??= new Recoveries({
      name: hooks.name,
      alias: this.#alias,
      get position() {
        return hooks.position;
      },
      isSendable: (path) => this.#isSendable(path),
      recover: (...position) => hooks.recover(...position),
      onStarted: (connection) => this.members.start(connection, this.#losses),
    });
    return this.#recoveries;
  }

  #isSendable(path: string): boolean {
    return this.#hooks.methods.get(path)?.hasReply === false;
  }
}
