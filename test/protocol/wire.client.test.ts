import { ERROR, IsNumber, IsObject, IsString, NOT_AUTHORIZED, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import { defineSocketContract, type GGWebSocketMiddleware, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished } from "vitest";
import { Queue } from "../support/queue.js";
import { RawServer } from "../support/rawPeer.js";
import { recordingLogger } from "../support/server.js";

const LIMITED = ERROR.define("LIMITED", 429, IsObject({ retry: IsNumber }));

const contract = defineSocketContract("Wire", {
  clientToServer: {
    echo: {
      input: IsObject({ text: IsString.nonEmpty, count: IsNumber.orUndefined }),
      success: IsObject({ text: IsString }),
      errors: [LIMITED],
    },
    note: { input: IsObject({ text: IsString }) },
    ping: {},
  },
  serverToClient: {
    news: { input: IsObject({ text: IsString }) },
    ask: { input: IsObject({ question: IsString }), success: IsString },
  },
});

const bearer: GGWebSocketMiddleware = {
  updateHandshake(context) {
    context.headers.authorization = "Bearer t";
  },
};

async function start() {
  const server = await RawServer.start();
  const logger = recordingLogger();
  const Api = webSocketSchema(contract)
    .path("ws/wire")
    .use(bearer)
    .queryOnConnect<{ room: string; n: number }>()
    .done();
  const client = Api.createClient({ url: server.url, query: { room: "a b&c", n: 1 }, logger });
  onTestFinished(() => client.close());
  return { server, client, logger };
}

async function connected(...firstFrames: string[]) {
  const { server, client, logger } = await start();
  const accepted = server.accept(...firstFrames);
  await client.connect();
  return { client, logger, peer: await accepted };
}

describe("the client on the wire", () => {
  it("opens path and query, and sends its headers in exactly one h frame", async () => {
    const { peer } = await connected();
    expect(peer.requestUrl).toBe("/ws/wire?room=a+b%26c&n=1");
    expect(peer.handshake).toBe('h:::{"authorization":"Bearer t","ws-capabilities":"batch alive cancel"}');
    expect(peer.frames.unseen).toEqual([]);
  });

  it.each([
    "",
    "{",
    "[]",
    '"batch"',
    '{"ws-capabilities":7}',
    '{"ws-capabilities":{"toString":1,"valueOf":1}}',
    '{"ws-capabilities":["batch"]}',
    '{"ws-capabilities":"telepathy batch2 = ="}',
  ])("takes k with %j for one that agrees to nothing", async (payload) => {
    const { server, client } = await start();
    const connecting = client.connect();
    const peer = await server.connections.next();
    await peer.next();
    peer.send(`k:::${payload}`);
    await connecting;
    client.outgoing.ping();
    client.outgoing.ping();
    expect(await peer.frames.take(2)).toEqual(["m:Wire.ping::", "m:Wire.ping::"]);
  });

  it("sends cleaned input: coerced, unknown keys stripped; ids count from 1", async () => {
    const { client, peer } = await connected();
    const first = client.outgoing.echo({ text: "a", count: "5", extra: 1 } as never);
    const second = client.outgoing.echo({ text: "b" });
    client.outgoing.note({ text: "c" });
    client.outgoing.ping();
    expect(await peer.frames.take(4)).toEqual([
      'r:Wire.echo:1:{"text":"a","count":5}',
      'r:Wire.echo:2:{"text":"b"}',
      'm:Wire.note::{"text":"c"}',
      "m:Wire.ping::",
    ]);
    peer.send(
      's:Wire.echo:2:{"success":true,"type":"OK","data":{"text":"B","more":1}}',
      's:Wire.echo:1:{"success":true,"type":"OK","data":{"text":"A"}}',
    );
    expect(await Promise.all([first, second])).toEqual([{ text: "A" }, { text: "B" }]);
  });

  it("sends nothing for invalid input", async () => {
    const { client, peer } = await connected();
    const result = await client.outgoing.echo({ text: "" }).asResult();
    expect(result).toBeInstanceOf(VALIDATION_ERROR);
    client.outgoing.ping();
    expect(await peer.next()).toBe("m:Wire.ping::");
  });

  it.each([
    [
      "a declared error",
      '{"success":false,"type":"LIMITED","data":{"retry":3},"statusCode":429,"context":{"ref":"R"}}',
      LIMITED,
    ],
    [
      "a framework error that is not declared",
      '{"success":false,"type":"NOT_AUTHORIZED","statusCode":401,"context":{"displayMessage":"who?"}}',
      NOT_AUTHORIZED,
    ],
    [
      "a validation error about the whole value",
      '{"success":false,"type":"VALIDATION_ERROR","data":[{"path":"","code":"c","message":"m"}],"statusCode":422}',
      VALIDATION_ERROR,
    ],
    ["an undeclared error", '{"success":false,"type":"OTHER","statusCode":400}', SERVER_ERROR],
    [
      "a declared error with data that does not fit",
      '{"success":false,"type":"LIMITED","data":{"retry":"x"},"statusCode":429}',
      SERVER_ERROR,
    ],
    ["a value that does not match the contract", '{"success":true,"type":"OK","data":{"text":[]}}', SERVER_ERROR],
    ["no data", '{"success":true,"type":"OK"}', SERVER_ERROR],
    ["null", "null", SERVER_ERROR],
    ["an error whose context is null", '{"success":false,"type":"NOT_AUTHORIZED","context":null}', NOT_AUTHORIZED],
    ["an error whose context is text", '{"success":false,"type":"LIMITED","data":{"retry":1},"context":"x"}', LIMITED],
    ["a validation error without a list", '{"success":false,"type":"VALIDATION_ERROR","data":{}}', VALIDATION_ERROR],
    [
      "a validation error with no issues in its list",
      '{"success":false,"type":"VALIDATION_ERROR","data":[null]}',
      VALIDATION_ERROR,
    ],
    ["text that is not JSON", "{oops", SERVER_ERROR],
    ["nothing", "", SERVER_ERROR],
  ])("reads %s in a reply", async (_what, payload, errorClass) => {
    const { client, peer } = await connected();
    const call = client.outgoing.echo({ text: "a" }).asResult();
    await peer.next();
    peer.send(`s:Wire.echo:1:${payload}`);
    const result = await call;
    expect(result).toBeInstanceOf(errorClass);
    expect(result.type).toBe(errorClass.TYPE);
  });

  it("keeps data, display message and reference of an error", async () => {
    const { client, peer } = await connected();
    const call = client.outgoing.echo({ text: "a" }).asResult();
    await peer.next();
    peer.send(
      's:Wire.echo:1:{"success":false,"type":"LIMITED","data":{"retry":3},"statusCode":429,"context":{"displayMessage":"slow","timestamp":5,"ref":"ERR_REF_X"}}',
    );
    expect(JSON.parse(JSON.stringify(await call))).toEqual({
      success: false,
      type: "LIMITED",
      data: { retry: 3 },
      statusCode: 429,
      context: { displayMessage: "slow", timestamp: 5, ref: "ERR_REF_X" },
    });
  });

  it("delivers pushes that come in the same chunk as k, to handlers set before or after connect", async () => {
    for (const moment of ["before", "after", "in setup"] as const) {
      const { server, client } = await start();
      const seen = new Queue<string>();
      const on = () => client.incoming.on({ news: ({ text }) => void seen.push(text) });
      if (moment === "before") on();
      const accepted = server.accept('m:Wire.news::{"text":"1"}', 'm:Wire.news::{"text":"2"}');
      await client.connect(moment === "in setup" ? on : undefined);
      await accepted;
      if (moment === "after") on();
      expect(await seen.take(2)).toEqual(["1", "2"]);
      client.close();
    }
  });

  it("answers the server's requests, and the next handler replaces the former", async () => {
    const { client, peer } = await connected();
    client.incoming.on({ ask: async ({ question }) => `${question}!` });
    peer.send('r:Wire.ask:41:{"question":"a"}');
    expect(await peer.next()).toBe('s:Wire.ask:41:{"success":true,"type":"OK","data":"a!"}');
    client.incoming.on({ ask: async () => "new" });
    peer.send('r:Wire.ask:42:{"question":"a"}', "r:Wire.ask:43:5", "r:Wire.echo:44:{}");
    // Each reply goes out as its handler finishes.
    const replies = (await peer.frames.take(3)).sort();
    expect(replies[0]).toBe('s:Wire.ask:42:{"success":true,"type":"OK","data":"new"}');
    expect(replies[1]).toMatch(/^s:Wire\.ask:43:\{"success":false,"type":"VALIDATION_ERROR"/);
    expect(replies[2]).toMatch(/^s:Wire\.echo:44:\{"success":false,"type":"ROUTE_NOT_FOUND"/);
  });

  it("answers a request for a method that no handler was given for with SERVER_ERROR naming it", async () => {
    const { client, peer } = await connected();
    client.incoming.on({ news: () => {} });
    peer.send('r:Wire.ask:1:{"question":"a"}');
    expect(await peer.next()).toMatch(
      /^s:Wire\.ask:1:\{"success":false,"type":"SERVER_ERROR".*Wire\.ask has no handler/,
    );
  });

  it("passes a push that does not match the contract to onError", async () => {
    const { client, peer } = await connected();
    const errors = new Queue<Error>();
    client.onError((error) => errors.push(error)).incoming.on({ news: () => {} });
    peer.send('m:Wire.news::{"text":1e999}', "m:Wire.news::[]");
    expect(await errors.next()).toBeInstanceOf(VALIDATION_ERROR);
  });

  it("settles what is pending with SERVER_ERROR when the connection drops, saying that it was sent", async () => {
    const { client, peer } = await connected();
    const call = client.outgoing.echo({ text: "a" }).asResult();
    await peer.next();
    peer.ws.terminate();
    const result = await call;
    expect(result).toBeInstanceOf(SERVER_ERROR);
    expect(result.success === false && result.context?.displayMessage).toMatch(
      /Socket connection closed.*Wire\.echo.*was sent and may have run/,
    );
  });

  it("still sends what was called in the same tick as close()", async () => {
    const { client, peer } = await connected();
    const call = client.outgoing.echo({ text: "a" }).asResult();
    client.outgoing.ping();
    client.close();
    expect(await peer.frames.take(2)).toEqual(['r:Wire.echo:1:{"text":"a"}', "m:Wire.ping::"]);
    expect((await call).type).toBe("SERVER_ERROR");
    expect(await peer.closed).toEqual({ code: 1000, reason: "" });
  });
});
