import { AsyncLocalStorage } from "node:async_hooks";
import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { IsObject, IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  type GGBus,
  GGBusError,
  GGSocketGroup,
  GGWebSocketMetrics,
  localBus,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { localBusOn } from "../../src/groups/localBus.js";
import { MemoryEngine } from "../../src/groups/memoryEngine.js";
import { watchTheProcess } from "../hostile/watch.js";
import { cuttable } from "../support/cuttableBus.js";
import { ExtApi } from "../support/extApi.js";
import { serveNode } from "../support/groupSuite.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { startHttp } from "../support/server.js";

watchTheProcess();
beforeEach(() => GG_METRICS.overwrite(new GGMetricsStore()));

const HISTORY = { size: 100, ttlMs: 60_000 };
const news = (text: string) => `m:Ext.news::{"text":"${text}"}`;

function openBus(): GGBus {
  const bus = localBus();
  onTestFinished(() => bus.close());
  return bus;
}

describe("add", () => {
  it("changes nothing for a connection that has closed", async () => {
    const bus = openBus();
    const node = await serveNode(bus);
    const { peer, outgoing } = await node.connect("ann");
    const closed = new Promise<void>((resolve) => outgoing.onClose(resolve));
    await peer.close();
    await closed;
    const subscribe = vi.spyOn(bus, "subscribe");
    const room = new GGSocketGroup(ExtApi, { name: "room", bus, history: HISTORY });
    expect(await room.add(outgoing)).toEqual({ isLive: false });
    expect([room.size, subscribe.mock.calls]).toEqual([0, []]);
  });

  it.each([
    [
      "subscribe",
      "throws",
      (bus: GGBus, error: Error) =>
        vi.spyOn(bus, "subscribe").mockImplementation(() => {
          throw error;
        }),
    ],
    [
      "a subscription",
      "rejects",
      (bus: GGBus, error: Error) =>
        vi.spyOn(bus, "subscribe").mockImplementation(() => ({ active: Promise.reject(error), end() {} })),
    ],
    [
      "setCount",
      "throws",
      (bus: GGBus, error: Error) =>
        vi.spyOn(bus.members, "setCount").mockImplementation(() => {
          throw error;
        }),
    ],
  ] as const)("keeps the member on this node when %s of a bus %s", async (_, __, breakBus) => {
    const bus = openBus();
    const node = await serveNode(bus, { keys: () => [] });
    breakBus(bus, new Error("a faulty bus"));
    const room = new GGSocketGroup(ExtApi, { name: "room", bus });
    const { peer, outgoing } = await node.connect("ann");
    expect(await room.add(outgoing)).toEqual({ isLive: false });
    room.news({ text: "here" });
    expect(await peer.next()).toBe(news("here"));
  });

  it("says that messages do not arrive while what is missing cannot be read, which log and metrics show", async () => {
    const bus = openBus();
    const node = await serveNode(bus, { keys: () => [] });
    const refused = new GGBusError("NOPERM", "refused");
    const read = vi.spyOn(bus, "read").mockRejectedValue(refused);
    const room = new GGSocketGroup(ExtApi, { name: "room", bus, history: HISTORY });
    const { peer, outgoing } = await node.connect("ann");
    expect(await room.add(outgoing)).toEqual({ isLive: false });
    await room.news({ text: "1" });
    await room.news({ text: "2" });
    await peer.roundTrip();
    expect(peer.frames.unseen).toEqual([]);
    const entries = node.logger.entries.filter(({ message }) => message.includes("cannot be read"));
    expect(entries.map(({ fields }) => fields)).toEqual([{ group: "room", error: refused }]);
    expect(GGWebSocketMetrics.busHealed.getValue({ api: "Ext", result: "FAILED" })).toBeGreaterThan(0);
    read.mockRestore();
    await room.news({ text: "3" });
    expect(await peer.frames.take(3)).toEqual(["1", "2", "3"].map(news));
  });
});

describe("a group", () => {
  it("of a name has one history, also when both objects were made before they were used", async () => {
    const bus = openBus();
    const node = await serveNode(bus);
    const kept = new GGSocketGroup(ExtApi, { name: "room", bus, history: HISTORY });
    const plain = new GGSocketGroup(ExtApi, { name: "room", bus });
    const { outgoing } = await node.connect("ann");
    await plain.add(outgoing);
    const sentence = 'Ext: the group "room" is in use with another history';
    expect(() => kept.add(outgoing)).toThrow(sentence);
    expect(String(await kept.news({ text: "lost" }).asResult())).toContain(sentence);
    // What only looks, or takes out, does not depend on it.
    expect([kept.size, kept.has(outgoing), await kept.count(), kept.remove(outgoing), kept.closeAll()]).toEqual([
      1,
      true,
      1,
      true,
      0,
    ]);
  });

  it("takes no options as null", async () => {
    expect(await new GGSocketGroup(ExtApi).news({ text: "x" }, null as never).asResult()).toMatchObject({
      success: true,
    });
  });

  it("keeps apart APIs and groups whose names meet at a slash", async () => {
    const bus = openBus();
    const apiOf = (name: string) =>
      webSocketSchema(
        defineSocketContract(name, {
          clientToServer: {},
          serverToClient: { news: { input: IsObject({ text: IsString }) } },
        }),
      )
        .path(name)
        .done();
    const subscribe = vi.spyOn(bus, "subscribe");
    const stops = [
      new GGSocketGroup(apiOf("A"), { name: "B/c", bus }).onPresence(() => {}),
      new GGSocketGroup(apiOf("A/B"), { name: "c", bus }).onPresence(() => {}),
    ];
    expect(new Set(subscribe.mock.calls.map(([channel]) => channel)).size).toBe(2);
    for (const stop of stops) stop();
  });

  it.each([
    [{ bus: {} }, "bus must be a bus, such as redisBus({ url }), not an object"],
    [{ bus: localBus() }, "a GGSocketGroup with bus or history needs a name"],
    [{ history: HISTORY }, "a GGSocketGroup with bus or history needs a name"],
    [{ name: "@control" }, "name must be a text that does not begin with @, not @control"],
    [{ name: "a", history: { size: 1.5, ttlMs: 1 } }, "history.size must be a whole number of 1 or more, not 1.5"],
    [
      { name: "a", history: { size: 1, ttlMs: Number.POSITIVE_INFINITY } },
      "history.ttlMs must be a finite number of ms above 0, not Infinity",
    ],
    [{ name: "a", history: { size: 1 } }, "history must be an object with size and ttlMs, not an object"],
  ])("is not made with %j", (options, sentence) => {
    expect(() => new GGSocketGroup(ExtApi, options as never)).toThrow(`Ext: ${sentence}`);
  });
});

describe("a bus whose members throw", () => {
  it.each(["setCount", "remove"] as const)(
    "lets all leave, and is given back what it has subscribed: %s",
    async (what) => {
      const bus = openBus();
      const ended = vi.fn();
      const subscribe = bus.subscribe.bind(bus);
      vi.spyOn(bus, "subscribe").mockImplementation((channel, listener) => {
        const { active, end } = subscribe(channel, listener);
        return { active, end: () => void [end(), ended(channel)] };
      });
      const { connect, logger } = await serveNode(bus, { keys: () => [] });
      const rooms = ["closed", "removed", "left"].map((name) => new GGSocketGroup(ExtApi, { name, bus }));
      const [closed, removed] = rooms;
      const members = [await connect("ann"), await connect("bob"), await connect("cas")];
      for (const room of rooms) for (const { outgoing } of members) await room.add(outgoing);
      const remove = vi.spyOn(bus.members, "remove");
      vi.spyOn(bus.members, what).mockImplementation(() => {
        throw new Error("a faulty bus");
      });
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      onTestFinished(() => void vi.useRealTimers());
      expect(members.map(({ outgoing }) => removed?.remove(outgoing))).toEqual([true, true, true]);
      expect(closed?.closeAll(4321, "bye")).toBe(3);
      for (const { peer } of members) expect((await peer.closed).code).toBe(4321);
      // Each is gone from the two groups that it has left by itself.
      expect((what === "remove" ? vi.mocked(bus.members.remove) : remove).mock.calls).toHaveLength(6);
      await vi.waitFor(() => expect(rooms.map(({ size }) => size)).toEqual([0, 0, 0]));
      vi.restoreAllMocks();
      vi.advanceTimersByTime(15_000);
      expect(ended.mock.calls.flat().sort()).toEqual(["Ext/closed", "Ext/left", "Ext/removed"]);
      expect(new Set(logger.entries.map(({ message }) => message))).toEqual(new Set(["Ext: the bus has failed"]));
    },
  );
});

describe("presence", () => {
  it("stays watched when a callback removes other members", async () => {
    const node = await serveNode(openBus());
    const room = new GGSocketGroup(ExtApi, { name: "room" });
    const { outgoing: ann } = await node.connect("ann");
    const { outgoing: bob } = await node.connect("bob");
    const { outgoing: cat } = await node.connect("cat");
    const seen = new Queue<string>();
    room.onPresence(({ joined, left }) => {
      for (const { id } of joined) seen.push(`+${id}`);
      for (const { id } of left) seen.push(`-${id}`);
      if (left.some(({ id }) => id === "ann")) room.remove(bob);
    });
    room.add(ann);
    room.add(bob);
    expect(await seen.take(2)).toEqual(["+ann", "+bob"]);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    room.remove(ann);
    await vi.advanceTimersByTimeAsync(60_000);
    vi.useRealTimers();
    room.add(cat);
    expect(await seen.take(3)).toEqual(["-ann", "-bob", "+cat"]);
  });

  it("calls back in the scope that has asked, whatever scope the group was made in", async () => {
    const scope = new AsyncLocalStorage<string>();
    const bus = openBus();
    const node = await scope.run("server", () => serveNode(bus));
    const room = scope.run("one request", () => new GGSocketGroup(ExtApi, { name: "room", bus }));
    scope.run("another request", () => new GGSocketGroup(ExtApi, { name: "room", bus }));
    const seen = new Queue<string | undefined>();
    scope.run("app", () => room.onPresence(() => seen.push(scope.getStore())));
    const { outgoing } = await node.connect("ann");
    room.add(outgoing);
    expect(await seen.next()).toBe("app");
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("no user");
      },
    ],
    ["returns a promise", () => Promise.reject(new Error("no user")) as never],
  ])("is not there, and the connection is a member, when the function %s", async (_, presence) => {
    const node = await serveNode(openBus(), { presence });
    const room = new GGSocketGroup(ExtApi, { name: "room" });
    const { outgoing } = await node.connect("ann");
    room.add(outgoing);
    expect([room.size, await room.present()]).toEqual([1, []]);
    expect(node.logger.entries.map(({ message }) => message)).toEqual(["Ext: the presence callback failed"]);
  });
});

describe("keys", () => {
  it.each([
    [
      "throws",
      () => {
        throw new Error("no user");
      },
    ],
    ["returns no list", () => "user:ann" as never],
    ["returns what is no text", () => [undefined] as never],
    ["returns a promise", () => Promise.reject(new Error("no user")) as never],
  ])("refuse a connection when the function %s", async (_, keys) => {
    const node = await serveNode(openBus(), { keys });
    await expect(node.connect("ann")).rejects.toThrow('not accepted: x:::{"success":false,"type":"SERVER_ERROR"');
    expect(node.logger.entries.some(({ level }) => level === "error")).toBe(true);
  });

  it("may have any name", async () => {
    const names = ["control", "@control", "key:a", "", "a/b", "🙂", "__proto__"];
    const node = await serveNode(openBus(), { keys: () => names });
    const { peer } = await node.connect("ann");
    for (const name of names) await node.server.to(name).news({ text: name });
    expect(await peer.frames.take(names.length)).toEqual(names.map(news));
    expect(await node.server.closeConnections({ key: "🙂" })).toBe(1);
    expect(node.logger.entries).toEqual([]);
  });

  it("work in this process without a bus", async () => {
    const { server, connect } = await serveNode(undefined as never);
    const [ann, bob] = [await connect("ann"), await connect("bob")];
    await server.to("user:ann").news({ text: "hello" });
    expect(await ann.peer.next()).toBe(news("hello"));
    expect(await server.closeConnections({ key: "user:ann" })).toBe(1);
    expect((await ann.peer.closed).code).toBe(1008);
    await server.to("user:ann").news({ text: "gone" });
    await bob.peer.roundTrip();
    expect(bob.peer.frames.unseen).toEqual([]);
  });

  it("reach the connections of all servers of a process, once each, and close those of each", async () => {
    const bus = openBus();
    const nodes = [await serveNode(bus), await serveNode(bus)] as const;
    const first = await nodes[0].connect("ann");
    const second = await nodes[1].connect("ann");
    await nodes[0].server.to("user:ann").news({ text: "1" });
    await first.peer.close();
    await nodes[0].server.to("user:ann").news({ text: "2" });
    await nodes[1].server.to("user:ann").news({ text: "3" });
    expect(await second.peer.frames.take(3)).toEqual(["1", "2", "3"].map(news));
    expect(await nodes[0].server.closeConnections({ key: "user:ann" })).toBe(0);
    expect((await second.peer.closed).code).toBe(1008);
  });

  it.each([{}, { key: undefined }, { key: 5 }, { keys: "user:ann" }, "user:ann", null])(
    "are asked for by their text alone, not by %j",
    async (which) => {
      const { server } = await serveNode(openBus());
      await expect(server.closeConnections(which as never)).rejects.toThrow(/^Ext: /);
    },
  );
});

describe("onBusDown", () => {
  it("refuses connections from the start, with close, until the bus is up", async () => {
    const bus = cuttable(openBus());
    bus.cut();
    const node = await serveNode(bus, { onBusDown: "close" });
    await expect(node.connect("ann")).rejects.toThrow("503");
    await bus.heal();
    await node.connect("ann");
  });

  const loseRevocations = async (config: WebSocketSchemaConfig) => {
    const engine = new MemoryEngine();
    const bus = cuttable(localBusOn(engine, "local"));
    const other = localBusOn(engine, "local");
    const node = await serveNode(bus, config);
    await vi.waitFor(() => expect(node.server.connectionCount).toBe(0));
    const { peer } = await node.connect("ann");
    bus.loses = () => true;
    const history = { size: 1_000, ttlMs: 3_600_000 };
    for (let i = 0; i < 1_100; i++) await other.publish("Ext/@control", '{"key":"user:bob"}', { history });
    bus.loses = () => false;
    await other.publish("Ext/@control", '{"key":"user:bob"}', { history });
    return { node, peer };
  };

  it("closes all connections, with close, when revocations are lost", async () => {
    const { peer } = await loseRevocations({ onBusDown: "close" });
    expect(await peer.closed).toEqual({ code: 1012, reason: "Cut off from the other servers" });
  });

  it("logs that revocations are lost, and keeps connections, by default", async () => {
    const { node, peer } = await loseRevocations({});
    await vi.waitFor(() =>
      expect(node.logger.entries.map(({ message }) => message)).toContain(
        "Ext: revocations of other servers may have been missed",
      ),
    );
    await peer.roundTrip();
  });
});

it("a server that cannot be registered leaves nothing on the bus", async () => {
  const bus = openBus();
  const subscribe = vi.spyOn(bus, "subscribe");
  const onHealth = vi.spyOn(bus, "onHealth");
  const { http } = await serveNode(undefined as never);
  expect(() => ExtApi.startServer(() => {}, { http, bus })).toThrow();
  expect([subscribe.mock.calls.length, onHealth.mock.calls.length]).toEqual([0, 0]);
});

it("a server whose bus throws leaves its path free", async () => {
  const bus = openBus();
  const { http } = await startHttp(() => {});
  vi.spyOn(bus, "subscribe").mockImplementationOnce(() => {
    throw new Error("a faulty bus");
  });
  expect(() => ExtApi.startServer(() => {}, { http, bus })).toThrow("a faulty bus");
  expect(ExtApi.startServer(() => {}, { http, bus }).path).toBe("/ws/ext");
});

it("counts what a bus carries when the store is set after the registration", async () => {
  GG_METRICS.overwrite(undefined as never);
  const bus = openBus();
  const node = await serveNode(bus);
  GG_METRICS.overwrite(new GGMetricsStore());
  const room = new GGSocketGroup(ExtApi, { name: "room", bus, history: HISTORY });
  await room.add((await node.connect("ann")).outgoing);
  await room.news({ text: "counted" });
  expect(GGWebSocketMetrics.busPublished.getValue({ api: "Ext", result: "OK" })).toBe(1);
});

it("passes on no body that another program has made of several frames", async () => {
  const bus = openBus();
  const node = await serveNode(bus, { keys: () => [] });
  const peer = (await RawPeer.connectWith(node.url, "batch")).peer;
  const room = new GGSocketGroup(ExtApi, { name: "room", bus });
  await room.add(await node.outgoings.next());
  await bus.publish("Ext/room", ';m:Ext.news::{"text":"a"}\nm:Ext.secret::{}', { history: HISTORY });
  await bus.publish("Ext/room", `;${news("fine")}`, { history: HISTORY });
  expect(await peer.next()).toBe(news("fine"));
});
