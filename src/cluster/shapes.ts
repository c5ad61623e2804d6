import type { Answers, Notice, Request } from "./frames.js";

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string";
const number: Check = (value) => Number.isFinite(value);
const place: Check = (value) => Number.isSafeInteger(value);
const anything: Check = () => true;

const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

const object =
  (fields: Record<string, Check>): Check =>
  (value) =>
    typeof value === "object" &&
    value !== null &&
    Object.entries(fields).every(([name, check]) => check((value as Record<string, unknown>)[name]));

const position = object({ epoch: text, offset: place });
const message = object({ body: text, from: text, position: optional(position) });
const member: Check = (value) => list(text)(value) && (value as unknown[]).length === 2;

const onChannel = { node: text, channel: text };
const identified = { ...onChannel, id: number };

const REQUESTS = {
  hello: object({ node: text }),
  subscribe: object(identified),
  unsubscribe: object(onChannel),
  publish: object({
    ...identified,
    body: text,
    from: text,
    history: optional(object({ size: number, ttlMs: number })),
    known: optional(position),
  }),
  read: object({ ...identified, after: position, limit: number }),
  member: object({ ...onChannel, member: text, info: optional(text) }),
  setCount: object({ ...onChannel, count: number }),
  list: object(identified),
  count: object(identified),
  bye: object({ node: text }),
} satisfies Record<Request["op"], Check>;

const NOTICES = {
  here: anything,
  welcome: object({ node: text }),
  answer: object({ node: text, id: number, refused: optional(text) }),
  message: object({ ...onChannel, message }),
  members: object({
    ...onChannel,
    change: optional(object({ version: number, member: text, info: optional(text) })),
  }),
  interrupted: object({ node: text }),
  bye: object({ node: text }),
} satisfies Record<Notice["op"], Check>;

const ANSWERS = {
  subscribe: anything,
  publish: optional(position),
  read: object({ top: position, missed: optional(list(message)) }),
  list: object({ version: number, members: list(member) }),
  count: number,
} satisfies Record<keyof Answers, Check>;

const has = (checks: Record<string, Check>, frame: unknown): boolean => {
  const { op } = (frame ?? {}) as { op?: unknown };
  return typeof op === "string" && Object.hasOwn(checks, op) && !!checks[op]?.(frame);
};

/** Whether the primary can do what a frame asks: a worker of another version may ask for anything. */
export const isRequest = (frame: unknown): frame is Request => has(REQUESTS, frame);

/** Whether a worker can take what the primary passes. */
export const isNotice = (frame: unknown): frame is Notice => has(NOTICES, frame);

/** Whether a value answers a request. */
export const isAnswer = (op: keyof Answers, value: unknown): boolean => ANSWERS[op](value);

/** Whether something that is no request is one that waits for an answer. */
export const waitsForAnswer = object({ node: text, id: number }) as (
  frame: unknown,
) => frame is { readonly node: string; readonly id: number };
