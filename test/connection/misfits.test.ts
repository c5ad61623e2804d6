import { IsObject, IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  GG_WS_CONNECTION,
  GG_WS_MESSAGE,
  type GGSocket,
  GGSocketGroup,
  type WebSocketOutgoing,
  webSocketSchema,
} from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished } from "vitest";
import { Queue } from "../support/queue.js";
import { RawPeer, RawServer } from "../support/rawPeer.js";
import { recordingLogger, serveApi } from "../support/server.js";

const IsUser = IsObject({ user: IsObject({ name: IsString }) });
const methods = { get: { success: IsUser }, put: { input: IsUser }, wait: { success: IsString } };
const contract = defineSocketContract("Fit", { clientToServer: methods, serverToClient: methods });
const Api = webSocketSchema(contract).path("ws/fit").done();
type Outgoing = WebSocketOutgoing<typeof methods>;

const SECRET = "S3CRET-7777";
const WRONG = { user: { name: [SECRET] } } as unknown as { user: { name: string } };
const FIELDS = expect.stringContaining("user.name invalid.string.type");

/** A server and its client, each of which sends what does not fit, and stops what it waits for by a signal. */
async function start() {
  const outgoings = new Queue<Outgoing>();
  const raws = new Queue<GGSocket>();
  const signals = new Queue<AbortSignal>();
  const until = async (signal: AbortSignal) => {
    signals.push(signal);
    await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    return "";
  };
  const wait = () => until(GG_WS_MESSAGE.assert().signal);
  const handlers = { get: () => WRONG, put() {}, wait };
  const served = await serveApi(Api, (incoming, outgoing) => {
    outgoings.push(outgoing);
    incoming.on(handlers);
  });
  served.server.onConnection((socket) => void raws.push(socket));
  const logger = recordingLogger();
  const client = Api.createClient({ url: served.base, logger });
  onTestFinished(() => client.close());
  client.incoming.on(handlers);
  await client.connect();
  const ends = {
    client: { outgoing: client.outgoing as Outgoing, logger, other: served.logger },
    server: { outgoing: await outgoings.next(), logger: served.logger, other: logger },
  };
  return { ends, signals, client, raw: await raws.next() };
}

describe.each(["client", "server"] as const)("a %s", (end) => {
  it("logs which fields of a message that it is to send do not fit, once and without a value", async () => {
    const { logger, outgoing } = (await start()).ends[end];
    outgoing.put(WRONG);
    expect(await logger.next()).toMatchObject({
      level: "warn",
      message: "Fit.put: a message was not sent",
      fields: { type: "VALIDATION_ERROR", reason: FIELDS },
    });
    expect(logger.entries).toHaveLength(1);
    expect(JSON.stringify(logger.entries)).not.toContain(SECRET);
  });

  it("whose handler gives a result that does not fit logs its fields, and its caller gets none", async () => {
    const { outgoing, other } = (await start()).ends[end];
    const result = await outgoing.get().asResult();
    expect(result).toMatchObject({
      success: false,
      type: "SERVER_ERROR",
      context: { displayMessage: "Invalid response" },
    });
    expect(JSON.stringify(result)).not.toContain("user.name");
    expect(other.entries).toMatchObject([
      { level: "error", message: "Fit.get: the handler failed", fields: { debugMessage: FIELDS } },
    ]);
    expect(JSON.stringify(other.entries)).not.toContain(SECRET);
  });

  it("takes a call that its caller aborts for no failure, whatever its handler stops with", async () => {
    const { ends, signals } = await start();
    const { outgoing, logger, other } = ends[end];
    const controller = new AbortController();
    const { signal } = controller;
    const calls = Array.from({ length: 11 }, () => outgoing.wait(undefined, { signal }).asResult());
    const running = await signals.take(11);
    controller.abort();
    for (const { success } of await Promise.all(calls)) expect(success).toBe(false);
    for (const { aborted } of running) if (!aborted) await outgoing.get().asResult();
    expect(running.every(({ aborted }) => aborted)).toBe(true);
    const unexpected = [...logger.entries, ...other.entries].filter(({ message }) => message.includes("wait"));
    expect(unexpected).toEqual([]);
  });
});

it("a reply that does not fit is logged with its fields where it arrives, on a client", async () => {
  const server = await RawServer.start();
  const logger = recordingLogger();
  const client = Api.createClient({ url: server.url, logger });
  onTestFinished(() => client.close());
  const accepted = server.accept();
  await client.connect();
  const peer = await accepted;
  const call = client.outgoing.get().asResult();
  peer.send(`s:Fit.get:1:{"success":true,"type":"OK","data":${JSON.stringify(WRONG)}}`);
  expect((await call).success).toBe(false);
  expect(logger.entries).toMatchObject([
    { level: "warn", message: "Fit.get: Invalid response", fields: { reason: FIELDS } },
  ]);
  expect(JSON.stringify(logger.entries)).not.toContain(SECRET);
});

it("a reply and a message that do not fit are logged with their fields where they arrive, on a server", async () => {
  const outgoings = new Queue<Outgoing>();
  const served = await serveApi(Api, (incoming, outgoing) => {
    outgoings.push(outgoing);
    incoming.on({ get: () => WRONG, put() {}, wait: () => "" });
  });
  const peer = await RawPeer.connect(served.url);
  const outgoing = await outgoings.next();
  const call = outgoing.get().asResult();
  await peer.next();
  peer.send(`s:Fit.get:1:{"success":true,"type":"OK","data":${JSON.stringify(WRONG)}}`);
  expect((await call).success).toBe(false);
  peer.send(`m:Fit.put::${JSON.stringify(WRONG)}`);
  await served.logger.next();
  expect(await served.logger.next()).toMatchObject({ message: "Fit.put: a message ended with VALIDATION_ERROR" });
  expect(served.logger.entries).toMatchObject([
    { level: "warn", message: "Fit.get: Invalid response", fields: { reason: FIELDS } },
    { level: "warn", fields: { reason: FIELDS } },
  ]);
  expect(JSON.stringify(served.logger.entries)).not.toContain(SECRET);
});

it("a message that a group or a raw socket cannot send is logged, without a value", async () => {
  const { ends, raw } = await start();
  const { logger, outgoing } = ends.server;
  const group = new GGSocketGroup(Api);
  group.add(outgoing);
  group.put(WRONG);
  await raw.send("Fit.other", { secret: SECRET, n: 7n });
  expect(logger.entries).toMatchObject([
    { level: "warn", message: "Fit.put: a message was not sent", fields: { reason: FIELDS } },
    {
      level: "warn",
      message: "Fit.other: a message was not sent",
      fields: { reason: expect.stringMatching(/BigInt/) },
    },
  ]);
  expect(JSON.stringify(logger.entries)).not.toContain(SECRET);
});

it("a handler that stops by the signal of its connection is no failure", async () => {
  const stopped = new Queue<void>();
  const begun = new Queue<void>();
  const { url, logger } = await serveApi(Api, (incoming) =>
    incoming.on({
      get: () => WRONG,
      put: async () => {
        const { signal } = GG_WS_CONNECTION.assert();
        begun.push();
        await new Promise<void>((_resolve, reject) => {
          signal?.addEventListener("abort", () => {
            reject(signal.reason);
            stopped.push();
          });
        });
      },
      wait: () => "",
    }),
  );
  const peer = await RawPeer.connect(url);
  peer.send('m:Fit.put::{"user":{"name":"x"}}');
  await begun.next();
  peer.ws.terminate();
  await stopped.next();
  await new Promise((resolve) => setImmediate(resolve));
  expect(logger.entries).toEqual([]);
});
