import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { failureOf, GGSocketGroup, GGWebSocketMetrics, type WebSocketSchemaConfig } from "@grest-ts/websocket";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { localBusOn } from "../../src/groups/localBus.js";
import { MemoryEngine } from "../../src/groups/memoryEngine.js";
import { cuttable } from "../support/cuttableBus.js";
import { ExtApi } from "../support/extApi.js";
import { Gate } from "../support/gate.js";
import { serveNode, USER } from "../support/groupSuite.js";
import { RawPeer } from "../support/rawPeer.js";

const HISTORY = { size: 100, ttlMs: 60_000 };
const news = (text: string) => `m:Ext.news::{"text":"${text}"}`;

let store: GGMetricsStore;
beforeEach(() => {
  store = new GGMetricsStore();
  GG_METRICS.overwrite(store);
});

/** Two servers over one engine, each on a bus that can be cut. */
async function twoNodes(config: WebSocketSchemaConfig = {}, engine = new MemoryEngine()) {
  const buses = [cuttable(localBusOn(engine, "local")), cuttable(localBusOn(engine, "local"))] as const;
  onTestFinished(async () => void (await Promise.all(buses.map((bus) => bus.close()))));
  const [near, far] = await Promise.all([serveNode(buses[0], config), serveNode(buses[1], config)]);
  return { near, far, nearBus: buses[0], farBus: buses[1] };
}

/** One room with a member on each node. */
async function oneRoom(options: { readonly history?: typeof HISTORY }) {
  const nodes = await twoNodes();
  const [nearRoom, farRoom] = [nodes.nearBus, nodes.farBus].map(
    (bus) => new GGSocketGroup(ExtApi, { name: "room", bus, ...options }),
  ) as [GGSocketGroup<typeof ExtApi.methods.serverToClient>, GGSocketGroup<typeof ExtApi.methods.serverToClient>];
  const near = await nodes.near.connect("ann");
  const far = await nodes.far.connect("bob");
  await Promise.all([nearRoom.add(near.outgoing), farRoom.add(far.outgoing)]);
  return { ...nodes, nearRoom, farRoom, nearPeer: near.peer, farPeer: far.peer };
}

describe("a bus that is down", () => {
  it("does not keep messages from the members of this node, without history", async () => {
    const { nearBus, nearRoom, nearPeer } = await oneRoom({});
    nearBus.cut();
    expect(await nearRoom.news({ text: "local" }).asResult()).toMatchObject({ success: true });
    expect(await nearPeer.next()).toBe(news("local"));
    expect(GGWebSocketMetrics.busPublished.getValue({ api: "Ext", result: "DOWN" })).toBe(1);
  });

  it.each([
    ["limit", "limit", false],
    ["timeout", "timeout", true],
    ["refused", "failed", false],
    ["closed", "disconnected", false],
    ["down", "not-connected", false],
  ] as const)("fails the call of a message that is kept, and says why: %s", async (given, reason, wasSent) => {
    const { nearBus, nearRoom } = await oneRoom({ history: HISTORY });
    nearBus.cut(given);
    const result = await nearRoom.news({ text: "lost" }).asResult();
    expect(failureOf(result)).toMatchObject({ reason, wasSent });
    expect(String(result)).toContain(`Ext.news was ${wasSent ? "perhaps" : "not"} published: GGBus: it is ${given}`);
    expect(GGWebSocketMetrics.busPublished.getValue({ api: "Ext", result: given.toUpperCase() })).toBe(1);
  });

  it("is read again when it is up, before anything new, with history", async () => {
    const { nearRoom, farBus, farPeer } = await oneRoom({ history: HISTORY });
    await nearRoom.news({ text: "0" });
    farBus.cut();
    for (const text of ["1", "2"]) await nearRoom.news({ text });
    await farBus.heal();
    await nearRoom.news({ text: "3" });
    expect(await farPeer.frames.take(4)).toEqual(["0", "1", "2", "3"].map(news));
    expect(GGWebSocketMetrics.busHealed.getValue({ api: "Ext", result: "OK" })).toBe(1);
  });

  it("is healed by one read when it loses messages, and members see nothing of it", async () => {
    const { nearRoom, farBus, farPeer } = await oneRoom({ history: HISTORY });
    const read = vi.spyOn(farBus, "read");
    await nearRoom.news({ text: "0" });
    farBus.loses = () => true;
    for (const text of ["1", "2"]) await nearRoom.news({ text });
    farBus.loses = () => false;
    await nearRoom.news({ text: "3" });
    expect(await farPeer.frames.take(4)).toEqual(["0", "1", "2", "3"].map(news));
    expect(read).toHaveBeenCalledTimes(1);
  });

  it("says that messages are lost when they cannot be read any more", async () => {
    const { near, nearRoom, farBus, farPeer } = await oneRoom({ history: { size: 2, ttlMs: 60_000 } });
    await nearRoom.news({ text: "0" });
    farBus.cut();
    for (let i = 1; i <= 10; i++) await nearRoom.news({ text: `${i}` });
    await farBus.heal();
    await nearRoom.news({ text: "new" });
    expect(await farPeer.frames.take(2)).toEqual(["0", "new"].map(news));
    expect(GGWebSocketMetrics.busHealed.getValue({ api: "Ext", result: "LOST" })).toBe(1);
    void near;
  });

  it("shows in metrics and log", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => error.mockRestore());
    const { nearBus } = await oneRoom({});
    const up = () => GGWebSocketMetrics.busUp.getValue({ bus: "cuttable" });
    nearBus.cut();
    expect(up()).toBe(0);
    expect(error.mock.calls[0]?.[0]).toBe("GGBus cuttable: down, the test has cut it off");
    await nearBus.heal();
    expect(up()).toBe(1);
  });

  it("does not hold back who joins, and says that others are not heard", async () => {
    const { near, nearBus, nearRoom } = await oneRoom({});
    nearBus.cut();
    const { outgoing } = await near.connect("cat");
    expect(await nearRoom.add(outgoing)).toEqual({ isLive: false });
  });

  it("refuses to say who is where", async () => {
    const { nearBus, nearRoom } = await oneRoom({});
    nearBus.cut();
    await expect(nearRoom.present()).rejects.toMatchObject({ name: "GGBusError", reason: "down" });
    await expect(nearRoom.count({ everywhere: true })).rejects.toMatchObject({ reason: "down" });
    expect(await nearRoom.count()).toBe(1);
  });
});

describe("a revocation", () => {
  it("reaches a node that was cut off when it is back", async () => {
    const { near, far, farBus } = await twoNodes();
    const { peer } = await far.connect("ann");
    farBus.cut();
    expect(await near.server.closeConnections({ key: "user:ann" })).toBe(0);
    await peer.roundTrip();
    await farBus.heal();
    expect(await peer.closed).toEqual({ code: 1008, reason: "Revoked" });
  });

  it("reaches a node that the bus has never reached before, and that has connections already", async () => {
    const engine = new MemoryEngine();
    const farBus = cuttable(localBusOn(engine, "local"));
    farBus.cut();
    const far = await serveNode(farBus);
    const near = await serveNode(localBusOn(engine, "local"));
    const [ann, bob] = [await far.connect("ann"), await far.connect("bob")];
    await near.server.closeConnections({ key: "user:ann" });
    const now = performance.now.bind(performance);
    vi.spyOn(performance, "now").mockImplementation(() => now() + 3_000);
    onTestFinished(() => void vi.restoreAllMocks());
    await farBus.heal();
    expect(await ann.peer.closed).toEqual({ code: 1008, reason: "Revoked" });
    await bob.peer.roundTrip();
    expect(bob.peer.ws.readyState).toBe(bob.peer.ws.OPEN);
  });

  it("of the last hour does not concern connections that are made while a server starts", async () => {
    const engine = new MemoryEngine();
    const near = await serveNode(localBusOn(engine, "local"));
    await near.server.closeConnections({ key: "user:ann" });
    const farBus = cuttable(localBusOn(engine, "local"));
    farBus.cut();
    const far = await serveNode(farBus);
    const { peer } = await far.connect("ann");
    await farBus.heal();
    await near.server.closeConnections({ key: "user:bob" });
    await peer.roundTrip();
    expect(peer.ws.readyState).toBe(peer.ws.OPEN);
  });

  it("has closed what is here when the others cannot be reached, and says so", async () => {
    const { near, nearBus } = await twoNodes();
    const { peer } = await near.connect("ann");
    nearBus.cut("timeout");
    await expect(near.server.closeConnections({ key: "user:ann" })).rejects.toMatchObject({ reason: "timeout" });
    expect((await peer.closed).code).toBe(1008);
  });

  it("does not close who has connected again since, on its own node", async () => {
    const { near } = await twoNodes();
    const { peer } = await near.connect("ann");
    const revoked = near.server.closeConnections({ key: "user:ann" });
    await peer.closed;
    const again = await near.connect("ann");
    await revoked;
    await again.peer.roundTrip();
    expect(again.peer.ws.readyState).toBe(again.peer.ws.OPEN);
  });

  it("reaches a handshake that gets its key yet, on another node", async () => {
    const [begun, checked] = [new Gate(), new Gate()];
    const { near, far } = await twoNodes({
      middlewares: [
        {
          async parseHandshake({ headers }) {
            begun.open();
            await checked.passed;
            USER.set(headers.user as string);
          },
        },
      ],
    });
    const peer = await RawPeer.open(far.url);
    peer.send('h:::{"user":"ann"}');
    await begun.passed;
    await near.server.closeConnections({ key: "user:ann" });
    checked.open();
    expect(await peer.closed).toEqual({ code: 1008, reason: "Revoked" });
  });

  it("is not one that another program has published", async () => {
    const engine = new MemoryEngine();
    const { far } = await twoNodes({}, engine);
    const { peer } = await far.connect("ann");
    const other = localBusOn(engine, "local");
    const history = { size: 1_000, ttlMs: 3_600_000 };
    for (const body of [
      "",
      "null",
      "{",
      '{"key":1}',
      '{"key":"user:ann","code":"x"}',
      '{"key":"user:ann","reason":{}}',
    ])
      await other.publish("Ext/@control", body, { history });
    await peer.roundTrip();
    expect(peer.ws.readyState).toBe(peer.ws.OPEN);
  });
});

describe("onBusDown", () => {
  it("closes connections and refuses others until the bus is up, with close", async () => {
    const { near, nearBus } = await twoNodes({ onBusDown: "close" });
    const { peer } = await near.connect("ann");
    nearBus.cut();
    expect(await peer.closed).toEqual({ code: 1013, reason: "Cut off from the other servers" });
    await expect(near.connect("bob")).rejects.toThrow("503");
    expect(GGWebSocketMetrics.connections.getValue({ api: "Ext", path: "/ws/ext", result: "BUS_DOWN" })).toBe(1);
    await nearBus.heal();
    await near.connect("bob");
  });

  it("keeps them by default", async () => {
    const { near, nearBus } = await twoNodes();
    const { peer } = await near.connect("ann");
    nearBus.cut();
    await peer.roundTrip();
    await near.connect("bob");
  });
});
