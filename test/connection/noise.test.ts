import { IsObject, IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  GG_WS_MESSAGE,
  GGSocketGroup,
  type WebSocketOutgoing,
  webSocketSchema,
} from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished } from "vitest";
import { onFakeClock } from "../support/fakeClock.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { recordingLogger, serveApi } from "../support/server.js";

const contract = defineSocketContract("Calm", {
  clientToServer: {
    echo: { input: IsString, success: IsString },
    wait: { success: IsString },
    note: { input: IsString },
  },
  serverToClient: {
    said: { input: IsObject({ user: IsObject({ name: IsString }), text: IsString }) },
    plain: { input: IsString },
    ask: { success: IsString },
  },
});
const Api = webSocketSchema(contract).path("ws/calm").done();
type Outgoing = WebSocketOutgoing<typeof contract.methods.serverToClient>;

async function start() {
  const outgoings = new Queue<Outgoing>();
  const waiting = new Queue<AbortSignal>();
  const served = await serveApi(Api, (incoming, outgoing) => {
    outgoings.push(outgoing);
    incoming.on({
      echo: (text) => text,
      async wait() {
        const { signal } = GG_WS_MESSAGE.assert();
        waiting.push(signal);
        await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        return "";
      },
      note() {},
    });
  });
  const logger = recordingLogger();
  const client = Api.createClient({ url: served.base, logger });
  onTestFinished(() => client.close());
  client.incoming.on({ said() {}, plain() {}, ask: () => new Promise(() => {}) });
  await client.connect();
  return { ...served, client, clientLogger: logger, outgoing: await outgoings.next(), waiting };
}

describe("nothing is logged above debug level", () => {
  it("in a session without a fault", async () => {
    const { client, clientLogger, logger, outgoing, server } = await start();
    expect(await client.outgoing.echo("x")).toBe("x");
    client.outgoing.note("x");
    outgoing.said({ user: { name: "Ann" }, text: "x" });
    outgoing.plain("x");
    await client.outgoing.echo("y");
    await client.disconnect();
    await client.connect();
    await client.disconnect();
    await server.teardown();
    expect([...logger.entries, ...clientLogger.entries]).toEqual([]);
  });

  it("when a caller cancels, and the handler stops by its own signal", async () => {
    const { client, clientLogger, logger, waiting } = await start();
    const controller = new AbortController();
    const calls = Array.from({ length: 20 }, () => client.outgoing.wait(undefined, { signal: controller.signal }));
    const signals = await waiting.take(20);
    controller.abort();
    for (const call of calls) expect((await call.asResult()).success).toBe(false);
    for (const signal of signals) while (!signal.aborted) await client.outgoing.echo("x");
    await client.outgoing.echo("x");
    expect([...logger.entries, ...clientLogger.entries]).toEqual([]);
  });

  it("when a peer leaves while its requests are handled", async () => {
    const { client, logger, waiting } = await start();
    for (let i = 0; i < 5; i++) client.outgoing.wait();
    const signals = await waiting.take(5);
    client.close();
    for (const signal of signals)
      if (!signal.aborted) await new Promise((done) => signal.addEventListener("abort", done));
    expect(logger.entries).toEqual([]);
  });

  it.each(["client", "server"])("and no leak is warned of, when many calls of a %s share a signal", async (end) => {
    const { client, outgoing } = await start();
    const warnings: unknown[] = [];
    const note = (warning: unknown) => void warnings.push(warning);
    process.on("warning", note);
    onTestFinished(() => void process.off("warning", note));
    const controller = new AbortController();
    const { signal } = controller;
    const calls = Array.from({ length: 50 }, () =>
      (end === "client" ? client.outgoing.wait(undefined, { signal }) : outgoing.ask(undefined, { signal })).asResult(),
    );
    await client.outgoing.echo("x");
    controller.abort();
    for (const result of await Promise.all(calls)) expect(result.success).toBe(false);
    // Warnings are emitted in a tick of their own.
    await new Promise((resolve) => setImmediate(resolve));
    expect(warnings).toEqual([]);
  });
});

describe("one warning", () => {
  it.each(["connection", "group", "client"])(
    "names the fields of a message that a %s cannot send, and no value",
    async (from) => {
      const { client, clientLogger, logger, outgoing } = await start();
      const group = new GGSocketGroup(Api);
      group.add(outgoing);
      const wrong = { user: { name: 7_777_777 as unknown as string }, text: {} as string };
      if (from === "connection") outgoing.said(wrong);
      else if (from === "group") group.said(wrong);
      else client.outgoing.note({ secret: "s3cret" } as unknown as string);
      const entry = await (from === "client" ? clientLogger : logger).next();
      const path = from === "client" ? "Calm.note" : "Calm.said";
      expect(entry).toMatchObject({ level: "warn", message: `${path}: a message was not sent` });
      expect(entry.fields).toMatchObject({ type: "VALIDATION_ERROR" });
      if (from !== "client") expect(entry.fields.reason).toContain("text invalid.string.type");
      expect("connection" in entry.fields).toBe(from === "connection");
      expect(JSON.stringify(entry)).not.toMatch(/s3cret|7777777/);
    },
  );

  it("says why a message has no JSON text", async () => {
    const { outgoing, logger } = await start();
    outgoing.plain(7n as unknown as string);
    expect((await logger.next()).message).toBe("Calm.plain: a message was not sent");
  });

  it("per interval tells of a flood: some of it, and how much was left out", async () => {
    const clock = await onFakeClock();
    const { defineSocketContract, webSocketSchema, schema } = clock;
    const logger = recordingLogger();
    const Flood = webSocketSchema(
      defineSocketContract("Flood", {
        clientToServer: { echo: { input: schema.IsString, success: schema.IsString } },
        serverToClient: {},
      }),
    )
      .path("ws")
      .done();
    const { url } = await clock.start((http) =>
      Flood.register((incoming) => incoming.on({ echo: (text) => text }), { http, logger, heartbeat: false }),
    );
    const peer = await RawPeer.connect(`${url}/ws`);
    peer.sendTogether(...Array.from({ length: 5_000 }, () => "m:Flood.nope::"));
    await peer.framesUntilAnswerTo('r:Flood.echo:1:"x"');
    expect(logger.entries).toHaveLength(10);
    clock.pass(10_000);
    expect(logger.entries).toHaveLength(11);
    expect(logger.entries.at(-1)).toMatchObject({ level: "warn", fields: { unlogged: 4_990 } });
    clock.pass(60_000);
    expect(logger.entries).toHaveLength(11);
    peer.send("m:Flood.nope::");
    await peer.framesUntilAnswerTo('r:Flood.echo:2:"x"');
    clock.pass(60_000);
    expect(logger.entries).toHaveLength(12);
  });
});
