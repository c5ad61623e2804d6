import { inspect } from "node:util";
import { ERROR, GG_NO_PERMISSIONS, IsAny, IsNumber, IsObject, IsString, NOT_AUTHORIZED } from "@grest-ts/schema";
import {
  defineSocketContract,
  type WebSocketOutgoing,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Gate } from "../support/gate.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { ofConnection, recordingLogger, serveApi } from "../support/server.js";

const FULL = ERROR.define("LOGGING_FULL", 409, IsObject({ why: IsString }));
const open = { permission: GG_NO_PERMISSIONS };

const contract = defineSocketContract("Log", {
  clientToServer: {
    run: { ...open, input: IsString, success: IsAny, errors: [FULL] },
    count: { ...open, input: IsObject({ n: IsNumber }), success: IsNumber },
    note: { ...open, input: IsObject({ n: IsNumber }) },
    ping: open,
    gated: { permission: "scope", input: IsString, success: IsString },
    gatedNote: { permission: "scope", input: IsString },
    missing: { ...open, input: IsString },
  },
  serverToClient: { ask: { input: IsString.nonEmpty, success: IsNumber }, news: { input: IsString } },
});
type Outgoing = WebSocketOutgoing<typeof contract.methods.serverToClient>;

async function start(config: WebSocketSchemaConfig & { fail?: () => never } = {}) {
  const { fail, ...rest } = config;
  const outgoings = new Queue<Outgoing>();
  const closed = new Gate();
  const Api = webSocketSchema(contract)
    .path("ws/log")
    .use({
      parseHandshake({ headers }) {
        if (headers.how === "refuse") throw new NOT_AUTHORIZED({ displayMessage: `not ${headers.authorization}` });
        if (headers.how === "fail") throw new Error("the middleware failed");
      },
    })
    .queryOnConnect(IsObject({ room: IsString, n: IsNumber.orUndefined }))
    .done();
  const { url } = await serveApi(
    Api,
    (incoming, outgoing) => {
      outgoings.push(outgoing);
      outgoing.onClose(() => closed.open());
      fail?.();
      incoming.on({
        run: (how: string) => {
          if (how === "bigint") return 10n;
          if (how.startsWith("cycle")) {
            const cycle: { text: string; self?: unknown } = { text: how };
            cycle.self = cycle;
            return cycle;
          }
          if (how.startsWith("declared")) throw new FULL({ why: how });
          throw new Error("the handler failed");
        },
        count: () => "not a number" as unknown as number,
        note: () => {},
        ping: () => {},
        gated: () => "",
        gatedNote: () => {},
      } as never);
    },
    // The default logger, unless `rest` has one.
    { logger: undefined, permissionResolver: () => new Set(["other"]), ...rest },
  );
  return { url: `${url}?room=r`, outgoings, closed: closed.passed };
}

describe("the logger given at registration", () => {
  it("gets what goes wrong; the console gets nothing", async () => {
    const consoles = (["debug", "log", "info", "warn", "error"] as const).map((level) =>
      vi.spyOn(console, level).mockImplementation(() => {}),
    );
    const logger = recordingLogger();
    const { url, closed } = await start({ logger });
    const peer = await RawPeer.connect(url);
    peer.send('r:Log.run:1:"fail"', "m:Log.nope::", 'm:Log.gatedNote::"x"', "r:Log.ping:2:");
    await peer.frames.take(2);
    peer.ws.close();
    await closed;
    expect(logger.entries.map(({ level, message }) => [level, message.split(":")[0]])).toEqual([
      ["error", "Log.run"],
      ["warn", "Log"],
      ["warn", "Log.gatedNote"],
    ]);
    for (const spy of consoles) expect(spy).not.toHaveBeenCalled();
  });

  it("is one per registration", async () => {
    const [one, two] = [recordingLogger(), recordingLogger()];
    const peer = await RawPeer.connect((await start({ logger: one })).url);
    await start({ logger: two });
    peer.send('r:Log.run:1:"fail"');
    await peer.next();
    expect([one.entries.length, two.entries.length]).toEqual([1, 0]);
  });

  it("gets connections that open and close at debug, and nothing above without a failure", async () => {
    const logger = recordingLogger();
    const { url, closed } = await start({ logger });
    const peer = await RawPeer.connect(url);
    peer.send("r:Log.ping:1:", "m:Log.ping::", 'r:Log.run:2:"declared"', "r:Log.nope:3:", 'r:Log.count:4:{"n":"x"}');
    await peer.frames.take(4);
    peer.ws.close();
    await closed;
    expect(logger.entries).toEqual([]);
    expect(logger.debugEntries.map(({ message }) => message)).toEqual([
      "Log: a connection is open",
      "Log: a connection has closed",
    ]);
  });

  it("names the API or the method in every log entry", async () => {
    const logger = recordingLogger();
    await misbehave(await start({ logger }), "marker");
    expect(logger.entries.length).toBeGreaterThan(10);
    for (const { message } of [...logger.entries, ...logger.debugEntries]) expect(message).toMatch(/^Log(\.\w+)?: /);
  });
});

describe("the default logger", () => {
  afterEach(() => void vi.restoreAllMocks());

  it("writes warnings and errors to the console, and nothing below", async () => {
    const quiet = (["debug", "log", "info"] as const).map((level) => vi.spyOn(console, level));
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const { url, closed } = await start();
    const peer = await RawPeer.connect(url);
    peer.send("r:Log.ping:1:");
    await peer.next();
    expect([warn.mock.calls, error.mock.calls]).toEqual([[], []]);
    peer.send('r:Log.run:1:"fail"', "m:Log.nope::", "r:Log.ping:2:");
    const reply = await peer.next();
    await peer.next();
    expect(warn.mock.calls).toHaveLength(1);
    expect(error.mock.calls).toHaveLength(1);
    const ref = /"ref":"([^"]+)"/.exec(reply)?.[1];
    expect(error.mock.calls[0]).toEqual([
      expect.stringContaining("Log.run"),
      { ...ofConnection, ref, error: new Error("the handler failed") },
    ]);
    peer.ws.close();
    await closed;
    for (const spy of quiet) expect(spy).not.toHaveBeenCalled();
  });
});

/** Triggers every log entry of a server, with a marker wherever a client can put one. */
async function misbehave(server: Awaited<ReturnType<typeof start>>, marker: string): Promise<void> {
  const url = `${server.url}&token=${marker}`;
  const badQuery = await RawPeer.open(`${url}&n=${marker}`);
  await badQuery.closed;
  for (const how of ["refuse", "fail"]) {
    const refused = await RawPeer.open(url);
    refused.send(`h:::${JSON.stringify({ how, authorization: `Bearer ${marker}` })}`);
    await refused.closed;
  }
  const peer = await RawPeer.connect(url, { authorization: `Bearer ${marker}`, [marker]: marker });
  const outgoing = await server.outgoings.next();
  const text = JSON.stringify(marker);
  peer.send(
    `r:Log.run:1:${text}`,
    `r:Log.run:2:"bigint"`,
    `r:Log.run:3:"cycle ${marker}"`,
    `r:Log.run:4:"declared ${marker}"`,
    `r:Log.run:5:${marker}`, // not JSON: an engine's message would quote it
    `r:Log.count:6:{"n":${text}}`,
    `r:Log.count:7:{"n":1,"${marker}":1}`,
    `r:Log.gated:8:${text}`,
    `r:Log.missing:9:${text}`,
    `r:${marker}.path:10:${text}`,
    `m:Log.run::${text}`,
    `m:Log.run::"bigint"`,
    `m:Log.run::${marker}`,
    `m:Log.count::{"n":1}`,
    `m:Log.note::{"n":${text}}`,
    `m:Log.note::{${marker}`,
    `m:Log.gatedNote::${text}`,
    `m:Log.missing::${text}`,
    `m:${marker}.path::${text}`,
    `s:${marker}:1:${text}`,
  );
  await peer.frames.take(10);
  const calls = [outgoing.ask(marker), outgoing.ask(marker), outgoing.ask(marker)].map((call) => call.asResult());
  await peer.frames.take(3);
  peer.send(
    `s:Log.ask:1:{"success":false,"type":"${marker}","context":{"displayMessage":${text}}}`,
    `s:Log.ask:2:{"success":true,"type":"OK","data":${text}}`,
    `s:Log.ask:3:${marker}`,
  );
  await Promise.all(calls);
  outgoing.onClose(() => {
    throw new Error("the callback failed");
  });
  peer.ws.close(4999, marker);
  await server.closed;
  await outgoing.news(marker).asResult();
}

it("logs no credential and no payload in any entry, nor in the errors of the entries", async () => {
  const marker = "S3CR3T-marker";
  const logger = recordingLogger();
  await misbehave(await start({ logger }), marker);
  const entries = [...logger.entries, ...logger.debugEntries];
  // Every kind of failure must have occurred, or the absence of the marker proves nothing.
  const messages = entries.map(({ message }) => message).join("\n");
  for (const kind of [
    "a middleware failed",
    "a handshake was refused",
    "Log.run: the handler failed",
    "Log.count: the handler failed",
    "Log.note: a message ended with VALIDATION_ERROR",
    "Log.gatedNote: a message ended with FORBIDDEN",
    "Log.missing: a message ended with SERVER_ERROR",
    "ROUTE_NOT_FOUND",
    "the onClose callback failed",
  ]) {
    expect(messages).toContain(kind);
  }
  const everything = { depth: 12, showHidden: true, getters: true } as const;
  for (const entry of entries) expect(inspect(entry, everything)).not.toContain(marker);
});

it("logs a connection handler's failure with its error and nothing of the client", async () => {
  const marker = "S3CR3T-marker";
  const logger = recordingLogger();
  const reason = new Error("no user");
  const { url } = await start({
    logger,
    fail: () => {
      throw reason;
    },
  });
  const peer = await RawPeer.open(`${url}&token=${marker}`);
  peer.send(`h:::{"authorization":"${marker}"}`);
  await peer.closed;
  expect(logger.entries).toEqual([
    { level: "error", message: "Log: the connection handler failed", fields: { ...ofConnection, error: reason } },
  ]);
  expect(logger.entries[0]?.fields.error).toBe(reason);
});
