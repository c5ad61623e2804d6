import { IsAny, IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { decodeFrame } from "../../src/protocol/frame.js";
import { Gate } from "../support/gate.js";
import { RawPeer, RawServer } from "../support/rawPeer.js";
import { recordingLogger, serveApi } from "../support/server.js";
import { anyFrames, RUNS } from "./arbitraries.js";
import { watchTheProcess } from "./watch.js";

const methods = {
  echo: { input: IsString, success: IsString },
  note: { input: IsAny },
  fail: { input: IsAny, success: IsString },
};
const Api = webSocketSchema(defineSocketContract("Host", { clientToServer: methods, serverToClient: methods }))
  .path("ws/host")
  .done();

const handlers = {
  echo: (text: string) => text,
  note: () => {},
  fail: () => {
    throw "something that is no error";
  },
};

/** The ids of all requests in a sequence of texts, in order. */
function requestsIn(texts: readonly string[], isBatching: boolean): string[] {
  return texts
    .flatMap((text) => (isBatching ? text.split("\n") : [text]))
    .map(decodeFrame)
    .filter(({ type, path }) => type === "r" && path !== "")
    .map(({ path, id }) => `${path}:${id}`);
}

watchTheProcess();

describe("a server among hostile clients", () => {
  it.each([[""], ["batch alive cancel drain"]])(
    "answers each request once, serves others meanwhile, and keeps nothing (%j)",
    async (capabilities) => {
      const logger = { debug() {}, warn() {}, error() {} };
      const { url, server } = await serveApi(Api, (incoming) => incoming.on(handlers), { logger });
      const good = await RawPeer.connect(url);
      await fc.assert(
        fc.asyncProperty(anyFrames("Host"), async (texts) => {
          const { peer: hostile } = await RawPeer.connectWith(url, capabilities);
          hostile.send(...texts);
          const answers = (await hostile.framesUntilAnswerTo('r:Host.echo:the-last:"x"', capabilities !== ""))
            .map(decodeFrame)
            .filter(({ type }) => type === "s");
          const asked = requestsIn(texts, capabilities !== "");
          expect(answers.map(({ path, id }) => `${path}:${id}`).sort()).toEqual(asked.sort());
          good.send('r:Host.echo:1:"still here"');
          expect(await good.next()).toContain("still here");
          await hostile.close();
        }),
        RUNS,
      );
      await good.close();
      while (server.connectionCount > 0) await new Promise((resolve) => setImmediate(resolve));
    },
    30_000,
  );

  it("closes with 1003 on any binary frame", async () => {
    const { url } = await serveApi(Api, (incoming) => incoming.on(handlers));
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const peer = await RawPeer.connect(url);
        peer.ws.send(bytes);
        expect(await peer.closed).toEqual({ code: 1003, reason: "Text messages only" });
      }),
      { ...RUNS, numRuns: 10 },
    );
  });

  it("ignores what follows a binary frame", async () => {
    const received: unknown[] = [];
    const { url } = await serveApi(Api, (incoming) =>
      incoming.on({ ...handlers, note: (data) => void received.push(data) }),
    );
    const peer = await RawPeer.connect(url);
    peer.ws.send(Buffer.from("x"));
    peer.send("m:Host.note::1", "m:Host.note::2");
    expect((await peer.closed).code).toBe(1003);
    expect(received).toEqual([]);
  });

  it("survives anything before the handshake, and as the handshake", async () => {
    const { url } = await serveApi(Api, (incoming) => incoming.on(handlers));
    await fc.assert(
      fc.asyncProperty(anyFrames("Host"), fc.json(), async (texts, payload) => {
        const peer = await RawPeer.open(url);
        const early = texts.filter((text) => decodeFrame(text).type !== "h");
        peer.send(...early, `h:::${payload}`, 'r:Host.echo:1:"x"');
        expect(await peer.frames.take(2)).toEqual([
          "k:::null",
          's:Host.echo:1:{"success":true,"type":"OK","data":"x"}',
        ]);
        await peer.close();
      }),
      RUNS,
    );
  }, 30_000);
});

describe("a client of a hostile server", () => {
  it("answers each request once, settles its own calls once, and can be closed", async () => {
    const server = await RawServer.start();
    await fc.assert(
      fc.asyncProperty(anyFrames("Host"), async (texts) => {
        const client = Api.createClient({ url: server.url, logger: { debug() {}, warn() {}, error() {} } });
        onTestFinished(() => client.close());
        client.incoming.on(handlers);
        const accepted = server.accept();
        await client.connect();
        const peer = await accepted;
        let settled = 0;
        const call = client.outgoing.echo("mine").asResult();
        void call.then(() => settled++);
        expect(await peer.next()).toBe('r:Host.echo:1:"mine"');
        // They may include a reply to this call, which then settles it.
        peer.send(...texts);
        const answers = (await peer.framesUntilAnswerTo('r:Host.echo:the-last:"x"')).map(decodeFrame);
        expect(answers.map(({ path, id }) => `${path}:${id}`).sort()).toEqual(requestsIn(texts, false).sort());
        peer.send('s:Host.echo:1:{"success":true,"type":"OK","data":"yours"}');
        await call;
        const closed = new Gate();
        client.onClose(() => closed.open());
        client.close();
        await closed.passed;
        expect(settled).toBe(1);
      }),
      RUNS,
    );
  }, 30_000);

  it("survives anything in place of an answer to the handshake", async () => {
    const server = await RawServer.start();
    await fc.assert(
      fc.asyncProperty(anyFrames("Host"), fc.json(), async (texts, payload) => {
        const client = Api.createClient({ url: server.url, logger: recordingLogger() });
        onTestFinished(() => client.close());
        const result = client.connect().then(
          () => "connected",
          (error) => error.type,
        );
        const peer = await server.connections.next();
        peer.send(...texts.filter((text) => !["k", "x"].includes(decodeFrame(text).type)), `x:::${payload}`);
        expect(await result).toMatch(/^[A-Z][A-Za-z_]+$/);
      }),
      RUNS,
    );
  }, 30_000);
});
