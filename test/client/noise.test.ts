import { IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, GG_WS_MESSAGE, GGSocketPool, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import * as page from "../../src/index.browser.js";
import { Queue } from "../support/queue.js";
import { RawServer } from "../support/rawPeer.js";
import { recordingLogger } from "../support/server.js";

const FLOOD = 2_000;

const contract = {
  clientToServer: { echo: { success: IsString }, note: { input: IsObject({ text: IsString }) } },
  serverToClient: {
    news: { input: IsObject({ user: IsObject({ name: IsString }) }) },
    spare: { input: IsString },
    ask: { success: IsString },
    work: {},
  },
};
const NodeApi = webSocketSchema(defineSocketContract("Noise", contract)).path("ws/noise").done();
const PageApi = page.webSocketSchema(page.defineSocketContract("Noise", contract)).path("ws/noise").done();

const CLIENTS = {
  "in Node": NodeApi,
  "in a page": PageApi as unknown as typeof NodeApi,
};

async function start(Api = NodeApi) {
  const server = await RawServer.start();
  const logger = recordingLogger();
  const signals = new Queue<AbortSignal>();
  const errors: Error[] = [];
  const webSocket = Api === NodeApi ? undefined : (WebSocket as unknown as new (url: string) => globalThis.WebSocket);
  const client = Api.createClient({ url: server.url, logger, webSocket });
  onTestFinished(() => client.close());
  client.onError((error) => errors.push(error));
  const stop = () => {
    const { signal } = GG_WS_MESSAGE.assert();
    signals.push(signal);
    return new Promise<string>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  client.incoming.on({ news() {}, ask: stop, work: () => void 0 });
  const accepted = server.accept();
  await client.connect();
  const peer = await accepted;
  /** Everything that the peer has sent so far is handled. */
  const handled = async () => {
    const echo = client.outgoing.echo();
    const [, , id] = (await peer.next()).split(":");
    peer.send(`s:Noise.echo:${id}:{"success":true,"type":"OK","data":"x"}`);
    await echo;
  };
  return { client, logger, errors, peer, handled, signals, stop };
}

describe.each(Object.entries(CLIENTS))("a client %s", (_name, Api) => {
  it("ignores declared messages that it does not handle", async () => {
    const { logger, errors, peer, handled } = await start(Api);
    peer.send(...Array.from({ length: 100 }, () => 'm:Noise.spare::"x"'));
    await handled();
    expect([logger.entries, errors]).toEqual([[], []]);
  });

  it("reports a declared message that does not fit, though it does not handle it", async () => {
    const { logger, errors, peer, handled } = await start(Api);
    peer.send("m:Noise.spare::{}");
    await handled();
    expect(logger.entries).toMatchObject([{ message: "Noise.spare: a message ended with VALIDATION_ERROR" }]);
    expect(errors).toHaveLength(1);
  });

  it("answers a request that it does not handle", async () => {
    const { peer } = await start(Api);
    peer.send("r:Noise.nope:1:", 'r:Noise.spare:2:"x"');
    expect(await peer.next()).toContain("ROUTE_NOT_FOUND");
    expect(await peer.next()).toContain("Noise.spare has no handler");
  });

  it.each([
    ["of an unknown method", "m:Noise.nope::1", 0],
    ["of an unknown method each", (i: number) => `m:Noise.nope${i}::1`, 0],
    ["that do not fit", 'm:Noise.news::{"user":{"name":{}}}', FLOOD],
    ["that are not JSON", "m:Noise.news::{", FLOOD],
    ["that nothing handles", 'm:Noise.spare::"x"', 0],
  ])("does not fill its log with messages %s", async (_what, frame, errorCount) => {
    const { logger, errors, peer, handled } = await start(Api);
    peer.sendTogether(...Array.from({ length: FLOOD }, (_, i) => (typeof frame === "string" ? frame : frame(i))));
    await handled();
    expect(logger.entries.length).toBeLessThanOrEqual(20);
    expect(errors).toHaveLength(errorCount);
  });

  it("says once or more which fields of a message do not fit, and shows no value", async () => {
    const { logger, peer, handled } = await start(Api);
    peer.send('m:Noise.news::{"user":{"name":["S3CRET"]}}');
    await handled();
    expect(logger.entries).toMatchObject([
      { level: "warn", message: "Noise.news: a message ended with VALIDATION_ERROR" },
    ]);
    expect(logger.entries[0]?.fields.reason).toContain("user.name invalid.string.type");
    expect(JSON.stringify(logger.entries)).not.toContain("S3CRET");
  });

  it("does not take for a failure what its handlers stop when it closes", async () => {
    const { client, logger, errors, peer, handled, signals, stop } = await start(Api);
    client.incoming.on({ work: stop });
    peer.send("m:Noise.work::", "r:Noise.ask:1:");
    const begun = await signals.take(2);
    await handled();
    client.close();
    await peer.closed;
    expect(begun.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect([logger.entries, errors]).toEqual([[], []]);
  });
});

it("a page that is flooded and then sees one more message that does not fit logs it, once it is calm again", async () => {
  const { logger, peer, handled } = await start(CLIENTS["in a page"]);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
  expect(logger.entries).toEqual([]);
  peer.sendTogether(...Array.from({ length: FLOOD }, () => "m:Noise.news::{"));
  await handled();
  const atFirst = logger.entries.length;
  expect(atFirst).toBeGreaterThan(0);
  vi.advanceTimersByTime(60_000);
  peer.send("m:Noise.news::{");
  await handled();
  expect(logger.entries).toHaveLength(atFirst + 1);
});

it("a raw socket does not fill the log either", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const server = await RawServer.start();
  const accepted = server.accept();
  const socket = await GGSocketPool.connect({ domain: server.url, path: "/ws/noise" });
  onTestFinished(() => socket.close());
  const peer = await accepted;
  socket.registerHandler({ path: "Noise.other", handler() {} });
  peer.sendTogether(...Array.from({ length: FLOOD }, () => "m:Noise.nope::1"));
  const echo = socket.send("Noise.echo", undefined, true);
  await peer.next();
  peer.send('s:Noise.echo:1:{"success":true,"type":"OK"}');
  await echo;
  expect(warn.mock.calls.length).toBeLessThanOrEqual(10);
  expect(warn.mock.calls.length).toBeGreaterThan(0);
});

describe("a client that is given set-ups by connect()", () => {
  it("warns once of many different ones", async () => {
    const { client, logger } = await start();
    for (let i = 0; i < 30; i++) await client.connect(() => {});
    expect(logger.entries).toMatchObject([{ level: "warn", message: expect.stringMatching(/^Noise: .*onConnect/) }]);
  });

  it("does not warn of the same one, nor of many with onConnect", async () => {
    const { client, logger } = await start();
    const setup = () => {};
    for (let i = 0; i < 30; i++) {
      await client.connect(setup);
      client.onConnect(() => {});
    }
    expect(logger.entries).toEqual([]);
  });
});
