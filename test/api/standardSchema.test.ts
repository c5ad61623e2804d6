import { IsObject, IsString, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import {
  defineSocketContract,
  failureOf,
  GGSocketGroup,
  localBus,
  type StandardSchemaV1,
  webSocketSchema,
} from "@grest-ts/websocket";
import { callOn } from "@grest-ts/websocket/testkit";
import { scope, type } from "arktype";
import * as v from "valibot";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { Queue } from "../support/queue.js";
import { RawPeer, RawServer } from "../support/rawPeer.js";
import { recordingLogger, serveApi } from "../support/server.js";

type Vendor = "zod" | "valibot" | "arktype";
const VENDORS = ["zod", "valibot", "arktype"] as const;

/** An API that has a validator in every place. */
const apiOf = <S extends StandardSchemaV1>(validator: S) =>
  webSocketSchema(
    defineSocketContract("Std", {
      clientToServer: {
        call: { input: validator },
        ask: { input: validator, success: IsString, errors: [VALIDATION_ERROR] },
        get: { success: validator },
      },
      serverToClient: {
        push: { input: validator },
        tell: { input: validator, success: IsString },
        answer: { success: validator },
      },
    }),
  )
    .path("ws/std")
    .done();

/** A served API, a client of it, and both ends' values. */
async function connected(validator: StandardSchemaV1) {
  const Api = apiOf(validator);
  const received = new Queue<unknown>();
  const outgoings = new Queue<Parameters<Parameters<typeof Api.register>[0]>[1]>();
  const give: { result: unknown; answer: unknown } = { result: undefined, answer: undefined };
  const { base, url, logger } = await serveApi(Api, (incoming, outgoing) => {
    incoming.on({
      call: (data) => received.push(data),
      ask(data) {
        received.push(data);
        return "taken";
      },
      get: () => give.result,
    });
    outgoings.push(outgoing);
  });
  const client = Api.createClient({ url: base, logger: recordingLogger() });
  client.incoming.on({
    push: (data) => received.push(data),
    tell(data) {
      received.push(data);
      return "taken";
    },
    answer: () => give.answer,
  });
  await client.connect();
  const outgoing = await outgoings.next();
  return { Api, url, client, server: outgoing, outgoings, received, give, logger };
}

type Connected = Awaited<ReturnType<typeof connected>>;

/** What a value comes to at the other end; rejects with the error of the end that sent it, or of its caller. */
type Position = (ends: Connected, given: unknown) => Promise<unknown>;

const FROM_CLIENT: Record<string, Position> = {
  async "a message to the server"({ client, received }, given) {
    await client.outgoing.call(given);
    return received.next();
  },
  async "the input of a call"({ client, received }, given) {
    await client.outgoing.ask(given);
    return received.next();
  },
  "the answer of a client"({ server, give }, given) {
    give.answer = given;
    return server.answer();
  },
};

const FROM_SERVER: Record<string, Position> = {
  async "the result of a call"({ client, give }, given) {
    give.result = given;
    return client.outgoing.get();
  },
  async "a push"({ server, received }, given) {
    await server.push(given);
    return received.next();
  },
  async "the input of a server's request"({ server, received }, given) {
    await server.tell(given);
    return received.next();
  },
  async "a message of a group"({ Api, server, received }, given) {
    const group = new GGSocketGroup(Api);
    await group.add(server);
    await group.push(given);
    return received.next();
  },
  async "a message of a group that is kept"({ Api, server, received }, given) {
    const group = new GGSocketGroup(Api, { name: "kept", bus: localBus(), history: { size: 10, ttlMs: 60_000 } });
    await group.add(server);
    await group.push(given);
    return received.next();
  },
};

const POSITIONS = { ...FROM_CLIENT, ...FROM_SERVER };

interface Kind {
  readonly what: string;
  readonly validators: Record<Vendor, StandardSchemaV1>;
  readonly given: unknown;
  readonly output: unknown;
}

const date = new Date("2026-03-04T05:06:07.000Z");
const zTree: z.ZodType = z.object({ name: z.string(), get children() { return z.array(zTree); } }); // biome-ignore format: one
const vTree: v.GenericSchema = v.object({ name: v.string(), children: v.array(v.lazy(() => vTree)) });
const aTree = scope({ tree: { name: "string", children: "tree[]" } }).export().tree;

/** What passes again, as it is. */
const KINDS: readonly Kind[] = [
  {
    what: "a text",
    validators: { zod: z.string(), valibot: v.string(), arktype: type("string") },
    given: "hi",
    output: "hi",
  },
  {
    what: "an optional value that is absent",
    validators: {
      zod: z.string().optional(),
      valibot: v.optional(v.string()),
      arktype: type("string | undefined"),
    },
    given: undefined,
    output: undefined,
  },
  {
    what: "a default, and an optional member",
    validators: {
      zod: z.object({ text: z.string(), count: z.number().default(1), note: z.string().optional() }),
      valibot: v.object({ text: v.string(), count: v.optional(v.number(), 1), note: v.optional(v.string()) }),
      arktype: type({ text: "string", count: "number = 1", "note?": "string" }),
    },
    given: { text: "a" },
    output: { text: "a", count: 1 },
  },
  {
    what: "a key that is stripped",
    validators: {
      zod: z.object({ text: z.string() }),
      valibot: v.object({ text: v.string() }),
      arktype: type({ text: "string", "+": "delete" }),
    },
    given: { text: "a", secret: "s" },
    output: { text: "a" },
  },
  {
    what: "a key that is passed through",
    validators: {
      zod: z.looseObject({ text: z.string() }),
      valibot: v.looseObject({ text: v.string() }),
      arktype: type({ text: "string" }),
    },
    given: { text: "a", more: [1, null] },
    output: { text: "a", more: [1, null] },
  },
  {
    what: "a key called __proto__",
    validators: {
      zod: z.looseObject({}),
      valibot: v.looseObject({}),
      arktype: type({ "+": "delete" }),
    },
    given: JSON.parse('{"__proto__":{"admin":true}}'),
    output: expect.not.objectContaining({ admin: true }),
  },
  {
    what: "a text that is trimmed",
    validators: {
      zod: z.string().trim().toLowerCase(),
      valibot: v.pipe(v.string(), v.trim(), v.toLowerCase()),
      arktype: type("string.trim"),
    },
    given: "  hi ",
    output: "hi",
  },
  {
    what: "a number out of text",
    validators: {
      zod: z.coerce.number(),
      valibot: v.pipe(v.union([v.string(), v.number()]), v.transform(Number)),
      arktype: type("string.numeric.parse | number"),
    },
    given: "5",
    output: 5,
  },
  {
    what: "a date",
    validators: {
      zod: z.coerce.date(),
      valibot: v.pipe(v.union([v.string(), v.date()]), v.transform((value) => new Date(value))), // biome-ignore format: one
      arktype: type("string.date.iso.parse | Date"),
    },
    given: date,
    output: date,
  },
  {
    what: "a date out of its text",
    validators: {
      zod: z.iso.datetime().transform((text) => new Date(text)),
      valibot: v.pipe(v.string(), v.isoTimestamp(), v.transform((text) => new Date(text))), // biome-ignore format: one
      arktype: type("string.date.iso.parse"),
    },
    given: date.toISOString(),
    output: date,
  },
  {
    what: "a union of kinds",
    validators: {
      zod: z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("a"), n: z.number() }),
        z.object({ kind: z.literal("b"), t: z.string() }),
      ]),
      valibot: v.variant("kind", [
        v.object({ kind: v.literal("a"), n: v.number() }),
        v.object({ kind: v.literal("b"), t: v.string() }),
      ]),
      arktype: type({ kind: "'a'", n: "number" }).or({ kind: "'b'", t: "string" }),
    },
    given: { kind: "b", t: "x" },
    output: { kind: "b", t: "x" },
  },
  {
    what: "a tree",
    validators: { zod: zTree, valibot: vTree, arktype: aTree },
    given: { name: "a", children: [{ name: "b", children: [] }] },
    output: { name: "a", children: [{ name: "b", children: [] }] },
  },
];

/** Each kind, by each library. */
const byVendor = <T extends Kind>(kinds: readonly T[]) =>
  kinds.flatMap(({ validators, ...kind }) =>
    VENDORS.map((vendor) => ({ ...kind, vendor, validator: validators[vendor] })),
  );

describe("a Standard Schema", () => {
  it.each(byVendor(KINDS))("of $vendor takes $what in every place", async ({ validator, given, output }) => {
    const ends = await connected(validator);
    for (const [position, send] of Object.entries(POSITIONS)) {
      expect(await send(ends, given), position).toEqual(output);
    }
  });
});

/** What does not pass again, or comes to something else. */
const CHANGING: readonly (Kind & { readonly refusal: string })[] = [
  {
    what: "a text to a number",
    validators: {
      zod: z.string().transform(Number),
      valibot: v.pipe(v.string(), v.transform(Number)),
      arktype: type("string.numeric.parse"),
    },
    given: "5",
    output: 5,
    refusal: "it refuses",
  },
  {
    what: "a text to another one",
    validators: {
      zod: z.string().transform((text) => `${text}!`),
      valibot: v.pipe(v.string(), v.transform((text) => `${text}!`)), // biome-ignore format: one
      arktype: type("string").pipe((text) => `${text}!`),
    },
    given: "a",
    output: "a!",
    refusal: "it changes it",
  },
  {
    what: "the names of members",
    validators: {
      zod: z.object({ first: z.string() }).transform(({ first }) => ({ name: first })),
      valibot: v.pipe(v.object({ first: v.string() }), v.transform(({ first }) => ({ name: first }))), // biome-ignore format: one
      arktype: type({ first: "string" }).pipe(({ first }) => ({ name: first })),
    },
    given: { first: "Ann" },
    output: { name: "Ann" },
    refusal: "it refuses",
  },
];

describe("a Standard Schema that changes", () => {
  it.each(byVendor(CHANGING))("$what, by $vendor, does so once for what a client sends", async (kind) => {
    const ends = await connected(kind.validator);
    for (const [position, send] of Object.entries(FROM_CLIENT)) {
      expect(await send(ends, kind.given), position).toEqual(kind.output);
    }
  });

  it.each(byVendor(CHANGING))("$what, by $vendor, is not sent by a server", async ({ validator, given, refusal }) => {
    const ends = await connected(validator);
    for (const [position, send] of Object.entries(FROM_SERVER)) {
      ends.logger.entries.length = 0;
      const error = await send(ends, given).then(
        () => expect.unreachable(`${position}: it was sent`),
        (thrown: unknown) => thrown,
      );
      expect(error, position).toBeInstanceOf(SERVER_ERROR);
      const isResult = position === "the result of a call";
      // A caller gets nothing of what is wrong with a server.
      const said = isResult ? `${ends.logger.entries[0]?.fields.error}` : `${error}`;
      expect(said).toContain("the validator of what a server sends must take the JSON of its own output as it is");
      expect(said).toContain(refusal);
      if (isResult) expect(`${error}`).not.toContain("validator");
      else expect(said).toContain("Std.");
    }
    expect(ends.received.unseen).toEqual([]);
  });

  it.each([
    ["a date", z.date(), date],
    ["a Map", z.map(z.string(), z.number()), new Map([["a", 1]])],
    ["no number", z.nan(), Number.NaN],
  ])("in JSON only, such as %s, is not sent by a server, and refused by it", async (_, validator, given) => {
    const { server, client } = await connected(validator);
    expect(`${await server.push(given).asResult()}`).toMatch(/Std\.push was not sent: TypeError: .*own output/);
    expect(await client.outgoing.ask(given).asResult()).toMatchObject({
      type: "VALIDATION_ERROR",
      data: [{ path: "", code: "invalid.zod" }],
    });
  });

  it("to what JSON has no text for is not sent", async () => {
    const { server, client } = await connected(z.bigint());
    for (const sent of [server.push(5n), client.outgoing.call(5n)]) {
      const result = await sent.asResult();
      expect(`${result}`).toMatch(/was not sent: TypeError: .*BigInt/);
      expect(failureOf(result)).toMatchObject({ reason: "invalid-input", wasSent: false });
    }
  });
});

describe("what a validator strips", () => {
  const strips = KINDS.find(({ what }) => what === "a key that is stripped")?.validators as Kind["validators"];

  it.each(VENDORS)("never leaves a server, by %s", async (vendor) => {
    const { url, outgoings, give, Api } = await connected(strips[vendor]);
    const peer = await RawPeer.connect(url);
    const server = await outgoings.next();
    const row = { text: "a", secret: "s" };
    give.result = row;
    await server.push(row);
    server.tell(row);
    const group = new GGSocketGroup(Api);
    await group.add(server);
    await group.push(row);
    peer.send("r:Std.get:1:");
    const frames = await peer.frames.take(4);
    expect(frames).toEqual([
      'm:Std.push::{"text":"a"}',
      'r:Std.tell:1:{"text":"a"}',
      'm:Std.push::{"text":"a"}',
      's:Std.get:1:{"success":true,"type":"OK","data":{"text":"a"}}',
    ]);
  });

  it.each(VENDORS)("a client sends as it is given, and the server's handler does not see, by %s", async (vendor) => {
    const { client, received } = await connected(strips[vendor]);
    await client.outgoing.ask({ text: "a", secret: "s" });
    expect(await received.next()).toEqual({ text: "a" });
  });
});

describe("the issues of a Standard Schema", () => {
  const nested: Record<Vendor, StandardSchemaV1> = {
    zod: z.object({ list: z.array(z.object({ n: z.number() })) }),
    valibot: v.object({ list: v.array(v.object({ n: v.number() })) }),
    arktype: type({ list: type({ n: "number" }).array() }),
  };
  const wrong = { list: [{ n: 1 }, { n: "x" }] };

  it.each(VENDORS)("of %s have a path, a code and a message, at both ends", async (vendor) => {
    const { client, url, received } = await connected(nested[vendor]);
    const issue = { path: "list.1.n", code: `invalid.${vendor}`, message: expect.stringMatching(/number/) };
    const early = await client.outgoing.ask(wrong).asResult();
    expect(early).toBeInstanceOf(VALIDATION_ERROR);
    expect(early).toMatchObject({ data: [issue] });
    expect(failureOf(early)).toMatchObject({ wasSent: false });
    const peer = await RawPeer.connect(url);
    peer.send(`r:Std.ask:1:${JSON.stringify(wrong)}`);
    const { type, data } = JSON.parse((await peer.next()).slice("s:Std.ask:1:".length));
    expect({ type, data }).toEqual({ type: "VALIDATION_ERROR", data: [issue] });
    expect(received.unseen).toEqual([]);
  });

  it.each(VENDORS)("of %s about the whole value have an empty path", async (vendor) => {
    const { client } = await connected(nested[vendor]);
    expect(await client.outgoing.ask(7).asResult()).toMatchObject({ data: [{ path: "" }] });
  });

  it.each(VENDORS)("of %s name fields in a server's log, and no values", async (vendor) => {
    const { client, give, logger } = await connected(nested[vendor]);
    give.result = { list: [{ n: "secret" }] };
    const result = await client.outgoing.get().asResult();
    expect(`${result}`).toBe("SERVER_ERROR: Invalid response");
    const { fields } = await logger.next();
    expect(JSON.stringify(fields)).toContain(`list.0.n invalid.${vendor}`);
    expect(JSON.stringify(fields)).not.toContain("secret");
  });

  it.each(VENDORS)("of %s keep a client from what a broken server sends", async (vendor) => {
    const server = await RawServer.start();
    const logger = recordingLogger();
    const client = apiOf(nested[vendor]).createClient({ url: server.url, logger });
    const received = new Queue<unknown>();
    client.incoming.on({ push: (data) => received.push(data), tell: () => "taken" });
    const errors = new Queue<unknown>();
    client.onError((error) => errors.push(error));
    const connecting = client.connect();
    const peer = await server.accept();
    await connecting;
    peer.send(`m:Std.push::${JSON.stringify(wrong)}`);
    expect(await errors.next()).toBeInstanceOf(VALIDATION_ERROR);
    expect((await logger.next()).fields.reason).toBe(`list.1.n invalid.${vendor}`);
    peer.send(`r:Std.tell:1:${JSON.stringify(wrong)}`);
    expect(await peer.next()).toContain(`"path":"list.1.n","code":"invalid.${vendor}"`);
    const getting = client.outgoing.get().asResult();
    const [, , id] = (await peer.next()).split(":");
    peer.send(`s:Std.get:${id}:${JSON.stringify({ success: true, type: "OK", data: wrong })}`);
    expect(failureOf(await getting)).toMatchObject({ reason: "invalid-response" });
    expect(received.unseen).toEqual([]);
    client.close();
  });
});

/** A validator of a program's own. */
const custom = (validate: (value: unknown) => unknown) =>
  ({ "~standard": { version: 1, vendor: "own", validate } }) as StandardSchemaV1;

describe("a validator that misbehaves", () => {
  const rejections = vi.fn();

  const asynchronous: [string, StandardSchemaV1][] = [
    ["resolves", custom(async (value) => ({ value }))],
    ["rejects", custom(() => Promise.reject(new Error("no")))],
    // biome-ignore lint/suspicious/noThenProperty: it is what is tested
    ["is a thenable", custom(() => ({ then: (done: (value: unknown) => void) => done({ value: 1 }) }))],
    ["is of zod", z.string().refine(async () => true)],
  ];

  it.each(asynchronous)("by a promise that %s gets a sentence in every place", async (_, validator) => {
    process.on("unhandledRejection", rejections);
    try {
      const { client, server, give, logger, received, Api } = await connected(validator);
      const group = new GGSocketGroup(Api);
      for (const [path, sent] of [
        ["Std.call", client.outgoing.call("a")],
        ["Std.ask", client.outgoing.ask("a")],
        ["Std.push", server.push("a")],
        ["Std.tell", server.tell("a")],
        ["Std.push", group.push("a")],
      ] as const) {
        const text = `${await sent.asResult()}`;
        expect(text).toContain(`${path} was not sent: TypeError: asynchronous validators are not supported`);
      }
      logger.entries.length = 0;
      give.result = "a";
      give.answer = "a";
      expect(await client.outgoing.get().asResult()).toBeInstanceOf(SERVER_ERROR);
      expect(await server.answer().asResult()).toBeInstanceOf(SERVER_ERROR);
      expect(logger.entries.map(({ message, fields }) => `${message} ${fields.error}`)).toContainEqual(
        expect.stringMatching(/Std\.get: the handler failed .*asynchronous validators are not supported/),
      );
      expect(received.unseen).toEqual([]);
      await new Promise(setImmediate);
      expect(rejections).not.toHaveBeenCalled();
    } finally {
      process.off("unhandledRejection", rejections);
    }
  });

  it("asynchronously, as valibot says of it, is refused where it is defined", () => {
    const input = v.objectAsync({ a: v.string() });
    expect(() => defineSocketContract("Std", { clientToServer: { send: { input } }, serverToClient: {} })).toThrow(
      /Std\.send ?: "input" is asynchronous, which is not supported/,
    );
  });

  it.each<[string, () => unknown]>([
    ["throws", () => { throw new Error("boom"); }], // biome-ignore format: one
    ["throws nothing", () => { throw undefined; }], // biome-ignore format: one
    ["returns nothing", () => undefined],
    ["returns null", () => null],
    ["returns neither", () => ({})],
    ["has issues that are no list", () => ({ issues: 7 })],
    ["has an issue that is null", () => ({ issues: [null] })],
    ["has an issue whose path is none", () => ({ issues: [{ message: "m", path: 7 }] })],
    ["has an issue whose path throws", () => ({ issues: [{ message: "m", get path() { throw new Error("boom"); } }] })], // biome-ignore format: one
    ["has an issue with a symbol in its path", () => ({ issues: [{ message: "m", path: [Symbol("s")] }] })],
  ])("and %s fails the message, and nothing else", async (_, validate) => {
    let isWrong = false;
    const { client, url, server, give, received } = await connected(
      custom((value) => (isWrong ? validate() : { value })),
    );
    const peer = await RawPeer.connect(url);
    isWrong = true;
    for (const sent of [client.outgoing.ask("a"), server.tell("a"), client.outgoing.get(), server.answer()])
      expect(await sent.asResult()).toMatchObject({ success: false });
    peer.send('r:Std.ask:1:"a"');
    expect(await peer.next()).toMatch(/^s:Std\.ask:1:\{"success":false/);
    isWrong = false;
    await client.outgoing.ask("b");
    give.result = "c";
    expect(await client.outgoing.get()).toBe("c");
    expect(await received.next()).toBe("b");
  });

  it("has no issues in an empty list, and still fails", async () => {
    const { client } = await connected(custom(() => ({ value: 1, issues: [] })));
    expect(await client.outgoing.ask("a").asResult()).toMatchObject({ type: "VALIDATION_ERROR", data: [] });
  });

  it("with very many issues, long paths and texts costs no large reply", async () => {
    const path = Array.from({ length: 500 }, () => "key");
    const issues = Array.from({ length: 20_000 }, () => ({ message: "m".repeat(5_000), path }));
    const { url } = await connected(custom(() => ({ issues })));
    const peer = await RawPeer.connect(url);
    peer.send('r:Std.ask:1:"a"');
    const reply = await peer.next();
    const { data } = JSON.parse(reply.slice("s:Std.ask:1:".length));
    expect(data).toHaveLength(100);
    expect(reply.length).toBeLessThan(300_000);
  });

  it("is held to the limits of depth and values as others are", async () => {
    const Api = apiOf(z.any());
    const received = new Queue<unknown>();
    const { url } = await serveApi(
      Api,
      (incoming) => {
        const ask = (data: unknown) => {
          received.push(data);
          return "ok";
        };
        incoming.on({ call: () => {}, ask, get: () => 1 });
      },
      { limits: { maxDepth: 10, maxValues: 50 } },
    );
    const peer = await RawPeer.connect(url);
    for (const text of ["[".repeat(30) + "]".repeat(30), JSON.stringify(Array.from({ length: 100 }, () => 1))]) {
      peer.send(`r:Std.ask:1:${text}`);
      expect(await peer.next()).toContain("VALIDATION_ERROR");
    }
    peer.send("r:Std.ask:1:[[1]]");
    expect(await peer.next()).toContain('"data":"ok"');
    expect(received.unseen).toEqual([[[1]]]);
  });
});

describe("a contract", () => {
  it("mixes validators of all kinds, each in its own way", async () => {
    const Api = webSocketSchema(
      defineSocketContract("Mixed", {
        clientToServer: {
          mix: { input: z.object({ n: z.coerce.number() }), success: IsObject({ t: IsString }) },
          other: { input: IsObject({ t: IsString }), success: v.object({ n: v.number() }) },
          third: { input: type({ "n?": "number" }), success: z.array(z.string()) },
        },
        serverToClient: {},
      }),
    )
      .path("ws/mixed")
      .done();
    const { base } = await serveApi(Api, (incoming) => {
      incoming.on({
        mix: ({ n }) => ({ t: `${n + 1}` }),
        other: ({ t }) => ({ n: t.length }),
        third: ({ n = 2 }) => Array.from({ length: n }, (_, at) => `${at}`),
      });
    });
    const client = Api.createClient({ url: base });
    await client.connect();
    expect(await client.outgoing.mix({ n: "4" })).toEqual({ t: "5" });
    // Of @grest-ts/schema: it coerces.
    expect(await client.outgoing.other({ t: 123 as never })).toEqual({ n: 3 });
    expect(await client.outgoing.third({})).toEqual(["0", "1"]);
    client.close();
  });

  it("prefers the own way of a validator of @grest-ts/schema that is a Standard Schema too", async () => {
    const validate = vi.fn(() => ({ value: "by the standard" }));
    const both = Object.create(IsString, { "~standard": { value: { version: 1, vendor: "grest", validate } } });
    Object.defineProperty(both, "safeParse", { value: IsString.safeParse.bind(IsString) });
    const { client, received } = await connected(both as StandardSchemaV1);
    await client.outgoing.ask(5);
    expect(await received.next()).toBe("5");
    expect(validate).not.toHaveBeenCalled();
  });

  it.each([
    ["an object", {}],
    ["a zod result", z.string().safeParse("a")],
    ["a standard without validate", { "~standard": { version: 1, vendor: "x" } }],
    ["a text", "string"],
    ["null", null],
  ])("refuses %s in place of a validator", (_, input) => {
    expect(() =>
      defineSocketContract("Std", { clientToServer: { send: { input: input as never } }, serverToClient: {} }),
    ).toThrow(/Std\.send.*"input" must be a schema, of @grest-ts\/schema or .*Standard Schema/);
  });
});

describe("queryOnConnect", () => {
  const validators = {
    zod: z.object({ room: z.string(), page: z.coerce.number().default(1), tags: z.array(z.string()).optional() }),
    valibot: v.object({
      room: v.string(),
      page: v.optional(v.pipe(v.union([v.string(), v.number()]), v.transform(Number)), 1),
      tags: v.optional(v.array(v.string())),
    }),
    arktype: type({ room: "string", page: type("string.numeric.parse | number").default(1), "tags?": "string[]" }),
  };

  it.each(VENDORS)("takes a validator of %s, lists of one item included", async (vendor) => {
    const contract = defineSocketContract("Asked", { clientToServer: {}, serverToClient: {} });
    const Api = webSocketSchema(contract)
      .path("ws/asked")
      .queryOnConnect(validators[vendor] as (typeof validators)["zod"])
      .done();
    const queries = new Queue<unknown>();
    const { base } = await serveApi(Api, (_incoming, _outgoing, query) => void queries.push(query));
    const client = Api.createClient({ url: base, query: { room: "a", page: 5, tags: ["x"] } });
    await client.connect();
    client.close();
    expect(await queries.next()).toEqual({ room: "a", page: 5, tags: ["x"] });
    const wrong = Api.createClient({ url: base, query: { room: "a", page: "no" as never } });
    await expect(wrong.connect()).rejects.toBeInstanceOf(VALIDATION_ERROR);
    // What a client sends that has no such validator.
    const Unchecked = webSocketSchema(contract).path("ws/asked").queryOnConnect<{ page: string }>().done();
    const stranger = Unchecked.createClient({ url: base, query: { page: "2" } });
    await expect(stranger.connect()).rejects.toBeInstanceOf(VALIDATION_ERROR);
  });
});

describe("a group's presence", () => {
  it.each(VENDORS)("takes a validator of %s", async (vendor) => {
    const shown: Record<Vendor, StandardSchemaV1<unknown, { id: string; name: string }>> = {
      zod: z.object({ id: z.string(), name: z.string().toUpperCase() }),
      valibot: v.object({ id: v.string(), name: v.pipe(v.string(), v.toUpperCase()) }),
      arktype: type({ id: "string", name: "string.upper", "+": "delete" }) as never,
    };
    const Api = apiOf(z.string());
    const outgoings = new Queue<object>();
    const { base } = await serveApi(Api, (_incoming, outgoing) => void outgoings.push(outgoing), {
      presence: () => ({ id: "1", name: "ann", secret: "s" }),
    });
    const client = Api.createClient({ url: base });
    await client.connect();
    const group = new GGSocketGroup(Api, { name: "room", presence: shown[vendor] });
    await group.add(await outgoings.next());
    expect(await group.present()).toEqual([{ id: "1", name: "ANN" }]);
    client.close();
  });
});

describe("the test kit", () => {
  it.each(VENDORS)("checks and transforms by validators of %s, as a client does", async (vendor) => {
    const changes = CHANGING[0]?.validators[vendor] as StandardSchemaV1<string, number>;
    const dates = KINDS.find(({ what }) => what === "a date")?.validators[vendor] as StandardSchemaV1<
      Date | string,
      Date
    >;
    const Api = webSocketSchema(
      defineSocketContract("KitStd", {
        clientToServer: { add: { input: changes, success: dates, errors: [VALIDATION_ERROR] } },
        serverToClient: { added: { input: dates }, confirm: { success: changes } },
      }),
    )
      .path("ws/kit-std")
      .done();
    const answers = new Queue<number>();
    await serveApi(Api, (incoming, outgoing) => {
      incoming.on({
        async add(n) {
          outgoing.added(new Date(n));
          answers.push(await outgoing.confirm());
          return new Date(n);
        },
      });
    });
    const api = callOn(Api);
    await api.connect();
    await api
      .add("86400000")
      .toEqual(new Date(86_400_000))
      .with(api.mock.added.toEqual(new Date(86_400_000)), api.mock.confirm.andReturn("7"));
    expect(await answers.next()).toBe(7);
    const errors = await api.add(5 as never).toBeError(VALIDATION_ERROR);
    expect(Object.keys(errors)).toEqual([""]);
    await expect(api.mock.added.toEqual(new Date(0))).rejects.toThrow();
  });
});
