import { IsArray, IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { toAsyncApi } from "@grest-ts/websocket/asyncapi";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { haveEcosystem } from "../support/ecosystem.js";
import { IsEverything } from "./support/contracts.js";
import { FrameChecker } from "./support/officialParser.js";

const INFO = { title: "Test", version: "1.0.0" };

/** The document of an API with one method, whose input has this validator. */
function documentOf(input: unknown) {
  const contract = defineSocketContract("Api", {
    clientToServer: { method: { input: input as typeof IsString } },
    serverToClient: { method: { input: input as typeof IsString } },
  });
  return toAsyncApi([webSocketSchema(contract).path("x").done()], INFO);
}

const payloadOf = (input: unknown) => documentOf(input).channels.Api?.messages["clientToServer.method"]?.payload;

/** A validator that has this JSON Schema. */
const withJson = (make: () => unknown) => ({
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value: unknown) => ({ value }),
    jsonSchema: { input: make, output: make },
  },
});

describe("a validator without a JSON Schema", () => {
  it.each([
    ["none at all", { safeParse: () => ({ success: true }) }],
    ["a Standard Schema without one", v.object({ a: v.string() })],
    [
      "one that throws",
      withJson(() => {
        throw new Error("no");
      }),
    ],
    ["one that is text", withJson(() => "text")],
    [
      "a getter that throws",
      {
        safeParse: () => ({}),
        get "~standard"() {
          return undefined;
        },
      },
    ],
  ])("is described as such: %s", (_which, validator) => {
    expect(payloadOf(validator)).toEqual({ description: "Its validator has no JSON Schema: see the contract." });
  });
});

describe("a validator with parts that have no JSON Schema", () => {
  it.each([
    ["a Date", z.object({ pin: z.string(), when: z.date() })],
    ["a BigInt", z.object({ pin: z.string(), when: z.bigint() })],
    ["a check of its own", z.object({ pin: z.string(), when: z.custom(() => true) })],
  ])("leaves them open, and describes the others: %s", (_which, validator) => {
    expect(payloadOf(validator)).toMatchObject({ properties: { pin: { type: "string" }, when: {} } });
  });

  it("raises no unhandled rejection when it is asynchronous", async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on("unhandledRejection", note);
    documentOf({ "~standard": { version: 1, vendor: "own", validate: () => Promise.reject(new Error("no")) } });
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(rejections).toEqual([]);
  });
});

describe("a JSON Schema", () => {
  it("of one that contains itself becomes a component", () => {
    const tree = z.object({
      name: z.string(),
      get children() {
        return z.array(tree);
      },
    });
    const { channels, components } = documentOf(tree);
    const payload = channels.Api?.messages["clientToServer.method"]?.payload;
    expect(payload).toMatchObject({
      properties: { children: { items: { $ref: "#/components/schemas/Api.clientToServer.method.input" } } },
    });
    expect(components.schemas["Api.clientToServer.method.input"]).toEqual(payload);
  });

  it("of 2020-12 is written as one of draft 07", () => {
    const schema = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $id: "https://elsewhere.example",
      prefixItems: [{ type: "string" }, true],
      items: { $ref: "#/$defs/rest" },
      $defs: { rest: { type: "number", $comment: "internal" } },
    };
    const { channels, components } = documentOf(withJson(() => schema));
    expect(channels.Api?.messages["clientToServer.method"]?.payload).toEqual({
      items: [{ type: "string" }, {}],
      additionalItems: { $ref: "#/components/schemas/Api.clientToServer.method.input.rest" },
    });
    expect(components.schemas["Api.clientToServer.method.input.rest"]).toEqual({ type: "number" });
  });

  it("keeps what stands beside a reference", () => {
    const schema = {
      $defs: { "a b": { type: "string" } },
      properties: { x: { $ref: "#/$defs/a%20b", description: "X" } },
    };
    expect(payloadOf(withJson(() => schema))).toEqual({
      properties: {
        x: { description: "X", allOf: [{ $ref: "#/components/schemas/Api.clientToServer.method.input.a-20-b" }] },
      },
    });
  });

  it.each(["https://elsewhere.example/schema", "#/%E0%A4%A", "#/$defs/nowhere", "#anchor", "#/constructor"])(
    "that refers to %s says that it does",
    ($ref) => {
      expect(payloadOf(withJson(() => ({ $ref })))).toEqual({ description: expect.stringContaining("refers") });
    },
  );

  it("has no values that would be taken for references, and none that JSON does not have", () => {
    const cycle: Record<string, unknown> = { type: "object" };
    cycle.properties = { self: cycle };
    const schema = {
      type: "object",
      default: { $ref: "#/nowhere" },
      examples: [{ deep: [{ $ref: "x" }] }],
      maximum: 1n,
      minimum: Number.NaN,
      format: () => "x",
      properties: { cycle, text: { const: '"$ref":' } },
    };
    expect(payloadOf(withJson(() => schema))).toEqual({
      type: "object",
      properties: { cycle: { type: "object", properties: { self: {} } }, text: { const: '"$ref":' } },
    });
  });

  it("keeps patterns that others cannot read apart", () => {
    const schema = {
      pattern: "[\\w-.]",
      properties: { a: { pattern: "^a$" } },
      patternProperties: { "[\\w-.]": {}, "^x": {} },
    };
    expect(payloadOf(withJson(() => schema))).toEqual({
      "x-pattern": "[\\w-.]",
      properties: { a: { pattern: "^a$" } },
      patternProperties: { "^x": {} },
    });
  });
});

describe("a validator that changes what it takes", () => {
  it("is described by what it takes where the server receives, and by what it makes where the server sends", () => {
    const validator = z.object({ a: z.string().default("x") });
    const method = { input: validator, success: validator };
    const contract = defineSocketContract("Api", { clientToServer: { method }, serverToClient: { method } });
    const { messages } = toAsyncApi([webSocketSchema(contract).path("x").done()], INFO).channels.Api!;
    const isTakenEmpty = (key: string) => {
      const payload = Object(messages[key]?.payload);
      const schema = key.endsWith("reply") ? payload.oneOf[0].properties.data : payload;
      return !schema.required?.includes("a");
    };
    expect(
      Object.keys(messages)
        .slice(3)
        .map((key) => [key, isTakenEmpty(key)]),
    ).toEqual([
      ["clientToServer.method", true],
      ["clientToServer.method.reply", false],
      ["serverToClient.method", false],
      ["serverToClient.method.reply", true],
    ]);
  });
});

/** Values that validators differ on. */
const VALUES: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  -1,
  1.5,
  7,
  "",
  "a",
  "abc",
  "7",
  [],
  ["a"],
  ["a", 1],
  ["a", 1, true],
  [1, "a"],
  {},
  { a: "x" },
  { a: "x", b: 1 },
  { a: 1 },
  { kind: "a", a: "x" },
  { kind: "b", b: 4 },
  { kind: "b", b: 1 },
  { $ref: "x", hasOwnProperty: "y" },
  { $ref: 1, hasOwnProperty: "y" },
  { name: "x", next: { name: "y" } },
  { name: "x", next: { name: 1 } },
];

const chain = z.object({
  name: z.string(),
  get next() {
    return chain.optional();
  },
});

/** Validators that neither coerce nor change a value. */
const STRICT: Record<string, { readonly "~standard": { validate(value: unknown): unknown } }> = {
  "z.string": z.string().min(1).max(3),
  "z.tuple": z.tuple([z.string(), z.number()]),
  "z.tuple with a rest": z.tuple([z.string()], z.union([z.number(), z.boolean()])),
  "z.tuple of nothing": z.tuple([]),
  "z.never": z.object({ a: z.never().optional() }),
  "z.discriminatedUnion": z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("a"), a: z.string() }),
    z.object({ kind: z.literal("b"), b: z.int().min(3) }),
  ]),
  "z.intersection": z.intersection(z.object({ a: z.string() }), z.object({ b: z.number() })),
  "z.record": z.record(z.string().min(1), z.union([z.string(), z.number()])),
  "z.strictObject": z.strictObject({ a: z.string().nullable() }),
  "z.enum": z.union([z.enum(["a", "abc"]), z.literal([7, null])]),
  "z of itself": chain,
  "z of odd names": z.object({ $ref: z.string(), hasOwnProperty: z.string() }),
  valibot: toStandardJsonSchema(
    v.union([v.object({ a: v.string() }), v.strictTuple([v.string(), v.number()]), v.null()]),
  ),
  "arktype of an object": type({ a: "string > 0", "b?": "number.integer >= 1" }),
  "arktype of a tuple": type(["string", "number"]),
  "arktype of a union": type("'a' | 7 | true | null"),
};

describe.skipIf(!haveEcosystem())("the schema of a payload", () => {
  it.each(Object.entries(STRICT))("takes what its validator takes: %s", (_name, validator) => {
    const checker = new FrameChecker(documentOf(validator));
    const verdicts = VALUES.filter((value) => value !== undefined).map((value) => {
      const isValid = !Object(validator["~standard"].validate(value)).issues;
      return [value, isValid, checker.takes("Api", "clientToServer.method", value)];
    });
    expect(verdicts.filter(([, byValidator, byDocument]) => byValidator !== byDocument)).toEqual([]);
    expect(new Set(verdicts.map(([, isValid]) => isValid)).size, "some are valid, some are not").toBe(2);
  });

  it("takes only what a validator of this framework takes, which coerces more", () => {
    const validators = { list: IsArray(IsString.nonEmpty), everything: IsEverything };
    for (const validator of Object.values(validators)) {
      const checker = new FrameChecker(documentOf(validator));
      for (const value of VALUES.slice(1)) {
        if (checker.takes("Api", "clientToServer.method", value))
          expect(validator.safeParse(value, true).success).toBe(true);
      }
    }
  });
});
