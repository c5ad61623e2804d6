import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { IsObject, IsString, VALIDATION_ERROR } from "@grest-ts/schema";
import { defineSocketContract, GGSocketGroup, GGWebSocketMetrics, webSocketSchema } from "@grest-ts/websocket";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ExtApi, serveExt } from "../support/extApi.js";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";

const count = (result: string) =>
  GGWebSocketMetrics.outRequests.getValue({ api: "Ext", path: "/ws/ext", method: "Ext.news", result });

beforeEach(() => GG_METRICS.overwrite(new GGMetricsStore()));

/** This many connections, the last one with batches, all in one group. */
async function crowd(size: number, config = {}) {
  const { url, outgoings, ...more } = await serveExt(config);
  const group = new GGSocketGroup(ExtApi);
  const peers: RawPeer[] = [];
  const members = [];
  for (let i = 0; i < size; i++) {
    peers.push(i < size - 1 ? await RawPeer.connect(url) : (await RawPeer.connectWith(url, "batch")).peer);
    const outgoing = await outgoings.next();
    members.push(outgoing);
    group.add(outgoing);
  }
  return { url, outgoings, group, peers, members, ...more };
}

describe("GGSocketGroup", () => {
  it("sends to all its members, validates once, and counts each delivery", async () => {
    const real = IsObject({ text: IsString });
    const parse = vi.fn(real.safeParse.bind(real));
    const IsText: typeof real = Object.create(real, { safeParse: { value: parse } });
    const Api = webSocketSchema(
      defineSocketContract("Once", { clientToServer: {}, serverToClient: { news: { input: IsText } } }),
    )
      .path("ws/once")
      .done();
    const group = new GGSocketGroup(Api);
    expect(await group.news({ text: "no member" }).asResult()).toMatchObject({ success: true });
    expect(parse).toHaveBeenCalledTimes(1);

    const { group: crowded, peers } = await crowd(5);
    await crowded.news({ text: "hi", unknown: 1 } as { text: string });
    for (const peer of peers) expect(await peer.next()).toBe('m:Ext.news::{"text":"hi"}');
    expect(count("OK")).toBe(5);
    expect(crowded.size).toBe(5);
  });

  it("keeps its messages in order with those that a member gets alone", async () => {
    const { group, members, peers } = await crowd(2);
    members[0]?.news({ text: "1" });
    group.news({ text: "2" });
    members[0]?.news({ text: "3" });
    group.news({ text: "4" });
    const of = (text: string) => `m:Ext.news::{"text":"${text}"}`;
    expect(await peers[0]?.frames.take(4)).toEqual(["1", "2", "3", "4"].map(of));
    expect(await peers[1]?.next()).toBe(`${of("2")}\n${of("4")}`);
  });

  it("refuses invalid input with a VALIDATION_ERROR, and sends nothing", async () => {
    const { group, peers } = await crowd(2);
    const result = await group.news({ text: {} } as never).asResult();
    expect(result).toBeInstanceOf(VALIDATION_ERROR);
    group.news({ text: "next" });
    for (const peer of peers) expect(await peer.next()).toContain("next");
  });

  it("releases members that close or are removed, and accepts them again", async () => {
    const { group, members, peers, outgoings, url } = await crowd(3);
    const [first, second, third] = members as [object, object, object];
    const closed = new Promise<void>((resolve) => members[0]?.onClose(resolve));
    await peers[0]?.close();
    await closed;
    expect([group.size, group.has(first), group.has(second)]).toEqual([2, false, true]);
    expect([group.remove(third), group.remove(third), group.size]).toEqual([true, false, 1]);
    group.add(third);
    group.add(third);
    group.add(first);
    expect(group.size).toBe(2);
    await RawPeer.connect(url);
    group.add(await outgoings.next());
    expect(group.closeAll(4_100, "bye")).toBe(3);
    expect(group.size).toBe(0);
    expect(await peers[1]?.closed).toEqual({ code: 4_100, reason: "bye" });
  });

  it("closes or skips a member that reads too slowly, by its own limit, and never delays others", async () => {
    const { group, peers, members, logger } = await crowd(3, { limits: { maxOutboxBytes: 1_000_000 } });
    const closed = new Promise<void>((resolve) => members[0]?.onClose(resolve));
    peers[0]?.ws.pause();
    const text = "x".repeat(200_000);
    // The operating system's buffers fill first.
    for (let n = 1; count("DROPPED") === 0; n++) {
      group.news({ text, n }, { droppable: true });
      for (const peer of peers.slice(1)) expect(await peer.next()).toContain(`"n":${n}`);
    }
    expect(group.size).toBe(3);
    group.news({ text: `not this either ${text}` }, { droppable: true });
    for (const peer of peers.slice(1)) expect(await peer.next()).toContain("not this either");
    group.news({ text: `now or never ${text}` });
    for (const peer of peers.slice(1)) expect(await peer.next()).toContain("now or never");
    peers[0]?.ws.terminate();
    await closed;
    expect(group.size).toBe(2);
    expect(logger.entries.map(({ message }) => message)).toEqual([
      "Ext: messages are dropped, since their peer reads too slowly",
      "Ext: a connection is closed, since its peer reads too slowly",
    ]);
    const unknown = { api: "Ext", path: "/ws/ext", method: "unknown", result: "SLOW_CONSUMER" };
    expect(GGWebSocketMetrics.outRequests.getValue(unknown)).toBe(1);
  });

  it("accepts only the outgoing of a connection handler, and no contract with its own members' names", () => {
    const group = new GGSocketGroup(ExtApi);
    const client = ExtApi.createClient({ url: "ws://127.0.0.1:1" });
    for (const stranger of [{}, client.outgoing]) {
      expect(() => group.add(stranger)).toThrow("GGSocketGroup: this is not the `outgoing` of a connection handler");
    }
    const Taken = webSocketSchema(
      defineSocketContract("Taken", { clientToServer: {}, serverToClient: { add: { input: IsString } } }),
    )
      .path("ws/taken")
      .done();
    expect(() => new GGSocketGroup(Taken)).toThrow("Taken.add has the name of a group's own member");
  });

  it("sends what a contract calls tell, send or notify: other names than its members' are free", async () => {
    const news = { input: IsString };
    const Free = webSocketSchema(
      defineSocketContract("Free", { clientToServer: {}, serverToClient: { tell: news, send: news, notify: news } }),
    )
      .path("ws/free")
      .done();
    const group = new GGSocketGroup(Free);
    const { url } = await serveApi(Free, (_incoming, outgoing) => {
      group.add(outgoing);
      group.tell("a");
      group.send("b");
      group.notify("c");
    });
    const peer = await RawPeer.connect(url);
    expect(await peer.frames.take(3)).toEqual(['m:Free.tell::"a"', 'm:Free.send::"b"', 'm:Free.notify::"c"']);
  });
});
