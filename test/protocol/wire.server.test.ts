import { ERROR, IsNumber, IsObject, IsString, NOT_FOUND, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import { defineSocketContract, GG_WS_MESSAGE, type WebSocketOutgoing, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it } from "vitest";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";

const LIMITED = ERROR.define("LIMITED", 429, IsObject({ retry: IsNumber }));

const contract = defineSocketContract("Wire", {
  clientToServer: {
    echo: {
      input: IsObject({ text: IsString.nonEmpty }),
      success: IsObject({ text: IsString }),
      errors: [VALIDATION_ERROR],
    },
    note: { input: IsObject({ text: IsString }) },
    ping: {},
    fail: { input: IsString, success: IsString, errors: [LIMITED, NOT_FOUND, SERVER_ERROR] },
  },
  serverToClient: {
    news: { input: IsObject({ text: IsString }) },
    nudge: {},
    ask: { input: IsObject({ question: IsString }), success: IsString },
  },
});
const Api = webSocketSchema(contract).path("ws/wire").done();

async function start() {
  const handled = new Queue<string>();
  const outgoings = new Queue<WebSocketOutgoing<typeof contract.methods.serverToClient>>();
  const { url, logger } = await serveApi(Api, (incoming, outgoing) => {
    outgoings.push(outgoing);
    incoming.on({
      echo: async ({ text }) => {
        handled.push(`echo ${text}`);
        return { text, extra: "stripped" };
      },
      note: async ({ text }) => handled.push(`note ${text}`),
      ping: async () => handled.push(`ping ${GG_WS_MESSAGE.get()?.path}`),
      fail: async (how) => {
        if (how === "limited") throw new LIMITED({ retry: 3 });
        if (how === "not found") throw new NOT_FOUND({ displayMessage: "gone" });
        if (how === "undeclared") throw new (ERROR.define("UNDECLARED", 418))({ displayMessage: "secret" });
        throw new Error("secret");
      },
    });
  });
  return { url, logger, handled, outgoings };
}

const withoutChance = (frame: string) =>
  frame.replace(/"timestamp":\d+/g, '"timestamp":1').replace(/"ref":"ERR_REF_[A-Za-z0-9]+"/g, '"ref":"R"');

describe("the server on the wire", () => {
  it("accepts with exactly k:::null", async () => {
    const { url } = await start();
    const peer = await RawPeer.open(url);
    peer.send('h:::{"authorization":"Bearer t"}');
    expect(await peer.next()).toBe("k:::null");
  });

  it("answers a request, with unknown keys of the result stripped", async () => {
    const peer = await RawPeer.connect((await start()).url);
    peer.send('r:Wire.echo:7:{"text":"a:b:c"}');
    expect(await peer.next()).toBe('s:Wire.echo:7:{"success":true,"type":"OK","data":{"text":"a:b:c"}}');
  });

  it("answers an invalid request with every issue", async () => {
    const peer = await RawPeer.connect((await start()).url);
    peer.send('r:Wire.echo:8:{"text":""}');
    expect(withoutChance(await peer.next())).toBe(
      's:Wire.echo:8:{"success":false,"type":"VALIDATION_ERROR","data":[{"path":"text","code":"invalid.string.nonEmpty",' +
        '"message":"Value must not be empty","value":""}],"statusCode":422,"context":{"displayMessage":"Invalid arguments","timestamp":1,"ref":"R"}}',
    );
  });

  it("answers a payload that is not JSON with a VALIDATION_ERROR", async () => {
    const peer = await RawPeer.connect((await start()).url);
    peer.send("r:Wire.echo:8:{nope");
    expect(await peer.next()).toMatch(/^s:Wire\.echo:8:\{"success":false,"type":"VALIDATION_ERROR"/);
  });

  it("sends a declared error as what it is", async () => {
    const peer = await RawPeer.connect((await start()).url);
    peer.send('r:Wire.fail:1:"limited"', 'r:Wire.fail:2:"not found"');
    expect((await peer.frames.take(2)).map(withoutChance)).toEqual([
      's:Wire.fail:1:{"success":false,"type":"LIMITED","data":{"retry":3},"statusCode":429,"context":{"timestamp":1,"ref":"R"}}',
      's:Wire.fail:2:{"success":false,"type":"NOT_FOUND","statusCode":404,"context":{"displayMessage":"gone","timestamp":1,"ref":"R"}}',
    ]);
  });

  it.each(["undeclared", "plain"])(
    "hides an %s error behind SERVER_ERROR and logs it once, under the reference",
    async (how) => {
      const { url, logger } = await start();
      const peer = await RawPeer.connect(url);
      peer.send(`r:Wire.fail:1:"${how}"`);
      const reply = await peer.next();
      expect(withoutChance(reply)).toBe(
        's:Wire.fail:1:{"success":false,"type":"SERVER_ERROR","statusCode":500,"context":{"timestamp":1,"ref":"R"}}',
      );
      const ref = /"ref":"([^"]+)"/.exec(reply)?.[1];
      expect(logger.entries.filter((entry) => entry.fields.ref === ref)).toHaveLength(1);
      expect(logger.entries[0]?.fields.error).toBeInstanceOf(Error);
    },
  );

  it("answers an unknown method with ROUTE_NOT_FOUND, and logs an unknown message", async () => {
    const { url, logger } = await start();
    const peer = await RawPeer.connect(url);
    peer.send("m:Wire.nope::", "r:Wire.nope:4:", "r:__proto__:5:", "r:Wire.constructor:6:");
    expect((await peer.frames.take(3)).map(withoutChance)).toEqual([
      's:Wire.nope:4:{"success":false,"type":"ROUTE_NOT_FOUND","statusCode":404,"context":{"displayMessage":"Route not found: Wire.nope","timestamp":1,"ref":"R"}}',
      's:__proto__:5:{"success":false,"type":"ROUTE_NOT_FOUND","statusCode":404,"context":{"displayMessage":"Route not found: __proto__","timestamp":1,"ref":"R"}}',
      's:Wire.constructor:6:{"success":false,"type":"ROUTE_NOT_FOUND","statusCode":404,"context":{"displayMessage":"Route not found: Wire.constructor","timestamp":1,"ref":"R"}}',
    ]);
    expect(logger.entries.map((entry) => entry.level)).toEqual(["warn"]);
  });

  it("answers a request for a method without success with a bare OK", async () => {
    const { url, handled } = await start();
    const peer = await RawPeer.connect(url);
    peer.send('r:Wire.note:9:{"text":"x"}', "r:Wire.ping:10:{}");
    expect(await peer.frames.take(2)).toEqual([
      's:Wire.note:9:{"success":true,"type":"OK"}',
      's:Wire.ping:10:{"success":true,"type":"OK"}',
    ]);
    expect(handled.unseen).toEqual(["note x", "ping Wire.ping"]);
  });

  it("runs the handler of a fire-and-forget frame for a method with success, and does not reply", async () => {
    const { url, handled } = await start();
    const peer = await RawPeer.connect(url);
    peer.send('m:Wire.echo::{"text":"quiet"}');
    expect(await peer.framesUntilAnswerTo("r:Wire.ping:1:")).toEqual([]);
    expect(handled.unseen[0]).toBe("echo quiet");
  });

  it("echoes any id verbatim, an empty one too", async () => {
    const peer = await RawPeer.connect((await start()).url);
    peer.send("r:Wire.ping::", "r:Wire.ping:abc-1:", "r:Wire.ping:007:");
    expect(await peer.frames.take(3)).toEqual([
      's:Wire.ping::{"success":true,"type":"OK"}',
      's:Wire.ping:abc-1:{"success":true,"type":"OK"}',
      's:Wire.ping:007:{"success":true,"type":"OK"}',
    ]);
  });

  it("pushes and asks in the same form, with ids of its own that count from 1", async () => {
    const { url, outgoings } = await start();
    const peer = await RawPeer.connect(url);
    const outgoing = await outgoings.next();
    outgoing.news({ text: "hi" });
    outgoing.nudge();
    const answer = outgoing.ask({ question: "?" });
    const second = outgoing.ask({ question: "??" });
    expect(await peer.frames.take(4)).toEqual([
      'm:Wire.news::{"text":"hi"}',
      "m:Wire.nudge::",
      'r:Wire.ask:1:{"question":"?"}',
      'r:Wire.ask:2:{"question":"??"}',
    ]);
    peer.send(
      's:Wire.ask:2:{"success":true,"type":"OK","data":"b"}',
      's:Wire.ask:1:{"success":true,"type":"OK","data":"a"}',
    );
    expect(await Promise.all([answer, second])).toEqual(["a", "b"]);
  });

  it("ignores stray, late and doubled replies", async () => {
    const { url, outgoings } = await start();
    const peer = await RawPeer.connect(url);
    peer.send('s:Wire.ask:1:{"success":true,"type":"OK","data":"early"}', "s:::", "s:Wire.ask:__proto__:{}");
    expect(await peer.framesUntilAnswerTo("r:Wire.ping:0:")).toEqual([]);
    const answer = (await outgoings.next()).ask({ question: "?" });
    await peer.next();
    const reply = 's:Wire.ask:1:{"success":true,"type":"OK","data":"right"}';
    peer.send("s:Wire.other:1:{}", reply, reply);
    expect(await answer).toBe("right");
    expect(await peer.framesUntilAnswerTo("r:Wire.ping:1:")).toEqual([]);
  });

  it("ignores what is no message: empty text, unknown types, a second handshake, frames without a path", async () => {
    const peer = await RawPeer.connect((await start()).url);
    peer.send("", "z:Wire.ping:1:", "p:::", "h:::{}", "k:::null", "r::1:", "m", "r", ":::", "just text");
    expect(await peer.framesUntilAnswerTo("r:Wire.ping:2:")).toEqual([]);
  });

  it("ignores frames before the handshake", async () => {
    const { url, handled } = await start();
    const peer = await RawPeer.open(url);
    peer.send('r:Wire.echo:1:{"text":"too early"}', "m:Wire.ping::", "h:::{}");
    expect(await peer.next()).toBe("k:::null");
    expect(await peer.framesUntilAnswerTo("r:Wire.ping:2:")).toEqual([]);
    expect(handled.unseen).toEqual(["ping Wire.ping"]);
  });

  it.each(["h", 'h:::"str"', "h:::{bad", "h:::[1]", "h:::null", 'h:::{"a":1,"b":"x"}'])(
    "accepts the odd handshake %s",
    async (frame) => {
      const peer = await RawPeer.open((await start()).url);
      peer.send(frame);
      expect(await peer.next()).toBe("k:::null");
    },
  );

  it("hands messages to handlers in the order of their arrival and replies as they finish", async () => {
    const { url, handled } = await start();
    const peer = await RawPeer.connect(url);
    peer.sendTogether(...Array.from({ length: 50 }, (_, i) => `r:Wire.echo:${i}:{"text":"${i}"}`));
    await peer.frames.take(50);
    expect(handled.unseen).toEqual(Array.from({ length: 50 }, (_, i) => `echo ${i}`));
  });

  it("closes with 1003 when a binary frame comes", async () => {
    const peer = await RawPeer.connect((await start()).url);
    peer.ws.send(Buffer.from("m:Wire.ping::"));
    expect(await peer.closed).toEqual({ code: 1003, reason: "Text messages only" });
  });
});
