import { GGBusError, type GGBusMessage, type GGBusRead, type GGPosition } from "../../src/api/bus.js";
import { KeptOrder } from "../../src/groups/keptOrder.js";

/** What a member is given. What is skipped is a place only: the message is not for it. */
export type MemberEvent =
  | { readonly kind: "joined"; readonly position: GGPosition; readonly recovered: boolean | undefined }
  | { readonly kind: "message" | "displaced" | "skipped"; readonly message: GGBusMessage }
  | { readonly kind: "lost"; readonly position: GGPosition };

/** A client that is in a group, or was. */
export interface GroupMember {
  readonly position: GGPosition | undefined;
  take(event: MemberEvent, node: GroupNode): void;
}

/** A read that a test answers. */
export interface PendingRead {
  readonly after: GGPosition;
  readonly limit: number;
  answer(read: GGBusRead): void;
  fail(error?: Error): void;
}

interface Membership {
  isWaiting: boolean;
  losses: number;
}

interface Waiting {
  readonly after: GGPosition | undefined;
  readonly since: number;
  isOverdue: boolean;
}

/**
 * A group on one node without connections: what a server does with a `KeptOrder`, and members that are objects. Its bus
 * passes what the test gives to `receive`, and answers the `reads` that wait when the test does.
 */
export class GroupNode {
  readonly order: KeptOrder;
  readonly reads: PendingRead[] = [];
  readCount = 0;
  isBusDown = false;
  losses = 0;
  readonly #members = new Map<GroupMember, Membership>();
  readonly #waiting = new Map<GroupMember, Waiting>();

  constructor(size: number, ttlMs = Number.POSITIVE_INFINITY) {
    this.order = new KeptOrder(
      { size, ttlMs },
      {
        read: (after, limit) => this.read(after, limit),
        isBusDown: () => this.isBusDown,
        onDelivered: (message) => this.onPlaced(message, -1),
        onRepeated: (message, losses) => this.onPlaced(message, this.losses - losses),
        onDisplaced: (message) => this.onDisplaced(message),
        onLost: (position) => this.onLost(position),
        onKnown: () => this.onKnown(),
        onCaughtUp() {},
        onHealed() {},
        onFailed() {},
      },
    );
  }

  /** How many members wait to be told whether they have recovered. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Whether a member waits for that. */
  isWaiting(member: GroupMember): boolean {
    return this.#waiting.has(member);
  }

  add(member: GroupMember): void {
    const after = member.position;
    this.#members.set(member, { isWaiting: after !== undefined, losses: this.losses });
    this.#waiting.set(member, { after, since: performance.now(), isOverdue: false });
    this.#settle();
  }

  remove(member: GroupMember): void {
    this.#members.delete(member);
    this.#waiting.delete(member);
  }

  /** The member does not wait for what cannot be read now. Returns whether it waits. */
  setOverdue(member: GroupMember): boolean {
    const waiting = this.#waiting.get(member);
    if (waiting) waiting.isOverdue = true;
    this.#settle();
    return waiting !== undefined;
  }

  protected onPlaced(message: GGBusMessage, hadAfter: number): void {
    this.#send({ kind: "message", message }, hadAfter);
  }

  protected onDisplaced(message: GGBusMessage): void {
    this.#send({ kind: "displaced", message });
  }

  protected onLost(position: GGPosition): void {
    this.losses++;
    this.#send({ kind: "lost", position });
    this.#settle();
  }

  onKnown(): void {
    this.#settle();
  }

  #send(event: MemberEvent, hadAfter = -1): void {
    for (const [member, { isWaiting, losses }] of this.#members) {
      if (isWaiting || (event.kind === "lost" && this.#waiting.has(member))) continue;
      const isSkipped = event.kind === "message" && losses <= hadAfter;
      member.take(isSkipped ? { kind: "skipped", message: event.message } : event, this);
    }
  }

  #settle(): void {
    for (const [member, { after, since, isOverdue }] of this.#waiting) {
      const { position } = this.order;
      const found = after ? this.order.recover(after, since, isOverdue) : position && { position };
      if (!found) continue;
      this.#waiting.delete(member);
      const { missed } = found;
      const recovered = after && missed !== undefined;
      this.#members.set(member, { isWaiting: false, losses: this.losses });
      member.take({ kind: "joined", position: recovered ? after : found.position, recovered }, this);
      for (const message of missed ?? []) member.take({ kind: "message", message }, this);
    }
  }

  read(after: GGPosition, limit: number): Promise<GGBusRead> {
    if (this.isBusDown) return Promise.reject(new GGBusError("it is away", "down"));
    this.readCount++;
    return new Promise((resolve, reject) => {
      const end = () => {
        const index = this.reads.indexOf(read);
        if (index >= 0) this.reads.splice(index, 1);
      };
      const read: PendingRead = {
        after,
        limit,
        answer(answer) {
          end();
          resolve(answer);
        },
        fail(error = new GGBusError("no", "refused")) {
          end();
          reject(error);
        },
      };
      this.reads.push(read);
    });
  }
}
