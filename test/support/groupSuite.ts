import { GGContextKey } from "@grest-ts/context";
import { IsObject, IsString } from "@grest-ts/schema";
import {
  type GGBus,
  type GGPresenceChange,
  type GGPresenceInfo,
  GGSocketGroup,
  type GGSocketServer,
  type WebSocketSchemaConfig,
} from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Buses } from "./busSuite.js";
import { ExtApi, type ExtOutgoing, type extContract, serveExt } from "./extApi.js";
import { Queue } from "./queue.js";
import { RawPeer } from "./rawPeer.js";

type ExtServer = GGSocketServer<object, unknown, typeof extContract.methods.serverToClient>;

const HISTORY = { size: 10_000, ttlMs: 60_000 };
const KEPT = { history: HISTORY };
const PATIENCE = { timeout: 10_000, interval: 10 };
/** The user of a connection. */
export const USER = new GGContextKey<string>("user", IsString);

const news = (text: string) => `m:Ext.news::{"text":"${text}"}`;

/** A server on a node: with a user for each connection, whom its `h` names. */
export async function serveNode(bus: GGBus, config: WebSocketSchemaConfig = {}) {
  const served = await serveExt({
    bus,
    middlewares: [{ parseHandshake: ({ headers }) => void (headers.user && USER.set(headers.user)) }],
    keys: () => [`user:${USER.get()}`],
    presence: () => (USER.has() ? { id: USER.get() as string } : undefined),
    ...config,
  });
  const connect = async (user?: string) => {
    const peer = await RawPeer.connect(served.url, user === undefined ? {} : { user });
    return { peer, outgoing: await served.outgoings.next() };
  };
  return { ...served, bus, server: served.server as ExtServer, connect };
}

export type TestNode = Awaited<ReturnType<typeof serveNode>>;

/** What a group, and what reaches persons, must do on every bus. */
export function groupSuite(name: string, makeBuses: () => Promise<Buses>): void {
  let lastRoom = 0;
  const roomName = () => `room ${process.pid} ${++lastRoom} ${Date.now()}`;

  async function start(config?: WebSocketSchemaConfig) {
    const buses = await makeBuses();
    onTestFinished(() => buses.close());
    await vi.waitFor(() => expect(buses.nodes.every(({ health }) => health === "up")).toBe(true), PATIENCE);
    const nodes = await Promise.all(buses.nodes.map((bus) => serveNode(bus, config)));
    return nodes as [TestNode, TestNode, ...TestNode[]];
  }

  /** One room on all nodes, with one member each, which messages of all nodes reach. */
  async function startRoom(options: { readonly history?: typeof HISTORY } = {}, config?: WebSocketSchemaConfig) {
    const nodes = await start(config);
    const name = roomName();
    const rooms = nodes.map(({ bus }) => new GGSocketGroup(ExtApi, { name, bus, ...options }));
    const members: { peer: RawPeer; outgoing: ExtOutgoing }[] = [];
    for (const [i, node] of nodes.entries()) {
      const member = await node.connect(`user ${i}`);
      expect(await rooms[i]?.add(member.outgoing)).toEqual({ isLive: true });
      members.push(member);
    }
    type Room = GGSocketGroup<typeof extContract.methods.serverToClient>;
    return { nodes, name, rooms: rooms as [Room, Room, ...Room[]], members: members as [Member, Member, ...Member[]] };
  }
  type Member = { peer: RawPeer; outgoing: ExtOutgoing };

  describe(name, () => {
    describe.each([
      ["a group without history", {}],
      ["a group with history", KEPT],
    ] as const)("%s", (_, options) => {
      it("reaches the members of all nodes, except the one that is left out", async () => {
        const { rooms, members } = await startRoom(options);
        expect(await rooms[0].news({ text: "1" }, { except: members[0].outgoing }).asResult()).toMatchObject({
          success: true,
        });
        await rooms[1].news({ text: "2" });
        // Of two senders, with one order where it is promised.
        const seen = await members[1].peer.frames.take(2);
        expect(options === KEPT ? seen : seen.sort()).toEqual([news("1"), news("2")]);
        expect(await members[0].peer.next()).toBe(news("2"));
      });

      it("is the same group for all objects of its name on a node", async () => {
        const { nodes, name, rooms, members } = await startRoom(options);
        const same = new GGSocketGroup(ExtApi, { name, bus: nodes[0].bus, ...options });
        expect([same.size, same.has(members[0].outgoing)]).toEqual([1, true]);
        same.news({ text: "same" });
        for (const { peer } of members) expect(await peer.next()).toBe(news("same"));
        same.remove(members[0].outgoing);
        expect(rooms[0].size).toBe(0);
      });

      it("sends from a node that has no members", async () => {
        const { nodes, name, members } = await startRoom(options);
        const [first] = await start();
        void first;
        const outside = new GGSocketGroup(ExtApi, { name, bus: nodes[1].bus, ...options });
        await outside.news({ text: "from outside" });
        for (const { peer } of members) expect(await peer.next()).toBe(news("from outside"));
      });

      it("keeps apart groups of other names", async () => {
        const { nodes, rooms, members } = await startRoom(options);
        await new GGSocketGroup(ExtApi, { name: roomName(), bus: nodes[0].bus, ...options }).news({ text: "other" });
        await rooms[0].news({ text: "this" });
        for (const { peer } of members) expect(await peer.next()).toBe(news("this"));
      });

      it("passes on what members that read too slowly may do without", async () => {
        const { rooms, members } = await startRoom(options);
        rooms[0].news({ text: "typing" }, { droppable: true });
        for (const { peer } of members) expect(await peer.next()).toBe(news("typing"));
        expect(rooms[0].position?.offset ?? 0).toBe(0);
      });

      it("refuses what does not fit the contract, on this node", async () => {
        const { rooms, members } = await startRoom(options);
        const result = await rooms[0].news({} as never).asResult();
        expect(result).toMatchObject({ success: false, type: "VALIDATION_ERROR" });
        await rooms[0].news({ text: "fits" });
        for (const { peer } of members) expect(await peer.next()).toBe(news("fits"));
      });

      it("reaches a node again whose members had all left", async () => {
        const { nodes, rooms, members } = await startRoom(options);
        await members[1].peer.close();
        await vi.waitFor(() => expect(rooms[1].size).toBe(0));
        await rooms[0].news({ text: "missed" });
        const { peer, outgoing } = await nodes[1].connect("user 9");
        await rooms[1].add(outgoing);
        await rooms[0].news({ text: "new" });
        // The one before may still have been on its way.
        await vi.waitFor(() => expect(peer.frames.unseen).toContain(news("new")), PATIENCE);
      });

      it("counts the members of all nodes", async () => {
        const { nodes, rooms, members } = await startRoom(options);
        await vi.waitFor(async () => expect(await rooms[0].count({ everywhere: true })).toBe(nodes.length), PATIENCE);
        expect(await rooms[0].count()).toBe(1);
        rooms[1].remove(members[1].outgoing);
        await vi.waitFor(
          async () => expect(await rooms[0].count({ everywhere: true })).toBe(nodes.length - 1),
          PATIENCE,
        );
      });
    });

    it("gives the members of all nodes one order, and none of them a message twice, with history", async () => {
      const { rooms, members } = await startRoom({ history: HISTORY });
      const each = 300;
      const sent = rooms.flatMap((room, node) =>
        Array.from({ length: each }, (_, i) => room.news({ text: `${node}-${i}` })),
      );
      await Promise.all(sent);
      const orders = await Promise.all(members.map(({ peer }) => peer.frames.take(sent.length)));
      expect(new Set(orders[0]).size).toBe(sent.length);
      for (const order of orders) expect(order).toEqual(orders[0]);
      for (const room of rooms) expect(room.position).toEqual({ epoch: rooms[0].position?.epoch, offset: sent.length });
    });

    it("refuses a second group of a name with another history, on a node", async () => {
      const { nodes, name } = await startRoom({ history: HISTORY });
      const make = () => new GGSocketGroup(ExtApi, { name, bus: nodes[0].bus });
      expect(make).toThrow(`Ext: the group "${name}" is in use with another history`);
    });

    describe("presence", () => {
      it("has each person once, and reports the first connection that comes and the last one that goes", async () => {
        const { nodes, rooms } = await startRoom();
        const changes = new Queue<GGPresenceChange<GGPresenceInfo>>();
        await vi.waitFor(async () => expect(await rooms[0].present()).toHaveLength(nodes.length), PATIENCE);
        const stop = rooms[0].onPresence((change) => changes.push(change));
        const ann = await nodes[0].connect("ann");
        const annElsewhere = await nodes[1].connect("ann");
        await rooms[0].add(ann.outgoing);
        await rooms[1].add(annElsewhere.outgoing);
        expect(await changes.next()).toEqual({ joined: [{ id: "ann" }], left: [] });
        const ids = async () => (await rooms[1].present()).map(({ id }) => id).filter((id) => id === "ann");
        await vi.waitFor(async () => expect(await ids()).toEqual(["ann"]), PATIENCE);
        rooms[0].remove(ann.outgoing);
        rooms[1].remove(annElsewhere.outgoing);
        expect(await changes.next()).toEqual({ joined: [], left: [{ id: "ann" }] });
        stop();
      });

      it("checks and types what other nodes say by a validator", async () => {
        const { nodes, name } = await startRoom(
          {},
          { presence: () => ({ id: USER.get() as string, name: `name of ${USER.get()}` }) as never },
        );
        const IsPerson = IsObject({ id: IsString, name: IsString });
        const room = new GGSocketGroup(ExtApi, { name, bus: nodes[0].bus, presence: IsPerson });
        await vi.waitFor(async () => expect(await room.present()).toHaveLength(nodes.length), PATIENCE);
        const [person] = await room.present();
        expect(person?.name).toBe(`name of ${person?.id}`);
      });

      it("leaves out connections of which nothing is said", async () => {
        const { nodes, rooms } = await startRoom();
        await rooms[0].add((await nodes[0].connect()).outgoing);
        await vi.waitFor(async () => expect(await rooms[1].present()).toHaveLength(nodes.length), PATIENCE);
        expect(rooms[0].size).toBe(2);
      });
    });

    describe("keys", () => {
      it("reach all connections of a key, on every node, and no other", async () => {
        const nodes = await start();
        const anns = await Promise.all(nodes.map((node) => node.connect("ann")));
        const bob = await nodes[0].connect("bob");
        // A node listens for a key a moment after it has accepted the connection.
        await vi.waitFor(async () => {
          nodes[0].server.to("user:ann").news({ text: "hello" });
          for (const { peer } of anns) expect(peer.frames.unseen).toContain(news("hello"));
        }, PATIENCE);
        await nodes[1].server.to("user:bob").news({ text: "bob" });
        await vi.waitFor(() => expect(bob.peer.frames.unseen).toEqual([news("bob")]), PATIENCE);
      });

      it("close all connections of a key, on every node, and no other", async () => {
        const nodes = await start();
        const anns = await Promise.all(nodes.map((node) => node.connect("ann")));
        const bob = await nodes[1].connect("bob");
        expect(await nodes[0].server.closeConnections({ key: "user:ann", code: 4321, reason: "Banned" })).toBe(1);
        for (const { peer } of anns) expect(await peer.closed).toEqual({ code: 4321, reason: "Banned" });
        await bob.peer.roundTrip();
        expect(bob.peer.ws.readyState).toBe(bob.peer.ws.OPEN);
      });

      it("close by default as the form with a function does", async () => {
        const nodes = await start();
        const [ann] = await Promise.all(nodes.slice(0, 1).map((node) => node.connect("ann")));
        await nodes[1].server.closeConnections({ key: "user:ann" });
        expect(await ann?.peer.closed).toEqual({ code: 1008, reason: "Revoked" });
      });
    });
  });
}
