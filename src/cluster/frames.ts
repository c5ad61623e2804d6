import type { GGBusMessage, GGBusRead, GGHistory, GGMembersChange, GGPosition } from "../api/bus.js";

/** What a worker's bus asks. `node` is the bus; an answer has the same `id`. */
export type Request =
  | { readonly op: "hello"; readonly node: string }
  | { readonly op: "subscribe"; readonly node: string; readonly id: number; readonly channel: string }
  | { readonly op: "unsubscribe"; readonly node: string; readonly channel: string }
  | {
      readonly op: "publish";
      readonly node: string;
      readonly id: number;
      readonly channel: string;
      readonly body: string;
      readonly from: string;
      readonly history?: GGHistory | undefined;
      readonly known?: GGPosition | undefined;
    }
  | {
      readonly op: "read";
      readonly node: string;
      readonly id: number;
      readonly channel: string;
      readonly after: GGPosition;
      readonly limit: number;
    }
  | {
      readonly op: "member";
      readonly node: string;
      readonly channel: string;
      readonly member: string;
      readonly info?: string | undefined;
    }
  | { readonly op: "setCount"; readonly node: string; readonly channel: string; readonly count: number }
  | { readonly op: "list"; readonly node: string; readonly id: number; readonly channel: string }
  | { readonly op: "count"; readonly node: string; readonly id: number; readonly channel: string }
  | { readonly op: "bye"; readonly node: string };

/** What the primary passes to a worker's bus. */
export type Notice =
  /** There is a bus in the primary: whatever has none greets it. */
  | { readonly op: "here" }
  | { readonly op: "welcome"; readonly node: string }
  /** The answer to a request, or why there is none. */
  | {
      readonly op: "answer";
      readonly node: string;
      readonly id: number;
      readonly value?: unknown;
      readonly refused?: string | undefined;
    }
  | { readonly op: "message"; readonly node: string; readonly channel: string; readonly message: GGBusMessage }
  | {
      readonly op: "members";
      readonly node: string;
      readonly channel: string;
      readonly change?: GGMembersChange | undefined;
    }
  /** Messages were left out: the worker has not read for too long. */
  | { readonly op: "interrupted"; readonly node: string }
  /** The primary's bus is closed. What it has not answered, it has not done. */
  | { readonly op: "bye"; readonly node: string };

/** The members of a channel, as they travel. */
export interface ListedMembers {
  readonly version: number;
  readonly members: readonly (readonly [string, string])[];
}

/** The values of answers. */
export interface Answers {
  readonly subscribe: undefined;
  readonly publish: GGPosition | undefined;
  readonly read: GGBusRead;
  readonly list: ListedMembers;
  readonly count: number;
}

/** Marks the messages between processes that are frames of the bus: a program's own pass between them. */
const TAG = "@grest-ts/websocket/cluster";

/** Frames that travel together. */
export interface Envelope {
  readonly [TAG]: readonly unknown[];
}

export const envelope = (frames: readonly unknown[]): Envelope => ({ [TAG]: frames });

/** The frames of a message between processes, whatever they are; none when it is not the bus's. */
export function framesOf(message: unknown): readonly unknown[] {
  const frames = typeof message === "object" && message !== null ? (message as Partial<Envelope>)[TAG] : undefined;
  return Array.isArray(frames) ? frames : [];
}

/** How many characters the texts of a request have. */
export function sizeOf(request: Request): number {
  const values: readonly unknown[] = Object.values(request);
  return values.reduce<number>((size, value) => size + (typeof value === "string" ? value.length : 0), 0);
}
