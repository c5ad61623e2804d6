import { IsArray, IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { type GGInspectOptions, inspect, jsonLines } from "@grest-ts/websocket/inspect";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { Redaction } from "../../src/inspect/redaction.js";
import { SEEN_FULL, SeenApi, seenClient, seenServer } from "../support/inspected.js";
import { RawPeer } from "../support/rawPeer.js";

const SECRETS = ["s3cret", "1234", "Bearer t0ken", "p4ss"];

/** All that a client and a server show of an exchange that is full of secrets. */
async function exchange(ofServer: GGInspectOptions, ofClient: GGInspectOptions) {
  const server = await seenServer();
  const { client } = seenClient(server.base, {
    middlewares: [
      {
        updateHandshake: ({ headers, queryArgs }) => {
          Object.assign(headers, { authorization: "Bearer t0ken", "x-app": "web" });
          queryArgs.key = "s3cret";
        },
      },
    ],
  });
  const inspections = [inspect(server.server, ofServer), inspect(client, ofClient)];
  onTestFinished(() => {
    for (const inspection of inspections) inspection.stop();
  });
  await client.connect();
  await client.outgoing.logIn({ name: "Ann", pin: "1234" });
  await client.outgoing.echo("full").asResult();
  await client.outgoing.note({ text: "plain" });
  await server.notes.next();
  return inspections.map((inspection) => inspection.recent());
}

describe("payloads", () => {
  it("are never shown without the option, nor are headers and query arguments", async () => {
    for (const frames of await exchange({ headers: ["authorization"], keep: 100 }, {})) {
      const text = JSON.stringify(frames);
      for (const secret of [...SECRETS, "Ann", "plain", "x-app", "web", "It is full", "key"])
        expect(text).not.toContain(secret);
    }
  });

  it("are redacted by the schema: that of a server is known, and that of a client is given", async () => {
    const [atServer = [], atClient = []] = await exchange({ payloads: true }, { payloads: true, schemas: SeenApi });
    for (const frames of [atServer, atClient]) {
      for (const secret of SECRETS) expect(JSON.stringify(frames)).not.toContain(secret);
      const shown = frames
        .filter(({ kind }) => kind !== "accepted")
        .map(({ kind, payload, message }) => [kind, payload, message]);
      expect(shown).toEqual([
        ["handshake", expect.objectContaining({ authorization: "[redacted]", "x-app": "[redacted]" }), undefined],
        ["request", { name: "Ann", pin: "[redacted]" }, undefined],
        [
          "reply",
          { user: { name: "Ann", pin: "[redacted]" }, others: [{ name: "Ann", pin: "[redacted]" }] },
          undefined,
        ],
        ["request", "full", undefined],
        ["reply", { holder: "[redacted]", limit: 3 }, "It is full"],
        ["message", { text: "plain" }, undefined],
      ]);
    }
  });

  it("show the values of those headers that are named, and of no others", async () => {
    const [frames] = await exchange({ payloads: true, headers: ["x-app"] }, {});
    expect(frames?.[0]?.payload).toMatchObject({ "x-app": "web", authorization: "[redacted]" });
  });

  it("show no value that did not pass its validator", async () => {
    const server = await seenServer();
    const inspection = inspect(server.server, { payloads: true });
    const peer = await RawPeer.connect(server.url);
    peer.send('r:Seen.logIn:1:{"name":5,"pin":["p4ss"]}', 'r:Seen.note:2:{"text":{"a":"p4ss"}}');
    const replies = await peer.frames.take(2);
    expect(replies.join()).toContain("p4ss");
    const shown = inspection.recent().filter(({ kind }) => kind === "reply");
    expect(shown.map(({ result }) => result)).toEqual(["VALIDATION_ERROR", "VALIDATION_ERROR"]);
    expect(JSON.stringify(shown)).not.toContain("p4ss");
    expect(shown[0]?.payload).toEqual([{ path: "pin", code: "invalid.string.type" }]);
    inspection.stop();
  });

  it("that are long, or no JSON, are left out", async () => {
    const server = await seenServer();
    const inspection = inspect(server.server, { payloads: true, maxPayload: 20 });
    const peer = await RawPeer.connect(server.url);
    peer.send(
      `r:Seen.echo:1:"${"x".repeat(19)}"`,
      "r:Seen.echo:2:{",
      `r:Seen.echo:3:"${"x".repeat(18)}"`,
      "h:::[1]",
      "h:::1",
      "r:Seen.wait:4:",
    );
    await peer.framesUntilAnswerTo('r:Seen.echo:9:"x"');
    const received = inspection
      .recent()
      .filter(({ direction, kind }) => direction === "received" && kind !== "unknown");
    expect(received.map(({ payload, omitted }) => omitted ?? payload)).toEqual([
      {},
      "too long",
      "not JSON",
      "x".repeat(18),
      "[redacted]",
      "[redacted]",
      undefined,
      "x",
    ]);
    inspection.stop();
  });

  it("that are hostile stop nothing", async () => {
    const server = await seenServer();
    const lines: string[] = [];
    const inspection = inspect(
      server.server,
      jsonLines((line) => lines.push(line)),
      { payloads: true, maxPayload: 1e6 },
    );
    const peer = await RawPeer.connect(server.url);
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    peer.send(
      `m:Seen.note::${deep}`,
      'm:Seen.note::{"__proto__":{"x":1},"constructor":{"token":1}}',
      `m:Seen.__proto__::${deep}`,
    );
    await peer.framesUntilAnswerTo('r:Seen.echo:9:"x"');
    const notes = inspection.recent().filter(({ kind }) => kind === "message");
    expect(notes).toHaveLength(3);
    expect(JSON.stringify(notes[1]?.payload)).toBe('{"__proto__":{"x":1},"constructor":{"token":"[redacted]"}}');
    expect(lines).toHaveLength(inspection.recent().length);
    expect(lines.map((line) => JSON.parse(line))).toEqual(inspection.recent());
    inspection.stop();
  });
});

describe("redaction", () => {
  const value = {
    token: "a",
    name: "n",
    user: { password: "b", name: "Ann", tags: ["x", "y"] },
    items: [
      { secret: "c", id: 1 },
      { secret: "d", id: 2 },
    ],
    list: [[{ a: 1, b: 2 }]],
  };
  const R = "[redacted]";
  const { token: _, ...rest } = value;

  it.each<[string, string[], RegExp | false | undefined, unknown]>([
    ["nothing", [], false, value],
    [
      "by the usual names",
      [],
      undefined,
      {
        ...value,
        token: R,
        user: { ...value.user, password: R },
        items: [
          { secret: R, id: 1 },
          { secret: R, id: 2 },
        ],
      },
    ],
    ["by other names", [], /^name$/g, { ...value, name: R, user: { ...value.user, name: R } }],
    ["a member", ["token"], false, { ...rest, token: R }],
    ["a member of a member", ["user.password"], false, { ...value, user: { ...value.user, password: R } }],
    [
      "a member of all items",
      ["items.*.secret"],
      false,
      {
        ...value,
        items: [
          { secret: R, id: 1 },
          { secret: R, id: 2 },
        ],
      },
    ],
    ["an item", ["items.1"], false, { ...value, items: [value.items[0], R] }],
    ["all members of a member", ["user.*"], false, { ...value, user: { password: R, name: R, tags: R } }],
    ["lists of lists", ["list.*.*.a"], false, { ...value, list: [[{ a: R, b: 2 }]] }],
    ["several at once", ["user", "items", "nothing.there", "token.of.text"], false, { ...value, user: R, items: R }],
    ["everything", ["*"], false, { token: R, name: R, user: R, items: R, list: R }],
  ])("%s", (_name, paths, names, expected) => {
    const before = JSON.stringify(value);
    expect(new Redaction(paths, names).apply(value)).toEqual(expected);
    expect(JSON.stringify(value)).toBe(before);
  });

  it.each([
    "Password",
    "db_passwd",
    "clientSecret",
    "accessToken",
    "Authorization",
    "set-cookie",
    "credentials",
    "apiKey",
    "api_key",
    "API-KEY",
  ])("takes %s for a secret", (name) => expect(new Redaction().apply({ [name]: { deep: 1 } })).toEqual({ [name]: R }));

  it.each(["id", "name", "text", "passage", "apikeeper"])("shows %s", (name) =>
    expect(new Redaction().apply({ [name]: 1 })).toEqual({ [name]: 1 }),
  );
});

describe("the marks of validators", () => {
  const grest = IsObject({
    pin: IsString.docs({ description: "[sensitive]" }),
    list: IsArray(IsObject({ pin: IsString.docs({ description: "x [Sensitive] y" }) })),
    open: IsString,
  });
  interface Tree {
    pin: string;
    next?: Tree | undefined;
  }
  const tree: z.ZodType<Tree> = z.object({
    pin: z.string().meta({ writeOnly: true }),
    get next() {
      return tree.optional();
    },
  });
  const VALIDATORS = {
    "@grest-ts/schema": grest,
    zod: z.object({
      pin: z.string().meta({ sensitive: true }),
      list: z.array(z.object({ pin: z.string().describe("[sensitive]") })),
      open: z.string(),
    }),
    "zod, in a union and a record": z.union([
      z.object({ pin: z.string().meta({ format: "password" }) }).loose(),
      z.record(z.string(), z.string()),
    ]),
    valibot: toStandardJsonSchema(
      v.object({
        pin: v.pipe(v.string(), v.description("[sensitive]")),
        list: v.array(v.object({ pin: v.pipe(v.string(), v.description("[sensitive]")) })),
        open: v.string(),
      }),
    ),
  };

  it.each(Object.entries(VALIDATORS))("are found: %s", async (_name, input) => {
    const contract = defineSocketContract("Marked", {
      clientToServer: { give: { input: input as typeof grest } },
      serverToClient: {},
    });
    const Marked = webSocketSchema(contract).path("ws/seen").done();
    const server = await seenServer();
    const inspection = inspect(server.server, { payloads: true, schemas: [Marked], redactNames: false });
    const peer = await RawPeer.connect(server.url);
    peer.send('m:Marked.give::{"pin":"1234","list":[{"pin":"1234"}],"open":"open"}');
    await peer.framesUntilAnswerTo('r:Seen.echo:9:"x"');
    const payload = inspection.recent().find(({ kind }) => kind === "message")?.payload as {
      pin: string;
      open: string;
    };
    expect(payload).toMatchObject({ pin: "[redacted]", open: "open" });
    if (!_name.includes("union")) expect(JSON.stringify(payload)).not.toContain("1234");
    inspection.stop();
  });

  it("are found in what refers to itself", async () => {
    const contract = defineSocketContract("Marked", { clientToServer: { give: { input: tree } }, serverToClient: {} });
    const server = await seenServer();
    const inspection = inspect(server.server, {
      payloads: true,
      schemas: webSocketSchema(contract).path("x").done(),
      redactNames: false,
    });
    const peer = await RawPeer.connect(server.url);
    peer.send('m:Marked.give::{"pin":"1234","next":{"pin":"1234","next":{"pin":"1234"}}}');
    await peer.framesUntilAnswerTo('r:Seen.echo:9:"x"');
    expect(
      JSON.stringify(inspection.recent().find(({ kind }) => kind === "message")?.payload).match(/\[redacted\]/g),
    ).toHaveLength(3);
    inspection.stop();
  });

  it("are not needed of validators that have no JSON Schema", async () => {
    const odd = {
      infer: undefined as unknown,
      safeParse: (value: unknown) => ({ success: true as const, value }),
    };
    const contract = {
      name: "Odd",
      methods: { clientToServer: { give: { input: odd as never, errors: [SEEN_FULL] } }, serverToClient: {} },
    };
    const server = await seenServer();
    const inspection = inspect(server.server, { payloads: true, schemas: [contract] });
    const peer = await RawPeer.connect(server.url);
    peer.send('m:Odd.give::{"a":1,"token":2}');
    await peer.framesUntilAnswerTo('r:Seen.echo:9:"x"');
    expect(inspection.recent().find(({ kind }) => kind === "message")?.payload).toEqual({ a: 1, token: "[redacted]" });
    inspection.stop();
  });
});
