import { IsArray, IsBoolean, IsNumber, IsObject, IsString, IsUnknown, VALIDATION_ERROR } from "@grest-ts/schema";
import { defineSocketContract, failureOf, webSocketSchema } from "@grest-ts/websocket";
import * as fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { Queue } from "../support/queue.js";
import { RawServer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";

const schema = webSocketSchema(defineSocketContract("Que", { clientToServer: {}, serverToClient: {} })).path("ws/que");

const Checked = schema
  .queryOnConnect(
    IsObject({
      text: IsString.orUndefined,
      number: IsNumber.orUndefined,
      flag: IsBoolean.orUndefined,
      texts: IsArray(IsString).orUndefined,
      numbers: IsArray(IsNumber).orUndefined,
      flags: IsArray(IsBoolean).orUndefined,
      "a name & more=?": IsString.orUndefined,
      constructor: IsString.orUndefined,
    }),
  )
  .done();
const Unchecked = webSocketSchema(defineSocketContract("Any", { clientToServer: {}, serverToClient: {} }))
  .path("ws/any")
  .queryOnConnect<object>()
  .done();
const Permissive = schema.queryOnConnect(IsObject({ a: IsUnknown.orUndefined, fine: IsString.orUndefined })).done();

/** Any text that has a UTF-8 form, and what is special in a query. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("", "&=+%", "%20", "a b", "č 😀", "5", "true", "\0"),
);
// A query has no -0, and neither has JSON.
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  fc.integer(),
);
const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 3 });

async function serve(api: typeof Checked | typeof Unchecked) {
  const queries = new Queue<unknown>();
  const { base } = await serveApi(api as typeof Unchecked, (_incoming, _outgoing, query) => queries.push(query));
  return async (query: unknown): Promise<object> => {
    const client = (api as typeof Unchecked).createClient({ url: base, query: query as object });
    await client.connect();
    const arrived = await queries.next();
    client.close();
    return arrived as object;
  };
}

it("what a client accepts arrives as the same value, lists of one item too", async () => {
  const send = await serve(Checked);
  await fc.assert(
    fc.asyncProperty(
      fc.record(
        {
          text,
          number,
          flag: fc.boolean(),
          texts: list(text),
          numbers: list(number),
          flags: list(fc.boolean()),
          "a name & more=?": text,
          constructor: text,
        },
        { requiredKeys: [] },
      ),
      async (query) => {
        expect(await send(query)).toEqual(query);
      },
    ),
    { numRuns: 60 },
  );
});

it("without a validator texts arrive under any name", async () => {
  const send = await serve(Unchecked);
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.tuple(fc.oneof(text, fc.constantFrom("__proto__", "toString")), text), {
        selector: ([name]) => name,
      }),
      async (entries) => {
        expect(Object.entries(await send(Object.fromEntries(entries))).sort()).toEqual([...entries].sort());
      },
    ),
    { numRuns: 40 },
  );
  const hostile = JSON.parse('{"__proto__":"x","a":"y"}');
  expect(Object.entries(await send(hostile))).toEqual([
    ["__proto__", "x"],
    ["a", "y"],
  ]);
});

it("leaves undefined out", async () => {
  const send = await serve(Unchecked);
  expect(await send({ a: undefined, b: "x" })).toEqual({ b: "x" });
});

const NOT_IN_A_QUERY: readonly (readonly [string, unknown])[] = [
  ["null", null],
  ["an object", { b: 1 }],
  ["an empty list", []],
  ["a list of lists", [["x"]]],
  ["a list with null", ["x", null]],
  ["a list with undefined", ["x", undefined]],
  ["a list with a hole", Array(2)],
  ["a date", new Date(0)],
  ["a bigint", 1n],
  ["a function", () => "x"],
  ["a symbol", Symbol("x")],
  ["NaN", Number.NaN],
  ["an infinite number", [1, Number.POSITIVE_INFINITY]],
  ["a map", new Map()],
  ["an object with a text of its own", { toString: () => "x" }],
];

it.each(NOT_IN_A_QUERY)("names the argument, and opens nothing, for %s", async (_what, value) => {
  const server = await RawServer.start();
  for (const api of [Permissive, Unchecked]) {
    const client = api.createClient({ url: server.url, query: { fine: "x", a: value } as never });
    onTestFinished(() => client.close());
    const error = await client.connect().then(
      () => "connected",
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(VALIDATION_ERROR);
    expect((error as typeof VALIDATION_ERROR.infer).data).toMatchObject([{ path: "a" }]);
    expect(failureOf(error)).toMatchObject({ reason: "invalid-input", wasSent: false });
  }
  expect(server.count).toBe(0);
});

it("says that a query does not pass its validator like any other bad input", async () => {
  const error = await Checked.createClient({ url: "ws://127.0.0.1:1", query: { number: "x" } as never })
    .connect()
    .catch((thrown: unknown) => thrown);
  expect((error as typeof VALIDATION_ERROR.infer).data).toMatchObject([{ path: "number" }]);
  expect(failureOf(error)).toMatchObject({ reason: "invalid-input", wasSent: false });
});

it("a middleware's arguments have the same rule", async () => {
  const server = await RawServer.start();
  const client = Unchecked.createClient({
    url: server.url,
    query: {},
    middlewares: [
      {
        updateHandshake({ queryArgs }) {
          Object.assign(queryArgs, { left: undefined, n: 5, a: { b: 1 } });
        },
      },
    ],
  });
  const error = await client.connect().catch((thrown: unknown) => thrown);
  expect((error as typeof VALIDATION_ERROR.infer).data).toMatchObject([{ path: "a" }]);
  expect(server.count).toBe(0);
});

it("writes what 0.0.39 wrote", async () => {
  const server = await RawServer.start();
  const client = Unchecked.createClient({ url: server.url, query: { room: "a b&č", n: 5, on: true } });
  onTestFinished(() => client.close());
  const accepted = server.accept();
  await client.connect();
  expect((await accepted).requestUrl).toBe("/ws/any?room=a+b%26%C4%8D&n=5&on=true");
});
