import { IsObject, IsString, SERVER_ERROR } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { expect, it } from "vitest";
import { watchTheProcess } from "../hostile/watch.js";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";

const Api = webSocketSchema(
  defineSocketContract("Pay", {
    clientToServer: {
      maybe: { input: IsString.orUndefined, success: IsString },
      own: { input: IsObject({ text: IsString, toString: IsString.orUndefined }), success: IsString },
      fail: { success: IsString },
    },
    serverToClient: {},
  }),
)
  .path("ws/pay")
  .done();

async function start() {
  const seen: unknown[] = [];
  const { url } = await serveApi(Api, (incoming) =>
    incoming.on({
      maybe(text) {
        seen.push(text);
        return "handled";
      },
      own(input) {
        seen.push(input);
        return Object.keys(input).join();
      },
      fail() {
        throw { success: false, type: "SERVER_ERROR", data: "secret", context: {} };
      },
    }),
  );
  return { peer: await RawPeer.connect(url), seen };
}

watchTheProcess();

it.each(["{", "undefined", "'x'", "[1", "NaN", " ", '"x" "y"', "\u0000"])(
  "does not treat invalid JSON (%j) as absent input",
  async (payload) => {
    const { peer, seen } = await start();
    peer.send(`r:Pay.maybe:1:${payload}`);
    expect(await peer.next()).toMatch(/^s:Pay\.maybe:1:\{"success":false,"type":"VALIDATION_ERROR".*"invalid\.json"/);
    expect(seen).toEqual([]);
    peer.send("r:Pay.maybe:2:");
    expect(await peer.next()).toMatch(/^s:Pay\.maybe:2:\{"success":true/);
  },
);

it("gives a handler the own members that its contract declares, and nothing else", async () => {
  const { peer, seen } = await start();
  const hostile = '"__proto__":{"polluted":true,"text":"inherited"},"constructor":{"prototype":{"polluted":true}}';
  peer.send(`r:Pay.own:1:{"text":"a","toJSON":"x","then":1,"hasOwnProperty":1,${hostile}}`);
  expect(await peer.next()).toBe('s:Pay.own:1:{"success":true,"type":"OK","data":"text"}');
  const input = seen[0] as object;
  expect(input).toStrictEqual({ text: "a" });
  expect(Object.getPrototypeOf(input)).toBe(Object.prototype);
  // Inherited members are absent.
  peer.send(`r:Pay.own:2:{${hostile}}`, "r:Pay.own:3:{}");
  for (const reply of await peer.frames.take(2)) expect(reply).toContain('"type":"VALIDATION_ERROR"');
});

it("never sends the data of a SERVER_ERROR, wherever a handler got it", async () => {
  const { peer } = await start();
  peer.send("r:Pay.fail:1:");
  const reply = await peer.next();
  expect(reply).toContain(`"type":"${SERVER_ERROR.TYPE}"`);
  expect(reply).not.toContain("secret");
});

it("answers each of several requests with the same id once", async () => {
  const { peer } = await start();
  peer.sendTogether("r:Pay.maybe:7:", "r:Pay.maybe:7:", "r:Pay.own:7:{}", "r:Pay.maybe:7:");
  const replies = await peer.frames.take(4);
  expect(replies.filter((reply) => reply.startsWith('s:Pay.maybe:7:{"success":true'))).toHaveLength(3);
  expect(replies.filter((reply) => reply.startsWith('s:Pay.own:7:{"success":false'))).toHaveLength(1);
  expect(await peer.framesUntilAnswerTo("r:Pay.maybe:8:")).toEqual([]);
});
