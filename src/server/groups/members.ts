import type { Connection } from "../../connection/connection.js";
import type { SocketMetrics } from "../../connection/endpoint.js";
import { encodeGroup, type GroupPosition, withPlace } from "../../protocol/resume.js";
import { SharedMessage } from "../../transport/transport.js";
import type { ServerConnection } from "../connection/serverConnection.js";

/** A place in the order of a group, as its members name it. */
export interface MemberPlace {
  readonly alias: string;
  readonly offset: number;
}

/** How a message is handed to members. */
export interface MemberDelivery {
  /** The path of its method. */
  readonly path: string;
  readonly isDroppable: boolean;
  /** The client that does not get it. */
  readonly except?: string | undefined;
  /** Whether it is kept: members that wait get it with what they have missed. */
  readonly isKept?: boolean;
  /** Where it is in the order. */
  readonly place?: MemberPlace | undefined;
  /** Members that joined after so many losses, or fewer, have had it. */
  readonly hadAfter?: number | undefined;
}

interface Member {
  /** One more than that of the member before. */
  readonly number: number;
  /** Whether it waits for what it has missed. */
  isWaiting: boolean;
  /** How many losses the group had had when it joined. */
  losses: number;
  hasLeft: boolean;
}

/** The connections of a group, in the order in which they have joined. Each leaves when it closes. */
export class Members {
  readonly #members = new Map<ServerConnection, Member>();
  #lastNumber = 0;
  readonly #onLeft: (connection: ServerConnection, hasClosed: boolean) => void;

  /** One for all: a closure for each would be most of what a membership holds. */
  readonly #onClosed = (_code: number, _reason: string, connection: Connection) =>
    void this.#end(connection as ServerConnection, true);

  constructor(onLeft: (connection: ServerConnection, hasClosed: boolean) => void = () => {}) {
    this.#onLeft = onLeft;
  }

  get size(): number {
    return this.#members.size;
  }

  has(connection: ServerConnection): boolean {
    return this.#members.has(connection);
  }

  /** Any of them. */
  get first(): ServerConnection | undefined {
    return this.#members.keys().next().value;
  }

  /** Adds one that waits, or does not. Returns whether it is new. */
  add(connection: ServerConnection, isWaiting = false, losses = 0): boolean {
    if (!connection.isOpen || this.has(connection)) return false;
    connection.onClose(this.#onClosed);
    const number = ++this.#lastNumber;
    this.#members.set(connection, { number, isWaiting, losses, hasLeft: false });
    return true;
  }

  /** It waits no more: it gets what follows, after so many losses. */
  start(connection: ServerConnection, losses: number): void {
    const member = this.#members.get(connection);
    if (member) Object.assign(member, { isWaiting: false, losses });
  }

  /** Returns whether it was in. */
  remove(connection: ServerConnection): boolean {
    connection.removeCloseCallback(this.#onClosed);
    return this.#end(connection, false);
  }

  /** Removes all of them, and returns them. */
  clear(): readonly ServerConnection[] {
    const connections = [...this.#members.keys()];
    for (const connection of connections) this.remove(connection);
    return connections;
  }

  /** Hands the same message to every member, and counts. */
  send(text: string, { path, isDroppable, except, isKept, place, hadAfter = -1 }: MemberDelivery): void {
    const sent = new Map<SocketMetrics | undefined, number>();
    // Made when a member needs them: most groups have members of one kind only.
    let plain: SharedMessage | undefined;
    let placed: SharedMessage | undefined;
    let skipped: SharedMessage | undefined;
    const last = this.#lastNumber;
    for (const [connection, member] of this.#members) {
      // Callbacks of the program may run meanwhile: those that they add come after this message.
      if (member.number > last) break;
      if (isKept && member.isWaiting) continue;
      const ownPlace = connection.presented && place;
      if ((except && connection.clientId === except) || member.losses <= hadAfter) {
        if (!ownPlace) continue;
        skipped ??= new SharedMessage(encodeGroup(ownPlace.alias, ownPlace.offset));
        send(connection, member, skipped);
        continue;
      }
      if (ownPlace) placed ??= new SharedMessage(withPlace(text, path, ownPlace.alias, ownPlace.offset));
      else plain ??= new SharedMessage(text);
      const message = (ownPlace ? placed : plain) as SharedMessage;
      const { metrics } = connection.socketEndpoint;
      if (send(connection, member, message, isDroppable)) sent.set(metrics, (sent.get(metrics) ?? 0) + 1);
      else if (!connection.isOpen) metrics?.sent(path, "CONNECTION_CLOSED");
      else if (!member.hasLeft) metrics?.sent(path, "DROPPED");
    }
    for (const [metrics, count] of sent) metrics?.sent(path, "OK", undefined, count);
  }

  /** Moves all that resume, and do not wait, to another position. */
  move(alias: string, to: GroupPosition | number): void {
    const message = new SharedMessage(encodeGroup(alias, to));
    const last = this.#lastNumber;
    for (const [connection, member] of this.#members) {
      if (member.number > last) break;
      if (connection.presented && !member.isWaiting) send(connection, member, message);
    }
  }

  #end(connection: ServerConnection, hasClosed: boolean): boolean {
    const member = this.#members.get(connection);
    if (!member) return false;
    member.hasLeft = true;
    this.#members.delete(connection);
    this.#onLeft(connection, hasClosed);
    return true;
  }
}

/** Returns whether it was sent. Closes the connection when the message could neither be sent nor dropped. */
function send(connection: ServerConnection, member: Member, message: SharedMessage, isDroppable?: boolean): boolean {
  // It may leave while room is made, and may be a member again then.
  const isSent = connection.isOpen && connection.makeRoom(message.text, isDroppable) && !member.hasLeft;
  if (isSent) connection.outbox.pushShared(message);
  return isSent;
}
