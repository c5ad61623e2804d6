import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  ERROR,
  IsBoolean,
  IsNumber,
  IsObject,
  IsString,
  NOT_AUTHORIZED,
  SERVER_ERROR,
  VALIDATION_ERROR,
} from "@grest-ts/schema";
import { CloseCode, defineSocketContract, type WebSocketOutgoing, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it } from "vitest";
import { root } from "../support/paths.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";

const text = readFileSync(join(root, "PROTOCOL.md"), "utf8");

const ROOM_FULL = ERROR.define("ROOM_FULL", 400);
const contract = defineSocketContract("ChatApi", {
  clientToServer: {
    sendMessage: {
      input: IsObject({ text: IsString.nonEmpty, channelId: IsString }),
      success: IsObject({ success: IsBoolean, messageId: IsString }),
      errors: [VALIDATION_ERROR, SERVER_ERROR],
    },
    joinRoom: { input: IsObject({ roomId: IsString }), success: IsBoolean, errors: [ROOM_FULL] },
    markAsRead: { input: IsObject({ messageId: IsString }) },
    ping: {},
  },
  serverToClient: {
    newMessage: { input: IsObject({ id: IsString, text: IsString, senderId: IsString, timestamp: IsNumber }) },
    areYouThere: { success: IsBoolean },
  },
});
type Outgoing = WebSocketOutgoing<typeof contract.methods.serverToClient>;

const Api = webSocketSchema(contract)
  .path("ws/chat")
  .queryOnConnect(IsObject({ room: IsString.nonEmpty.orUndefined }))
  .use({
    parseHandshake({ headers }) {
      if (!headers.authorization) throw new NOT_AUTHORIZED({ displayMessage: "Missing bearer token" });
    },
  })
  .done();

const MESSAGE_IDS: Readonly<Record<string, string>> = { hi: "m1", slow: "m2", fast: "m3", last: "m9" };

/** The server that the document's exchanges talk to. */
async function start() {
  const outgoings = new Queue<Outgoing>();
  const fast = new Queue<void>();
  const { http, url } = await serveApi(Api, (incoming, outgoing) => {
    outgoings.push(outgoing);
    incoming.on({
      async sendMessage(message) {
        if (message.text === "slow") await fast.next();
        if (message.text === "fast") setImmediate(() => fast.push());
        if (message.text === "last") void http.teardown();
        return { success: true, messageId: MESSAGE_IDS[message.text] ?? "unexpected" };
      },
      async joinRoom({ roomId }) {
        if (roomId === "full") throw new ROOM_FULL();
        throw new Error("the room is broken");
      },
      markAsRead() {},
      ping() {},
    });
  });
  return { url, outgoings };
}

interface Step {
  readonly who: "C" | "S";
  readonly what: string;
}

/** The numbered exchanges of the document's last section. */
function exchanges(): { title: string; steps: Step[] }[] {
  const section = text.slice(text.indexOf("## 11. Worked exchanges"));
  return [...section.matchAll(/^(\d+\. .*?)$[\s\S]*?```\n([\s\S]*?)```/gm)].map(([, title = "", block = ""]) => ({
    title,
    steps: block
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => {
        const [, who, what] = /^ +([CS]) {2}(.*)$/.exec(line) ?? [];
        if (!who || what === undefined) throw new Error(`not a line of an exchange: ${line}`);
        return { who: who as Step["who"], what };
      }),
  }));
}

const withoutChance = (frame: string) =>
  frame.replace(/"timestamp":\d+/g, '"timestamp":1').replace(/"ref":"ERR_REF_[A-Za-z0-9]+"/g, '"ref":"R"');

describe("PROTOCOL.md", () => {
  it("has its exchanges where this test finds them", () => {
    expect(exchanges().map(({ title }) => Number.parseInt(title, 10))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it.each(exchanges())("plays $title", async ({ steps }) => {
    const { url, outgoings } = await start();
    const query = /\?[^)]*/.exec(steps[0]?.what ?? "")?.[0] ?? "";
    const startsHere = steps.some(({ what }) => what.startsWith("h:"));
    const peer = startsHere
      ? await RawPeer.open(`${url}${query}`)
      : await RawPeer.connect(url, { authorization: "Bearer t" });
    let answer: PromiseLike<boolean> | undefined;
    if (steps[0]?.who === "S") {
      const outgoing = await outgoings.next();
      outgoing.newMessage({ id: "m1", text: "hi", senderId: "ann", timestamp: 1795410578525 });
      answer = outgoing.areYouThere();
    }
    let isClosed = false;
    for (const { who, what } of steps) {
      const closes = /^\(closes with (\d+) "(.*)"\)$/.exec(what);
      if (closes) {
        expect(await peer.closed).toEqual({ code: Number(closes[1]), reason: closes[2] });
        isClosed = true;
      } else if (who === "S") expect(withoutChance(await peer.next())).toBe(withoutChance(what));
      else if (!what.startsWith("(opens")) peer.send(what);
    }
    if (isClosed) return expect(peer.frames.unseen).toEqual([]);
    expect(await peer.framesUntilAnswerTo("r:ChatApi.ping:after:")).toEqual([]);
    if (answer) expect(await answer).toBe(true);
  });

  it("lists every close code of this layer", () => {
    const listed = [...text.slice(text.indexOf("## 8."), text.indexOf("## 9.")).matchAll(/^\| (\d{4}) \|/gm)];
    const codes = new Set(Object.values(CloseCode).map(Number));
    expect(listed.length).toBeGreaterThanOrEqual(10);
    expect(listed.map(([, code]) => Number(code)).filter((code) => !codes.has(code))).toEqual([]);
  });
});
