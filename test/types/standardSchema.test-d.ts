import { IsObject, IsString, type VALIDATION_ERROR } from "@grest-ts/schema";
import {
  defineSocketContract,
  GGSocketGroup,
  type StandardSchemaV1,
  type WebSocketIncoming,
  type WebSocketOutgoing,
  webSocketSchema,
} from "@grest-ts/websocket";
import { callOn } from "@grest-ts/websocket/testkit";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expectTypeOf, it } from "vitest";
import { z } from "zod";

/** For each library: a text that becomes a number, and a default. */
const zod = z.object({ n: z.string().transform(Number), d: z.number().default(1) });
const valibot = v.object({ n: v.pipe(v.string(), v.transform(Number)), d: v.optional(v.number(), 1) });
const arktype = type({ n: "string.numeric.parse", d: "number = 1" });

const contract = defineSocketContract("Typed", {
  clientToServer: {
    zod: { input: zod, success: zod },
    valibot: { input: valibot, success: valibot },
    arktype: { input: arktype, success: arktype },
    own: { input: IsObject({ id: IsString.brand("Id") }), success: IsString },
    optional: { input: z.string().optional() },
    branded: { input: z.string().brand<"Id">() },
  },
  serverToClient: {
    zodPush: { input: zod },
    valibotPush: { input: valibot },
    arktypePush: { input: arktype },
    ask: { success: zod },
  },
});
const Api = webSocketSchema(contract).path("typed").done();
const client = Api.createClient({ url: "ws://x" });
const group = new GGSocketGroup(Api);
const api = callOn(Api);

type Incoming = Parameters<WebSocketIncoming<typeof contract.methods.clientToServer>["on"]>[0];
type Outgoing = WebSocketOutgoing<typeof contract.methods.serverToClient>;
type Output = { n: number; d: number };
type Input = { n: string; d?: number | undefined };

describe("a contract of zod, valibot and arktype", () => {
  it("takes the input of callers", () => {
    for (const call of [client.outgoing.zod, client.outgoing.valibot, client.outgoing.arktype]) {
      void (() => call({ n: "1" }));
      void (() => call({ n: "1", d: 2 }));
      // @ts-expect-error a number is its output
      void (() => call({ n: 1 }));
      // @ts-expect-error it takes one
      void (() => call());
    }
    expectTypeOf<Parameters<typeof client.outgoing.zod>[0]>().toEqualTypeOf<Input>();
    expectTypeOf<Parameters<typeof client.outgoing.optional>[0]>().toEqualTypeOf<string | undefined>();
    void (() => client.outgoing.optional());
    void (() => client.outgoing.branded("plain"));
    void (() => client.outgoing.own({ id: "plain" }));
  });

  it("gives callers the output of results", () => {
    expectTypeOf(client.outgoing.zod({ n: "1" })).resolves.toEqualTypeOf<Output>();
    expectTypeOf(client.outgoing.valibot({ n: "1" })).resolves.toEqualTypeOf<Output>();
    expectTypeOf(client.outgoing.arktype({ n: "1" })).resolves.toEqualTypeOf<Output>();
    expectTypeOf(client.outgoing.own({ id: "a" })).resolves.toEqualTypeOf<string>();
    const asked = {} as Outgoing;
    expectTypeOf(asked.ask()).resolves.toEqualTypeOf<Output>();
    const result = client.outgoing.zod({ n: "1" }).asResult();
    type Failure = Exclude<Awaited<typeof result>, { success: true }>["type"];
    expectTypeOf<Failure>().toEqualTypeOf<"SERVER_ERROR" | (typeof VALIDATION_ERROR)["TYPE"]>();
  });

  it("gives handlers the output, and takes the input of results", () => {
    expectTypeOf<Parameters<Incoming["zod"]>[0]>().toEqualTypeOf<Output>();
    expectTypeOf<Parameters<Incoming["valibot"]>[0]>().toEqualTypeOf<Output>();
    expectTypeOf<Parameters<Incoming["arktype"]>[0]>().toEqualTypeOf<Output>();
    expectTypeOf<Parameters<Incoming["branded"]>[0]>().toEqualTypeOf<string & z.core.$brand<"Id">>();
    expectTypeOf<Awaited<ReturnType<Incoming["zod"]>>>().toEqualTypeOf<Input>();
    expectTypeOf<Awaited<ReturnType<Incoming["arktype"]>>>().toMatchTypeOf<Input>();
    client.incoming.on({
      zodPush: (data) => expectTypeOf(data).toEqualTypeOf<Output>(),
      valibotPush: (data) => expectTypeOf(data).toEqualTypeOf<Output>(),
      arktypePush: (data) => expectTypeOf(data).toEqualTypeOf<Output>(),
      ask: () => ({ n: "1" }),
    });
    // @ts-expect-error the output is no input
    client.incoming.on({ ask: () => ({ n: 1, d: 1 }) });
  });

  it("has a group take the input", () => {
    void (() => group.zodPush({ n: "1" }));
    void (() => group.valibotPush({ n: "1" }));
    void (() => group.arktypePush({ n: "1" }));
    // @ts-expect-error a number is its output
    void (() => group.arktypePush({ n: 1 }));
    // @ts-expect-error it has a reply
    void group.ask;
  });

  it("has the test kit give, answer and expect", () => {
    void (() => api.zod({ n: "1" }).toEqual({ n: 1, d: 1 }));
    void (() => api.arktype({ n: "1" }).toEqual({ n: 1, d: 1 }));
    void (() => api.mock.valibotPush.toEqual({ n: 1, d: 1 }));
    void (() => api.mock.ask.andReturn({ n: "1" }));
    // @ts-expect-error a number is its output
    void (() => api.zod({ n: 1 }));
    // @ts-expect-error the output is no input
    void (() => api.mock.ask.andReturn({ n: 1, d: 1 }));
  });

  it("takes anything with the interface, and nothing else", () => {
    const own = {} as StandardSchemaV1<string, Date>;
    const made = defineSocketContract("Own", { clientToServer: { at: { input: own } }, serverToClient: {} });
    type Handlers = Parameters<WebSocketIncoming<typeof made.methods.clientToServer>["on"]>[0];
    expectTypeOf<Parameters<Handlers["at"]>[0]>().toEqualTypeOf<Date>();
    // @ts-expect-error no validator
    defineSocketContract("None", { clientToServer: { at: { input: { parse: () => 1 } } }, serverToClient: {} });
    // @ts-expect-error the result of one
    defineSocketContract("None", { clientToServer: { at: { input: z.string().safeParse("a") } }, serverToClient: {} });
  });

  it("has callers and handlers take and give anything, where a validator does not declare its types", () => {
    const silent = { "~standard": { version: 1, vendor: "own", validate: (value: unknown) => ({ value }) } } as const;
    type Undefined = { readonly "~standard": StandardSchemaV1["~standard"] & { readonly types?: undefined } };
    const made = defineSocketContract("Silent", {
      clientToServer: {
        call: { input: silent, success: silent },
        message: { input: silent },
        other: { input: {} as Undefined, success: {} as Undefined },
      },
      serverToClient: { push: { input: silent }, ask: { input: silent, success: silent } },
    });
    const Silent = webSocketSchema(made).path("silent").done();
    const { outgoing, incoming } = Silent.createClient({ url: "ws://x" });
    type Handlers = Parameters<WebSocketIncoming<typeof made.methods.clientToServer>["on"]>[0];
    type Asked = WebSocketOutgoing<typeof made.methods.serverToClient>;
    expectTypeOf<Parameters<typeof outgoing.call>[0]>().toEqualTypeOf<unknown>();
    expectTypeOf<Parameters<typeof outgoing.message>[0]>().toEqualTypeOf<unknown>();
    expectTypeOf<Parameters<typeof outgoing.other>[0]>().toEqualTypeOf<unknown>();
    expectTypeOf(outgoing.call(1)).resolves.toEqualTypeOf<unknown>();
    expectTypeOf(outgoing.other(1)).resolves.toEqualTypeOf<unknown>();
    expectTypeOf<Parameters<Handlers["call"]>[0]>().toEqualTypeOf<unknown>();
    expectTypeOf<Parameters<Handlers["message"]>[0]>().toEqualTypeOf<unknown>();
    expectTypeOf<Parameters<Handlers["other"]>[0]>().toEqualTypeOf<unknown>();
    expectTypeOf<Awaited<ReturnType<Handlers["call"]>>>().toEqualTypeOf<unknown>();
    expectTypeOf<Parameters<Asked["push"]>[0]>().toEqualTypeOf<unknown>();
    expectTypeOf({} as Asked)
      .toHaveProperty("ask")
      .returns.resolves.toEqualTypeOf<unknown>();
    incoming.on({
      push: (data) => expectTypeOf(data).toEqualTypeOf<unknown>(),
      ask: (data) => {
        expectTypeOf(data).toEqualTypeOf<unknown>();
        return { any: "thing" };
      },
    });
  });

  it("types the query and the presence by the output", () => {
    const Query = z.object({ room: z.string(), page: z.coerce.number() });
    const Asked = webSocketSchema(contract).path("asked").queryOnConnect(Query).done();
    Asked.createClient({ url: "ws://x", query: { room: "a", page: 1 } });
    // @ts-expect-error a page is missing
    Asked.createClient({ url: "ws://x", query: { room: "a" } });
    Asked.register((_incoming, _outgoing, query) => {
      expectTypeOf(query).toEqualTypeOf<{ room: string; page: number }>();
    });
    const members = new GGSocketGroup(Api, { presence: v.object({ id: v.string(), name: v.string() }) });
    expectTypeOf(members.present()).resolves.toEqualTypeOf<readonly { id: string; name: string }[]>();
    // @ts-expect-error it has no id
    new GGSocketGroup(Api, { presence: z.object({ name: z.string() }) });
  });
});
