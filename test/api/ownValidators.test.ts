import { IsString, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import { defineSocketContract, type StandardSchemaV1, webSocketSchema } from "@grest-ts/websocket";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { Queue } from "../support/queue.js";
import { RawPeer, RawServer } from "../support/rawPeer.js";
import { recordingLogger, serveApi } from "../support/server.js";

/** An API whose validators are all this one. */
const apiOf = (validator: unknown) => {
  const input = validator as StandardSchemaV1;
  return webSocketSchema(
    defineSocketContract("Own", {
      clientToServer: {
        tell: { input },
        ask: { input, success: IsString, errors: [VALIDATION_ERROR] },
        get: { success: input },
      },
      serverToClient: { push: { input }, query: { input, success: IsString } },
    }),
  )
    .path("ws/own")
    .done();
};

/** A served API, a client of it and a bare one, and what handlers of either end receive. */
async function connected(validator: unknown) {
  const Api = apiOf(validator);
  const received = new Queue<unknown>();
  const outgoings = new Queue<Parameters<Parameters<typeof Api.register>[0]>[1]>();
  const give: { result?: unknown } = {};
  const receive = (data: unknown) => {
    received.push(data);
    return "taken";
  };
  const { base, url } = await serveApi(Api, (incoming, outgoing) => {
    incoming.on({ tell: (data) => void receive(data), ask: receive, get: () => give.result });
    outgoings.push(outgoing);
  });
  const client = Api.createClient({ url: base, logger: recordingLogger() });
  client.incoming.on({ push: (data) => void receive(data), query: receive });
  await client.connect();
  const server = await outgoings.next();
  return { client, server, peer: await RawPeer.connect(url), received, give };
}

/** A client of a server that the test plays. */
async function playedServer(validator: unknown) {
  const server = await RawServer.start();
  const received = new Queue<unknown>();
  const client = apiOf(validator).createClient({ url: server.url, logger: recordingLogger() });
  const receive = (data: unknown) => {
    received.push(data);
    return "taken";
  };
  client.incoming.on({ push: (data) => void receive(data), query: receive });
  const errors = new Queue<unknown>();
  client.onError((error) => errors.push(error));
  const connecting = client.connect();
  const peer = await server.accept();
  await connecting;
  return { client, peer, received, errors };
}

/** A validator as programs of 0.0.39 have written it themselves, without a Standard Schema. */
const bare = (safeParse: (value: unknown) => unknown) => ({ safeParse });

describe("a bare validator", () => {
  const REFUSALS: readonly [string, (value: unknown) => object][] = [
    ["the value and an error", (value) => ({ success: false, value, error: "no" })],
    ["the value alone", (value) => ({ success: false, value })],
    ["the value and no issues", (value) => ({ success: false, value, issues: undefined })],
    ["an error alone", () => ({ success: false, error: new Error("no") })],
    ["nothing", () => ({ success: false })],
    ["no success", (value) => ({ value })],
  ];
  const refusing = (answer: (value: unknown) => object) =>
    bare((value) => (value === "good" ? { success: true, value } : answer(value)));

  it.each(REFUSALS)("that refuses with %s keeps a value from every handler of a server", async (_, answer) => {
    const { client, server, peer, received, give } = await connected(refusing(answer));
    peer.send('m:Own.tell::{"evil":1}', 'r:Own.ask:1:{"evil":1}');
    expect(await peer.next()).toMatch(/^s:Own\.ask:1:\{"success":false/);
    for (const sent of [
      client.outgoing.tell("bad"),
      client.outgoing.ask("bad"),
      server.push("bad"),
      server.query("bad"),
    ])
      expect(await sent.asResult()).toMatchObject({ success: false });
    give.result = "bad";
    expect(await client.outgoing.get().asResult()).toBeInstanceOf(SERVER_ERROR);
    give.result = "good";
    expect(await client.outgoing.get()).toBe("good");
    // The rest of them would have been received by now.
    peer.send('m:Own.tell::"good"');
    expect(await received.next()).toBe("good");
    await server.query("good");
    expect(received.unseen).toEqual(["good"]);
  });

  it.each(REFUSALS)(
    "that refuses with %s keeps a value from every handler and caller of a client",
    async (_, answer) => {
      const { client, peer, received, errors } = await playedServer(refusing(answer));
      peer.send('m:Own.push::{"evil":1}');
      expect(await errors.next()).toBeInstanceOf(Error);
      peer.send('r:Own.query:1:{"evil":1}');
      expect(await peer.next()).toMatch(/^s:Own\.query:1:\{"success":false/);
      const getting = client.outgoing.get().asResult();
      const [, , id] = (await peer.next()).split(":");
      peer.send(`s:Own.get:${id}:${JSON.stringify({ success: true, type: "OK", data: { evil: 1 } })}`);
      expect(await getting).toMatchObject({ success: false });
      expect(received.unseen).toEqual([]);
      client.close();
    },
  );

  it("that refuses with issues gives them to the caller", async () => {
    const issue = { path: "a", code: "own", message: "no" };
    const { client, peer, received } = await connected(
      bare((value) => ({ success: false, value, issues: { toJSON: () => [issue] } })),
    );
    peer.send("r:Own.ask:1:1");
    const { type, data } = JSON.parse((await peer.next()).slice("s:Own.ask:1:".length));
    expect({ type, data }).toEqual({ type: "VALIDATION_ERROR", data: [issue] });
    expect(await client.outgoing.ask(1).asResult()).toMatchObject({ type: "VALIDATION_ERROR", data: [issue] });
    expect(received.unseen).toEqual([]);
  });

  it.each<[string, (value: unknown) => object, unknown]>([
    ["an empty list of issues", (value) => ({ success: true, value, issues: [] }), "a"],
    ["issues that are none", (value) => ({ success: true, value, issues: null }), "a"],
    ["another value", (value) => ({ success: true, value: `${value}!` }), "a!"],
    ["no value", () => ({ success: true }), undefined],
  ])("that passes with %s passes at both ends", async (_, answer, output) => {
    const { client, server, peer, received, give } = await connected(bare(answer));
    peer.send('m:Own.tell::"a"', 'r:Own.ask:1:"a"');
    expect(await peer.next()).toBe('s:Own.ask:1:{"success":true,"type":"OK","data":"taken"}');
    expect(await received.take(2)).toEqual([output, output]);
    // Each end makes its output of what it gets.
    const twice = (answer(output) as { value?: unknown }).value;
    expect(await client.outgoing.ask("a")).toBe("taken");
    expect(await server.query("a")).toBe("taken");
    expect(await received.take(2)).toEqual([twice, twice]);
    give.result = "a";
    expect(await client.outgoing.get()).toEqual(twice);
    expect(received.unseen).toEqual([]);
  });
});

/** Each refuses a text: most after a step that makes of it what JSON does not have. */
const PATHS: readonly { what: string; validator: StandardSchemaV1<unknown, unknown>; path: unknown }[] = [
  {
    what: "zod's symbol key",
    validator: z
      .string()
      .transform((text) => ({ [Symbol("key")]: text }))
      .pipe(z.record(z.symbol(), z.number()) as never) as never,
    path: "Symbol(key)",
  },
  {
    what: "zod's symbol key within",
    validator: z
      .string()
      .transform((text) => ({ list: [{ [Symbol()]: text }] }))
      .pipe(z.object({ list: z.array(z.record(z.symbol(), z.number())) }) as never) as never,
    path: "list.0.Symbol()",
  },
  {
    what: "zod's issue of a program's own with a symbol",
    validator: z.string().superRefine((_, context) => context.addIssue({ code: "custom", path: [Symbol("own"), 1] })) as never, // biome-ignore format: one
    path: "Symbol(own).1",
  },
  {
    what: "valibot's member of a set",
    validator: v.pipe(v.string(), v.transform((text) => new Set([text])), v.set(v.pipe(v.string(), v.minLength(2)))) as never, // biome-ignore format: one
    path: expect.not.stringContaining("[object"),
  },
  {
    what: "valibot's key of a map",
    validator: v.pipe(v.string(), v.transform((text) => new Map([[text, 1]])), v.map(v.string(), v.string() as never)) as never, // biome-ignore format: one
    path: "a",
  },
];

describe("the issues of a Standard Schema with a path of", () => {
  it.each(PATHS)("$what are a VALIDATION_ERROR at both ends", async ({ validator, path }) => {
    const { client, peer, received } = await connected(validator);
    const early = await client.outgoing.ask("a").asResult();
    expect(early).toMatchObject({ type: "VALIDATION_ERROR", data: [{ path }] });
    expect(await client.outgoing.tell("a").asResult()).toMatchObject({ type: "VALIDATION_ERROR", data: [{ path }] });
    peer.send('r:Own.ask:1:"a"');
    const { type, data } = JSON.parse((await peer.next()).slice("s:Own.ask:1:".length));
    expect({ type, data }).toMatchObject({ type: "VALIDATION_ERROR", data: [{ path }] });
    expect(received.unseen).toEqual([]);
  });
});
