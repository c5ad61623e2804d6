import { GGHttpServer } from "@grest-ts/http";
import { IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  GGSocketPool,
  GGSocketServer,
  type GGWebSocketClientConfig,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import { callOn } from "@grest-ts/websocket/testkit";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { serveExt } from "../support/extApi.js";
import { connectedProbe, displayed } from "../support/probe.js";
import { RawPeer } from "../support/rawPeer.js";
import { type RecordingLogger, recordingLogger } from "../support/server.js";

const Api = webSocketSchema(
  defineSocketContract("ChatApi", {
    clientToServer: { say: { input: IsString, success: IsString } },
    serverToClient: {},
  }),
)
  .path("ws/options")
  .done();

const INFINITE = Number.POSITIVE_INFINITY;
const ABOVE_0 = "a number of ms above 0";
const NOT_BELOW_0 = "a number of ms of 0 or more";
const TIMER = "a number of ms from 0 to 2147483647";
const COUNT = "a number of 1 or more";

/** No number at all. */
const NEVER = [Number.NaN, -1, -INFINITE, "10", null, true, 10n, Symbol("ten"), {}, [], () => 10];
const BEYOND = [2 ** 31, Number.MAX_SAFE_INTEGER, INFINITE];

/** Each option that is a number: what it must be, what it cannot be besides `NEVER`, and what it can. */
const CLIENT_NUMBERS: [option: string, must: string, refused: unknown[], fine: unknown[]][] = [
  ["timeout", ABOVE_0, [0], [1, 0.5, ...BEYOND]],
  ["maxOutboxBytes", COUNT, [0, 0.5], [1, INFINITE]],
  ["reconnect.initialDelayMs", NOT_BELOW_0, [], [0, 1, ...BEYOND]],
  ["reconnect.maxDelayMs", NOT_BELOW_0, [], [0, 1, ...BEYOND]],
  ["reconnect.multiplier", "a finite number of 1 or more", [0, 0.5, INFINITE], [1, 1.5]],
  ["reconnect.maxAttempts", "a number of 0 or more", [], [0, 1, INFINITE]],
];

const SERVER_NUMBERS: typeof CLIENT_NUMBERS = [
  ["timeout", ABOVE_0, [0], [1, 0.5, ...BEYOND]],
  ["heartbeat.intervalMs", ABOVE_0, [0], [1, ...BEYOND]],
  ["heartbeat.timeoutMs", ABOVE_0, [0], [1, ...BEYOND]],
  ["drain.spreadMs", TIMER, BEYOND, [0, 1]],
  ["drain.deadlineMs", NOT_BELOW_0, [], [0, 1, ...BEYOND]],
  ...[
    "maxPayloadBytes",
    "maxDepth",
    "maxValues",
    "maxRequestsInFlight",
    "messagesPerSecond",
    "messageBurst",
    "maxOutboxBytes",
    "maxTotalOutboxBytes",
    "maxHandshakes",
    "maxConnections",
    "maxConnectionsPerAddress",
  ].map((name): (typeof CLIENT_NUMBERS)[number] => [`limits.${name}`, COUNT, [0, 0.5], [1, ...BEYOND]]),
];

/** `{a: {b: value}}` for `"a.b"`. */
function optionsWith(option: string, value: unknown): object {
  return option.split(".").reduceRight((inner: unknown, name) => ({ [name]: inner }), value) as object;
}

function createClient(options: unknown, logger = recordingLogger()) {
  return Api.createClient({ url: "ws://127.0.0.1:1", logger, ...(options as GGWebSocketClientConfig) });
}

function startServer(options: unknown, logger = recordingLogger()) {
  const http = new GGHttpServer({ port: 0 });
  onTestFinished(() => http.teardown());
  return Api.startServer(() => {}, { http, logger, ...(options as WebSocketSchemaConfig) });
}

describe.each([
  ["createClient", createClient, CLIENT_NUMBERS],
  ["startServer", startServer, SERVER_NUMBERS],
] as const)("%s", (_call, make, numbers) => {
  it.each(numbers)("refuses numbers that %s cannot be, and takes the others", (option, must, refused, fine) => {
    for (const value of [...NEVER, ...refused]) {
      expect(() => make(optionsWith(option, value)), String(value)).toThrow(`ChatApi: ${option} must be ${must}, not `);
    }
    for (const value of [undefined, ...fine]) make(optionsWith(option, value));
  });

  it("shows the value that it refuses", () => {
    expect(() => make({ timeout: Number.NaN })).toThrow(`ChatApi: timeout must be ${ABOVE_0}, not NaN`);
  });
});

const MISSPELT: [make: (options: unknown) => unknown, call: string, given: object, name: string, meant: string][] = [
  [createClient, "createClient", { recconect: true }, "recconect", "reconnect"],
  [createClient, "createClient", { timeOut: 1 }, "timeOut", "timeout"],
  [createClient, "createClient", { timeoutMs: 1 }, "timeoutMs", "timeout"],
  [createClient, "createClient", { reconnect: { maxDelay: 1 } }, "reconnect.maxDelay", "maxDelayMs"],
  [startServer, "the server", { limit: {} }, "limit", "limits"],
  [startServer, "the server", { hartbeat: false }, "hartbeat", "heartbeat"],
  [startServer, "the server", { heartbeat: { interval: 1 } }, "heartbeat.interval", "intervalMs"],
  [startServer, "the server", { limits: { maxConnection: 1 } }, "limits.maxConnection", "maxConnections"],
  [startServer, "the server", { drain: { spreadMS: 1 } }, "drain.spreadMS", "spreadMs"],
  [startServer, "the server", { drian: {} }, "drian", "drain"],
];

it.each(MISSPELT)("refuses a misspelt option (%#)", (make, call, given, name, meant) => {
  expect(() => make(given)).toThrow(`ChatApi: ${call} has no option "${name}"; did you mean "${meant}"?`);
});

it.each([
  ["createClient", createClient],
  ["the server", startServer],
] as const)("warns once of what %s does not know, as a larger object may have more", (call, make) => {
  const logger: RecordingLogger = recordingLogger();
  make({ colour: "red", constructor: 1, https: true, port: undefined, timeout: 5, timeouts: [] }, logger);
  const [entry] = logger.entries;
  expect(logger.entries).toHaveLength(1);
  expect(entry).toMatchObject({ level: "warn" });
  expect(entry?.message).toMatch(new RegExp(`^ChatApi: ${call} has no option "colour", "constructor", "https"`));
  expect(entry?.message).toContain('"timeouts"');
  expect(entry?.message).not.toContain("port");
});

it.each([
  [createClient, { logMode: 1, reconnect: { heartbeat: {} } }],
  [createClient, { reconnect: undefined, timeout: undefined, query: undefined }],
  [createClient, { reconnect: false }],
  [startServer, { heartbeat: false, limits: undefined, drain: undefined }],
] as const)("takes options of earlier versions, and absent ones (%#)", (make, given) => {
  const logger = recordingLogger();
  make(given, logger);
  expect(logger.entries).toEqual([]);
});

it.each([
  [createClient, { reconnect: "yes" }, "reconnect must be true, false or an object of options, not yes"],
  [startServer, { heartbeat: true }, "heartbeat must be false or an object of options, not true"],
  [startServer, { limits: [] }, "limits must be an object of limits, not an object"],
  [startServer, { drain: 5 }, "drain must be an object of options, not 5"],
  [startServer, { unknownPaths: "leaf" }, 'unknownPaths must be "refuse" or "leave", not leaf'],
  [() => Api.createClient(5 as never), undefined, "the options of createClient must be an object, not 5"],
  [() => Api.startServer(() => {}, null as never), undefined, "the options of the server must be an object, not null"],
] as const)("refuses what is no object of options (%#)", (make, given, message) => {
  expect(() => make(given)).toThrow(`ChatApi: ${message}`);
});

it("checks the options of a socket server and of a pool", async () => {
  const http = new GGHttpServer({ port: 0 });
  onTestFinished(() => http.teardown());
  const misspelt = { apiName: "Raw", path: "/raw", middleware: [] };
  expect(() => new GGSocketServer(http, misspelt)).toThrow(
    'Raw: GGSocketServer has no option "middleware"; did you mean "middlewares"?',
  );
  const config = { domain: "ws://127.0.0.1:1", path: "/raw", queryValidater: IsString };
  for (const open of [GGSocketPool.getOrConnect, GGSocketPool.connect]) {
    await expect(open.call(GGSocketPool, config)).rejects.toThrow('"queryValidater"; did you mean "queryValidator"?');
  }
});

it("checks the options of the test kit", () => {
  expect(() => callOn(Api, { timeout: Number.NaN })).toThrow(
    "ChatApi: timeout must be a number of ms above 0, not NaN",
  );
  expect(() => callOn(Api, { timeoutt: 1 } as never)).toThrow(
    'callOn has no option "timeoutt"; did you mean "timeout"?',
  );
});

describe("the options of a call", () => {
  const BAD: [options: object, message: string][] = [
    ...[0, -1, Number.NaN, "1"].map((timeout): [object, string] => [
      { timeout },
      `timeout must be ${ABOVE_0}, not ${timeout}`,
    ]),
    [{ timeot: 1 }, 'a call has no option "timeot"; did you mean "timeout"?'],
    [{ signal: new AbortController() }, "signal must be an AbortSignal, not an object"],
  ];

  it("settle it with a sentence when they cannot be, and send nothing", async () => {
    const { client, peer } = await connectedProbe();
    for (const [options, message] of BAD) {
      const result = await client.outgoing.echo({ text: "x" }, options).asResult();
      expect(result).toMatchObject({ success: false, type: "SERVER_ERROR" });
      expect(displayed(result)).toBe(`Probe.echo: ${message}`);
    }
    const fine = client.outgoing.echo({ text: "x" }, { timeout: INFINITE, signal: undefined }).asResult();
    expect(await peer.next()).toBe('r:Probe.echo:1:{"text":"x"}');
    peer.send('s:Probe.echo:1:{"success":true,"type":"OK","data":{"text":"y"}}');
    expect(await fine).toMatchObject({ success: true });
  });

  it("settle it on the server too", async () => {
    const { url, outgoings } = await serveExt();
    await RawPeer.connect(url);
    const outgoing = await outgoings.next();
    for (const [options, message] of BAD) {
      expect(displayed(await outgoing.ask("x", options).asResult())).toBe(`Ext.ask: ${message}`);
    }
  });

  it("have no meaning when they are no options, as those that map() passes", async () => {
    const { client, peer } = await connectedProbe();
    [{ text: "a" }, { text: "b" }].map(client.outgoing.note as never);
    client.outgoing.note({ text: "c" }, { timeout: null, signal: null, colour: 1 } as never);
    for (const text of ["a", "b", "c"]) expect(await peer.next()).toBe(`m:Probe.note::{"text":"${text}"}`);
  });
});

it("never waits less for a longer time", async () => {
  const { setDeadline } = await import("../../src/connection/deadlines.js");
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const expired = vi.fn();
  const cancels = BEYOND.map((ms) => setDeadline(ms, expired));
  setDeadline(2 ** 31 - 1, () => expired("the longest"));
  vi.advanceTimersByTime(2 ** 31 - 2);
  expect(expired).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(expired.mock.calls).toEqual([["the longest"]]);
  for (const cancel of cancels) cancel();
});
