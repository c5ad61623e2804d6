import type { GGHistory } from "./bus.js";
import type { GGReconnectOptions, GGWebSocketClientConfig } from "./client.js";
import type { GGSocketGroupOptions } from "./group.js";
import type { GGCallOptions } from "./methodTypes.js";
import { didYouMean, isMisspelt } from "./misspelling.js";
import type {
  GGDrainOptions,
  GGHeartbeatOptions,
  GGKeyRevocation,
  GGSocketServerConfig,
  GGWebSocketLimits,
  WebSocketSchemaConfig,
} from "./server.js";

// Options are checked where they are given, except in a page in production: programs without types, and objects that are
// spread, have no other check. Options that there are not may be those of a larger object: they warn.

/** What an option must be. */
interface Rule {
  /** Completes "it must be". */
  readonly sentence: string;
  isKept(value: unknown): boolean;
  /** The options in an object. */
  readonly members?: OptionTable;
}

/** The options of an object; `ANY` of them are checked elsewhere, or by nothing. */
type OptionTable = Readonly<Record<string, Rule>>;

/** A table with all options of a type. */
type TableOf<T> = { readonly [Name in keyof Required<T>]: Rule } & OptionTable;

/** The longest that a timer can wait, in ms. */
const MAX_WAIT = 2 ** 31 - 1;

const ANY: Rule = { sentence: "anything", isKept: () => true };
const POSITIVE_MS = number("a number of ms above 0", (ms) => ms > 0);
const MS = number("a number of ms of 0 or more", (ms) => ms >= 0);
const TIMER_MS = number(`a number of ms from 0 to ${MAX_WAIT}`, (ms) => ms >= 0 && ms <= MAX_WAIT);
const FUNCTION: Rule = { sentence: "a function", isKept: (value) => typeof value === "function" };
const AT_LEAST_0 = number("a number of 0 or more", (value) => value >= 0);
const AT_LEAST_1 = number("a number of 1 or more", (value) => value >= 1);
const FACTOR = number("a finite number of 1 or more", (value) => value >= 1 && Number.isFinite(value));

const RECONNECT: TableOf<GGReconnectOptions> = {
  initialDelayMs: MS,
  maxDelayMs: MS,
  multiplier: FACTOR,
  maxAttempts: AT_LEAST_0,
  initial: ANY,
  shouldRetry: ANY,
  // Of earlier versions; without effect.
  heartbeat: ANY,
};

/** The options of `createClient`. */
export const CLIENT_OPTIONS: TableOf<GGWebSocketClientConfig> = {
  url: ANY,
  query: ANY,
  middlewares: ANY,
  connectOptions: ANY,
  timeout: POSITIVE_MS,
  reconnect: {
    sentence: "true, false or an object of options",
    isKept: (value) => !value || value === true || isObject(value),
    members: RECONNECT,
  },
  resume: { sentence: "what resumeGroups() returns", isKept: (value) => isObject(value) && "begin" in value },
  beforeConnect: ANY,
  capabilities: ANY,
  webSocket: ANY,
  logger: ANY,
  maxOutboxBytes: AT_LEAST_1,
  // Of earlier versions; without effect.
  logMode: ANY,
};

const HEARTBEAT: TableOf<GGHeartbeatOptions> = { intervalMs: POSITIVE_MS, timeoutMs: POSITIVE_MS };

/** Their values are checked where they get their defaults. */
const LIMITS: TableOf<GGWebSocketLimits> = {
  maxPayloadBytes: ANY,
  maxDepth: ANY,
  maxValues: ANY,
  maxRequestsInFlight: ANY,
  messagesPerSecond: ANY,
  messageBurst: ANY,
  maxOutboxBytes: ANY,
  maxTotalOutboxBytes: ANY,
  maxHandshakes: ANY,
  maxConnections: ANY,
  maxConnectionsPerAddress: ANY,
};

const DRAIN: TableOf<GGDrainOptions> = { spreadMs: TIMER_MS, deadlineMs: MS };

const BUS: Rule = {
  sentence: "a bus, such as redisBus({ url })",
  isKept: (value) => isObject(value) && typeof value.publish === "function" && typeof value.subscribe === "function",
};

/** The options of `register` and `startServer`. */
export const SERVER_OPTIONS: TableOf<WebSocketSchemaConfig> = {
  http: ANY,
  middlewares: ANY,
  permissionResolver: ANY,
  timeout: POSITIVE_MS,
  logger: ANY,
  heartbeat: {
    sentence: "false or an object of options",
    isKept: (value) => value === false || isObject(value),
    members: HEARTBEAT,
  },
  limits: { sentence: "an object of limits", isKept: isObject, members: LIMITS },
  allowedOrigins: ANY,
  addressOf: ANY,
  drain: { sentence: "an object of options", isKept: isObject, members: DRAIN },
  capabilities: ANY,
  bus: BUS,
  keys: FUNCTION,
  presence: FUNCTION,
  onBusDown: { sentence: '"keep" or "close"', isKept: (value) => value === "keep" || value === "close" },
  unknownPaths: {
    sentence: '"refuse" or "leave"',
    isKept: (value) => value === "refuse" || value === "leave",
  },
};

const HISTORY: TableOf<GGHistory> = {
  size: number("a whole number of 1 or more", (value) => value >= 1 && Number.isSafeInteger(value)),
  ttlMs: number("a finite number of ms above 0", (ms) => ms > 0 && Number.isSafeInteger(Math.ceil(ms))),
};

/** The options of `new GGSocketGroup`. */
export const GROUP_OPTIONS: TableOf<GGSocketGroupOptions> = {
  name: {
    sentence: "a text that does not begin with @",
    isKept: (value) => typeof value === "string" && value !== "" && !value.startsWith("@"),
  },
  bus: BUS,
  history: { sentence: "an object with size and ttlMs", isKept: isHistory, members: HISTORY },
  presence: ANY,
};

/** The options of `closeConnections({ key })`. */
export const REVOCATION_OPTIONS: TableOf<GGKeyRevocation> = {
  key: { sentence: "a text", isKept: (value) => typeof value === "string" },
  code: ANY,
  reason: ANY,
};

/** The options of `new GGSocketServer`. */
export const SOCKET_SERVER_OPTIONS: TableOf<GGSocketServerConfig> = {
  path: ANY,
  apiName: ANY,
  queryValidator: ANY,
  middlewares: ANY,
  connectPermission: ANY,
};

/** The options of `GGSocketPool`. */
export const POOL_OPTIONS: OptionTable = {
  domain: ANY,
  path: ANY,
  query: ANY,
  queryValidator: ANY,
  middlewares: ANY,
  connectOptions: ANY,
};

/** The options of a call. */
export const CALL_OPTIONS: TableOf<GGCallOptions> = {
  timeout: orNull(POSITIVE_MS),
  signal: orNull({
    sentence: "an AbortSignal",
    isKept: (value) => isObject(value) && "aborted" in value && typeof value.addEventListener === "function",
  }),
  droppable: ANY,
};

/** The options of the test kit's `callOn`. */
export const TEST_OPTIONS: OptionTable = {
  url: ANY,
  query: ANY,
  context: ANY,
  middlewares: ANY,
  timeout: POSITIVE_MS,
  onTestFinished: ANY,
};

/** Whose options are checked. */
export interface OptionOwner {
  /** The name of the API. */
  readonly apiName: string;
  /** What the options are given to, such as `createClient`. */
  readonly call: string;
  /** Takes a sentence on options that there are not; once for each object. */
  warn(message: string): void;
}

/**
 * Checks the options that a program gives.
 *
 * @throws Error naming the API and the option that is misspelt, or has a value that it cannot have
 */
export function checkOptions(owner: OptionOwner, given: unknown, table: OptionTable): void {
  const { apiName, call, warn } = owner;
  if (!isObject(given)) throw new Error(`${apiName}: the options of ${call} must be an object, not ${shown(given)}`);
  const unknown: string[] = [];
  checkMembers(owner, "", given, table, unknown);
  if (unknown.length > 0) warn(`${apiName}: ${call} has no option ${unknown.join(", ")}; ignored`);
}

function checkMembers(
  { apiName, call }: OptionOwner,
  prefix: string,
  given: Readonly<Record<string, unknown>>,
  table: OptionTable,
  unknown: string[],
): void {
  for (const [name, value] of Object.entries(given)) {
    // As if it were not there.
    if (value === undefined) continue;
    const rule = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!rule) {
      // Where the option itself is given too, the other is not meant to be it.
      const meant = Object.keys(table).filter((option) => given[option] === undefined);
      const option = `"${prefix}${name}"${didYouMean(name, meant)}`;
      if (isMisspelt(name, meant)) throw new Error(`${apiName}: ${call} has no option ${option}`);
      unknown.push(option);
    } else if (!rule.isKept(value)) {
      throw new Error(`${apiName}: ${prefix}${name} must be ${rule.sentence}, not ${shown(value)}`);
    } else if (rule.members && isObject(value)) {
      checkMembers({ apiName, call, warn() {} }, `${prefix}${name}.`, value, rule.members, unknown);
    }
  }
}

function number(sentence: string, isKept: (value: number) => boolean): Rule {
  return { sentence, isKept: (value) => typeof value === "number" && isKept(value) };
}

function isHistory(value: unknown): boolean {
  return isObject(value) && value.size !== undefined && value.ttlMs !== undefined;
}

/** Without a value. */
function orNull(rule: Rule): Rule {
  return { ...rule, isKept: (value) => value === null || rule.isKept(value) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value in a sentence; some have no text, and that of a function is its source. */
export function shown(value: unknown): string {
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
