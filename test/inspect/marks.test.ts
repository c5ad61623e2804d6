import { ERROR, IsArray, IsObject, IsString } from "@grest-ts/schema";
import type { GGInspectOptions } from "@grest-ts/websocket/inspect";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Carrier, payloadReader } from "../../src/inspect/payload.js";

const SECRET = "S3CRET";
const R = "[redacted]";
const MARK = { description: "[sensitive]" };

type Methods = Readonly<Record<string, { input?: unknown; success?: unknown; errors?: readonly unknown[] }>>;

/** Reads as an inspection of a server does that knows these methods, and redacts by nothing else. */
function readerOf(clientToServer: Methods, serverToClient: Methods = {}) {
  const schemas = [{ name: "Api", methods: { clientToServer, serverToClient } }] as GGInspectOptions["schemas"];
  const read = payloadReader({ payloads: true, redactNames: false, maxPayload: 1e6, schemas }, undefined);
  return (carrier: Partial<Carrier>, value: unknown) =>
    read?.({
      kind: "request",
      path: "Api.give",
      direction: "received",
      side: "server",
      ...carrier,
      payload: JSON.stringify(value),
    })?.payload;
}

/** What is read of an error's class. */
const errorOf = (schema: unknown) => ({ TYPE: "ERR", schema });

const SENT = { kind: "reply", direction: "sent" } as const;
const reply = (data: unknown) => ({ success: true, type: "OK", data });
const refusal = (data: unknown, of = "ERR") => ({ success: false, type: of, data });

/** What is shown of a value in all places that a validator has. */
function shownAs(validator: unknown, value: unknown): unknown[] {
  const read = readerOf({ give: { input: validator, success: validator, errors: [errorOf(validator)] } });
  return [read({}, value), read(SENT, reply(value)), read(SENT, refusal(value))];
}

const pin = z.string().meta({ sensitive: true });
const vPin = v.pipe(v.string(), v.description("[sensitive]"));
const aPin = type("string").configure({ description: "[sensitive]" });
const valibot = (schema: v.GenericSchema) => toStandardJsonSchema(schema);

/** A validator with a sensitive text, and a value that has it there, besides what may be shown. */
const FORMS: Readonly<Record<string, readonly [validator: unknown, value: unknown, shown: unknown]>> = {
  ...ofPins("zod", (of) => z.object({ pin: of as z.ZodType, open: z.string() }), {
    plain: pin,
    optional: pin.optional(),
    nullable: pin.nullable(),
    default: pin.default("x"),
    catch: pin.catch("x"),
    transform: pin.transform((text) => text.length),
    preprocess: z.preprocess((text) => text, pin),
    pipe: z.string().pipe(pin),
    coerce: z.coerce.string().meta({ sensitive: true }),
    "min after it": pin.min(3),
    "trim after it": pin.trim(),
    lazy: z.lazy(() => pin),
    union: z.union([z.number(), pin]),
    intersection: z.intersection(z.string(), pin),
    "the output of a codec": z.codec(z.string(), pin, { decode: (text) => text, encode: (text) => text }),
    "the input of a codec": z.codec(pin, z.string(), { decode: (text) => text, encode: (text) => text }),
    stringbool: z.stringbool().meta({ sensitive: true }),
    writeOnly: z.string().meta({ writeOnly: true }),
    format: z.string().meta({ format: "password" }),
    description: z.string().describe("Theirs. [Sensitive]"),
  }),
  ...ofPins("valibot", (of) => valibot(v.object({ pin: of as v.GenericSchema, open: v.string() })), {
    plain: vPin,
    optional: v.optional(vPin),
    nullable: v.nullable(vPin),
    union: v.union([v.number(), vPin]),
    lazy: v.lazy(() => vPin),
    metadata: v.pipe(v.string(), v.metadata({ sensitive: true })),
    transform: v.pipe(
      v.string(),
      v.description("[sensitive]"),
      v.transform((text) => text),
    ),
  }),
  ...ofPins("arktype", (of) => type({ pin: of as typeof aPin, open: "string" }), {
    plain: aPin,
    union: aPin.or("number"),
  }),
  ...ofPins("@grest-ts/schema", (of) => IsObject({ pin: of as typeof IsString, open: IsString }), {
    plain: IsString.docs(MARK),
    orUndefined: IsString.docs(MARK).orUndefined,
    orNull: IsString.docs(MARK).orNull,
  }),
  "zod: a tuple": [z.tuple([z.string(), pin]), ["o", SECRET], ["o", R]],
  "zod: the rest of a tuple": [z.tuple([z.string()], pin), ["o", SECRET, SECRET], ["o", R, R]],
  "zod: a record": [z.record(z.string(), pin), { a: SECRET }, { a: R }],
  "zod: the rest of an object": [
    z.object({ open: z.string() }).catchall(pin),
    { open: "o", a: SECRET },
    { open: "o", a: R },
  ],
  "zod: a variant": [
    z.discriminatedUnion("t", [z.object({ t: z.literal("a"), pin }), z.object({ t: z.literal("b") })]),
    { t: "a", pin: SECRET },
    { t: "a", pin: R },
  ],
  "zod: a number as a name": [z.object({ 1: pin, 2: z.string() }), { 1: SECRET, 2: "o" }, { 1: R, 2: "o" }],
  "zod: names of all objects": [z.object({ constructor: pin }), { constructor: SECRET }, { constructor: R }],
  "valibot: a tuple": [valibot(v.tuple([v.string(), vPin])), ["o", SECRET], ["o", R]],
  "valibot: the rest of a tuple": [valibot(v.tupleWithRest([v.string()], vPin)), ["o", SECRET], ["o", R]],
  "@grest-ts/schema: a list": [IsArray(IsString.docs(MARK)), [SECRET], [R]],
  ...ofOthers("zod", (other) => z.object({ other: other as z.ZodType, pin, open: z.string() }), {
    date: z.date().optional(),
    bigint: z.bigint().optional(),
    custom: z.custom(() => true).optional(),
    map: z.map(z.string(), z.string()).optional(),
    set: z.set(z.string()).optional(),
    symbol: z.symbol().optional(),
    undefined: z.undefined(),
    transform: z.transform((value) => value),
    file: z.instanceof(Blob).optional(),
  }),
  ...ofOthers(
    "valibot",
    (other) => valibot(v.object({ other: v.optional(other as v.GenericSchema), pin: vPin, open: v.string() })),
    {
      date: v.date(),
      bigint: v.bigint(),
      custom: v.custom(() => true),
      map: v.map(v.string(), v.string()),
      instance: v.instance(Blob),
      check: v.pipe(
        v.string(),
        v.check(() => true),
      ),
    },
  ),
  ...ofOthers("arktype", (other) => type({ "other?": other as typeof aPin, pin: aPin, open: "string" }), {
    date: type("Date"),
    bigint: type("bigint"),
    symbol: type("symbol"),
    narrow: type("string").narrow(() => true),
    morph: type("string").pipe((text) => text.length),
  }),
};

/** An object with a sensitive member of each of these kinds. */
function ofPins(library: string, object: (pin: unknown) => unknown, pins: Readonly<Record<string, unknown>>) {
  const [value, shown] = [
    { pin: SECRET, open: "o" },
    { pin: R, open: "o" },
  ];
  return Object.fromEntries(
    Object.entries(pins).map(([name, one]) => [`${library}: ${name}`, [object(one), value, shown] as const]),
  );
}

/** An object with a sensitive member, and one of each of these kinds, which have no JSON Schema. */
function ofOthers(library: string, object: (other: unknown) => unknown, others: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(
    Object.entries(ofPins(library, object, others)).map(([name, form]) => [`${name}, besides it`, form]),
  );
}

describe("what a validator marks", () => {
  it.each(Object.entries(FORMS))("is shown nowhere, and the rest is: %s", (_name, [validator, value, shown]) => {
    expect(shownAs(validator, value)).toEqual([shown, shown, shown]);
  });

  it("may be a mark of what it takes, or of what it makes of that", () => {
    const value = { a: SECRET, b: SECRET, open: "o" };
    const a = z.object({ a: pin, b: z.string(), open: z.string() });
    const b = z.object({ a: z.string(), b: pin, open: z.string() });
    expect(shownAs(a.pipe(b), value)).toEqual(Array(3).fill({ a: R, b: R, open: "o" }));
    const made = z
      .object({ user: z.string() })
      .transform(({ user }) => ({ user, pin: SECRET }))
      .pipe(z.object({ user: z.string(), pin }));
    expect(shownAs(made, { user: "Ann", pin: SECRET })).toEqual(Array(3).fill({ user: "Ann", pin: R }));
  });

  const throws = () => {
    throw new Error("none");
  };
  const open = () => ({ type: "object" });
  it.each<[string, unknown]>([
    ["toJSONSchema() throws", { toJSONSchema: throws }],
    ["toJSONSchema() makes none", { toJSONSchema: () => undefined }],
    ["neither side has one", { "~standard": { jsonSchema: { input: throws, output: throws } } }],
    ["the input has none", { "~standard": { jsonSchema: { input: throws, output: open } } }],
    ["the output has none", { "~standard": { jsonSchema: { input: open, output: throws } } }],
    ["there is no function", { "~standard": { jsonSchema: {} } }],
    [
      "looking for it fails",
      {
        get "~standard"() {
          return throws();
        },
      },
    ],
  ])("is not known, and nothing is shown, where %s", (_name, validator) => {
    expect(shownAs(validator, { open: "o" })).toEqual([R, R, R]);
  });

  it("is asked for again of a library that does not know the first way of asking", () => {
    const make = ({ target, libraryOptions }: { target: string; libraryOptions?: object }) => {
      if (target !== "draft-07" || libraryOptions) throw new Error(target);
      return { properties: { pin: { sensitive: true } }, items: [{}, { sensitive: true }] };
    };
    const validator = { "~standard": { jsonSchema: { input: make, output: make } } };
    expect(shownAs(validator, { pin: SECRET, open: "o" })[0]).toEqual({ pin: R, open: "o" });
    expect(shownAs(validator, ["o", SECRET])[0]).toEqual(["o", R]);
  });
});

describe("a reference", () => {
  const NAMES = ["user", "a/b", "a~1b", "a~b", "100%", "a%2Fb", "%E0%A4%A", "é b", "#", "a/b/c"];

  it.each(NAMES)("to a part that zod names %j is found", (id) => {
    const named = z.object({ list: z.array(z.object({ pin, open: z.string() }).meta({ id: `${id}, of the test` })) });
    const value = { list: [{ pin: SECRET, open: "o" }] };
    expect(shownAs(named, value)).toEqual(Array(3).fill({ list: [{ pin: R, open: "o" }] }));
  });

  const escaped = (name: string) => name.replaceAll("~", "~0").replaceAll("/", "~1");
  const spellings = { escaped, "as it is": String, encoded: (name: string) => encodeURIComponent(escaped(name)) };
  it.each(Object.entries(spellings))("is found, %s", (_spelling, spell) => {
    for (const name of NAMES.filter((one) => one !== "%E0%A4%A")) {
      const schema = {
        properties: { user: { $ref: `#/$defs/${spell(name)}` } },
        $defs: { [name]: { properties: { pin: { sensitive: true } } }, other: {} },
      };
      const shown = shownAs({ toJSONSchema: () => schema }, { user: { pin: SECRET, open: "o" } });
      expect(shown[0], name).toEqual({ user: { pin: R, open: "o" } });
    }
  });

  it.each(["#/$defs/none", "#anchor", "https://example.com/schema", "#/$defs/open/type", ""])(
    "to %j, which is not found, hides what it would describe",
    ($ref) => {
      const schema = { properties: { user: { $ref } }, $defs: { open: { type: "object" } } };
      expect(shownAs({ toJSONSchema: () => schema }, { user: 1, open: "o" })[0]).toEqual({ user: R, open: "o" });
    },
  );

  it("to itself, or round in a circle, ends", () => {
    const schema = { $ref: "#", anyOf: [{ $ref: "#/$defs/a" }], $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#" } } };
    expect(shownAs({ toJSONSchema: () => schema }, { open: ["o"] })[0]).toEqual({ open: ["o"] });
  });
});

describe("a schema that refers to itself", () => {
  /** A schema of alternatives, each with itself as all of its members; fails when its parts are read more often than that. */
  function counted(alternatives: number, mostReads: number) {
    let reads = 0;
    const schema = {
      get anyOf() {
        if (++reads > mostReads) throw new Error(`read ${reads} times`);
        return forms;
      },
    };
    const forms = Array.from({ length: alternatives }, (_, at) => ({
      properties: { open: { type: "string" }, [`pin${at}`]: { sensitive: true } },
      additionalProperties: { $ref: "#" },
      items: { $ref: "#" },
    }));
    return { toJSONSchema: () => schema };
  }

  it.each([1, 2, 10, 100])("costs as much for each value as it has parts, however deep it is: %i", (alternatives) => {
    let value: unknown = { open: "o", [`pin${alternatives - 1}`]: SECRET };
    let shown: unknown = { open: "o", [`pin${alternatives - 1}`]: R };
    for (let depth = 0; depth < 20; depth++) [value, shown] = [{ of: [value] }, { of: [shown] }];
    expect(shownAs(counted(alternatives, 100), value)).toEqual([shown, shown, shown]);
  });

  it("is read of zod, too", () => {
    const tree: z.ZodType = z.lazy(() =>
      z.union([
        z.object({ op: z.literal("not"), of: tree, pin: pin.optional() }),
        z.object({ op: z.literal("neg"), of: tree }),
        z.json(),
      ]),
    );
    const nested = `${'{"op":"not","of":'.repeat(8)}{"op":"not","of":1,"pin":"${SECRET}"}${"}".repeat(8)}`;
    const [shown] = shownAs(tree, JSON.parse(nested));
    expect(JSON.stringify(shown)).toBe(nested.replace(SECRET, R));
  });
});

describe("methods and errors of one name", () => {
  const marked = IsObject({ pin: IsString.docs(MARK) });
  const open = IsObject({ pin: IsString });
  const value = { pin: SECRET };

  it("are told apart by their direction, as both ends see it", () => {
    for (const isToServerMarked of [true, false]) {
      const [up, down] = isToServerMarked ? [marked, open] : [open, marked];
      const read = readerOf({ give: { input: up, success: up } }, { give: { input: down, success: down } });
      for (const side of ["server", "client"] as const) {
        for (const direction of ["received", "sent"] as const) {
          const isToServer = (side === "server") === (direction === "received");
          const isMarked = isToServer === isToServerMarked;
          const where = `${side} ${direction}, ${isToServerMarked}`;
          for (const kind of ["message", "request"] as const)
            expect(read({ kind, side, direction }, value), where).toEqual({ pin: isMarked ? R : SECRET });
          expect(read({ kind: "reply", side, direction }, reply(value)), where).toEqual({ pin: isMarked ? SECRET : R });
        }
      }
    }
  });

  it("are redacted where one of them is: in both schemas of an API, and of an error", () => {
    for (const [one, other] of [
      [marked, open],
      [open, marked],
    ] as const) {
      const read = readerOf({ give: { errors: [errorOf(one)] }, other: { errors: [errorOf(other)] } });
      expect(read(SENT, refusal(value))).toEqual({ pin: R });
      const methods = (input: typeof one) => ({ clientToServer: { give: { input } }, serverToClient: {} });
      const schemas = [one, other].map((input) => ({ name: "Api", methods: methods(input) }));
      const both = payloadReader({ payloads: true, schemas }, undefined);
      const carrier = { kind: "request", path: "Api.give", direction: "received", side: "server" } as const;
      expect(both?.({ ...carrier, payload: JSON.stringify(value) }).payload).toEqual({ pin: R });
    }
  });

  it("are looked for in the other direction where there is no such method, as raw sockets may do", () => {
    expect(readerOf({ give: { input: marked } })({ direction: "sent" }, value)).toEqual({ pin: R });
  });
});

describe("what no schema describes", () => {
  const read = readerOf({ give: { errors: [ERROR.define("PLAIN", 409)] } });

  it.each(["PLAIN", "OTHER", "SERVER_ERROR", "FORBIDDEN", "constructor", "__proto__"])(
    "is not shown of errors: the data of %s",
    (of) => {
      for (const kind of ["reply", "refused"] as const) {
        expect(read({ kind, direction: "sent" }, refusal({ a: SECRET }, of))).toBe(R);
        expect(read({ kind, direction: "sent" }, refusal(undefined, of))).toBeUndefined();
      }
    },
  );

  it.each(["accepted", "ping", "pong", "cancel", "drain", "group"] as const)(
    "is redacted by names and paths: %s",
    (kind) => {
      const byName = payloadReader({ payloads: true, redact: ["at.*"] }, undefined);
      const payload = JSON.stringify({ password: SECRET, at: [SECRET], list: [{ token: SECRET }], open: "o" });
      expect(byName?.({ kind, path: "", payload, direction: "received", side: "server" }).payload).toEqual({
        password: R,
        at: [R],
        list: [{ token: R }],
        open: "o",
      });
    },
  );

  it("is path and code of what is wrong with an input, whatever a peer makes of these", () => {
    const issues = [
      { path: "pin", code: "invalid.arktype", message: `was ${SECRET}`, value: SECRET, params: [SECRET] },
      { path: [SECRET], code: { a: SECRET } },
      SECRET,
      null,
    ];
    expect(read(SENT, refusal(issues, "VALIDATION_ERROR"))).toEqual([
      { path: "pin", code: "invalid.arktype" },
      { path: R, code: R },
      {},
      {},
    ]);
    expect(read(SENT, refusal({ pin: SECRET }, "VALIDATION_ERROR"))).toBe(R);
  });

  it("is the value of a header that is no text", () => {
    const headers = payloadReader({ payloads: true, headers: ["a", "b"] }, undefined);
    const payload = JSON.stringify({ a: "x", b: [SECRET], c: SECRET, "ws-capabilities": { d: SECRET } });
    const shown = headers?.({ kind: "handshake", path: "", payload, direction: "received", side: "server" });
    expect(shown?.payload).toEqual({ a: "x", b: R, c: R, "ws-capabilities": R });
  });
});
