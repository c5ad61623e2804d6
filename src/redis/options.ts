import { createClient } from "redis";
import { checkOptions } from "../api/optionChecks.js";
import {
  type ClusterClient,
  type GGRedisClient,
  type GGRedisCluster,
  isCluster,
  isPlainClient,
  type PlainClient,
} from "./client.js";
import type { QueueLimits } from "./underWay.js";

/**
 * How many messages with history may wait while Redis is away. What does not fit is refused. What was under way when Redis
 * went away comes on top: at most 64 times as much, and at least 1,000 messages and 4 MiB.
 */
export interface GGRedisQueueOptions {
  /** How many. @default 1_000 */
  readonly messages?: number | undefined;
  /** How large all of them, in bytes of UTF-8. @default 4 MiB */
  readonly bytes?: number | undefined;
  /** How long each, in ms. @default 10_000 */
  readonly ms?: number | undefined;
}

interface CommonOptions {
  /** Names the bus in log entries and metrics, where a process has several. @default "redis" */
  readonly name?: string | undefined;
  /** What the names of all keys and channels in Redis begin with. It must not have braces. @default "gg:" */
  readonly prefix?: string | undefined;
  /** Bounds what waits while Redis is away. */
  readonly queue?: GGRedisQueueOptions | undefined;
  /** How long Redis may take to answer, in ms, before all connections to it are made anew. @default 5_000 */
  readonly timeoutMs?: number | undefined;
}

/** Where Redis is, and what a node keeps while it is away. */
export type GGRedisBusOptions = CommonOptions &
  (
    | {
        /** `redis://user:password@host:port/database`, or `rediss://…` with TLS. */
        readonly url: string;
        /** Not together with `url`. */
        readonly client?: undefined;
      }
    | {
        /**
         * A client of node-redis, for a single Redis or a cluster. It is only duplicated: it need not be connected, and is
         * never used nor closed. A cluster uses sharded pub/sub.
         */
        readonly client: GGRedisClient | GGRedisCluster;
        /** Not together with `client`. */
        readonly url?: undefined;
      }
  );

/** The options with their defaults. */
export interface ReadOptions {
  readonly name: string;
  readonly client: PlainClient | ClusterClient;
  readonly prefix: string;
  readonly queue: QueueLimits;
  readonly timeoutMs: number;
}

const MAX_WAIT = 2 ** 31 - 1;

const TEXT = { sentence: "text", isKept: (value: unknown) => typeof value === "string" };

const AMOUNT = {
  sentence: "a number of 0 or more",
  isKept: (value: unknown) => typeof value === "number" && value >= 0,
};

/** A time that a timer can wait. */
const waitOf = (least: number) => ({
  sentence: `a number of ms from ${least} to ${MAX_WAIT}`,
  isKept: (value: unknown) => typeof value === "number" && value >= least && value <= MAX_WAIT,
});

/** The options of `redisBus`. */
const OPTIONS = {
  name: TEXT,
  url: TEXT,
  client: {
    sentence: "a client of node-redis, made by createClient or createCluster",
    isKept: (value: unknown) =>
      typeof value === "object" && value !== null && (isPlainClient(value) || isCluster(value)),
  },
  prefix: {
    sentence: "text without { and }",
    isKept: (value: unknown) => typeof value === "string" && !/[{}]/.test(value),
  },
  queue: {
    sentence: "an object of options",
    isKept: (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value),
    members: { messages: AMOUNT, bytes: AMOUNT, ms: waitOf(1) },
  },
  timeoutMs: waitOf(100),
};

/**
 * Checks the options, and completes them.
 *
 * @throws Error naming the option that is wrong
 */
export function readOptions(options: GGRedisBusOptions): ReadOptions {
  const owner = { apiName: "redisBus", call: "redisBus()", warn: (message: string) => process.emitWarning(message) };
  checkOptions(owner, options, OPTIONS);
  const { name = "redis", url, client, prefix = "gg:", queue = {}, timeoutMs = 5_000 } = options;
  if ((url === undefined) === (client === undefined)) {
    throw new Error("redisBus: give it either url or client");
  }
  const { messages = 1_000, bytes = 4 * 1024 * 1024, ms = 10_000 } = queue;
  return {
    name,
    client: client === undefined ? clientFor(url!) : (client as unknown as PlainClient | ClusterClient),
    prefix,
    queue: { messages, bytes, ms },
    timeoutMs,
  };
}

/** A client that is only duplicated. */
function clientFor(url: string): PlainClient {
  try {
    const client = createClient({ url });
    // It is listed among the clients of this process until then.
    client.destroy();
    return client as unknown as PlainClient;
  } catch (cause) {
    // The URL may have a password.
    throw new Error("redisBus: url must be one that begins with redis:// or rediss://", { cause });
  }
}
