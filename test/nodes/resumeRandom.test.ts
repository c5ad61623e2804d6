import { expect, it, onTestFinished, vi } from "vitest";
import type { Room } from "../fixtures/nodes/api.js";
import type { Published } from "../fixtures/nodes/server.js";
import { Balancer } from "../support/balancer.js";
import { seededRandom } from "../support/faultProxy.js";
import { describeWithRedis, TestRedis } from "../support/redis.js";
import { judge, RoomLedger } from "../support/resumeLedger.js";
import { ResumingClient } from "../support/resumingClient.js";
import { eventually, ServerNode } from "../support/serverNode.js";

/** How many connections are cut, at least, over both tests. */
const CUTS = Number(process.env.RESUME_CUTS ?? 5_000);
const SEED = Number(process.env.HOSTILE_SEED ?? 20_261_128);
const CLIENTS = 60;

vi.setConfig({ testTimeout: 60_000 + CUTS * 30 });

/** Rooms that keep more than is ever missed, about as much, and less. */
const ROOMS = [10_000, 200, 30].map((history) => ({ name: `keeps ${history}`, history })) as [Room, Room, Room];

/** Two nodes, clients that reach them through proxies, and what is published. */
class World {
  readonly nodes: ServerNode[] = [];
  readonly ledgers = new Map(ROOMS.map((room) => [room, new RoomLedger()]));
  readonly clients: { readonly room: Room; readonly client: ResumingClient }[] = [];
  readonly #balancers: Balancer[] = [];
  readonly #publishing: Promise<unknown>[] = [];
  #lastText = 0;

  private constructor(
    readonly random: () => number,
    readonly redis: TestRedis,
  ) {}

  static async start(random: () => number): Promise<World> {
    const world = new World(random, await TestRedis.start());
    onTestFinished(() => world.redis.kill());
    world.nodes.push(...(await Promise.all([world.#startNode(), world.#startNode()])));
    world.#balancers.push(await Balancer.start(), await Balancer.start());
    world.route();
    const connecting = Array.from({ length: CLIENTS }, async (_, index) => {
      const room = ROOMS[index % ROOMS.length]!;
      const url = world.#balancers[index % 2]!.url;
      world.clients.push({ room, client: await ResumingClient.connect(`user ${index}`, [room], url) });
    });
    await Promise.all(connecting);
    await world.redis.save("former");
    return world;
  }

  get cuts(): number {
    return this.clients.reduce((sum, { client }) => sum + client.cuts, 0);
  }

  oneOf<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)]!;
  }

  /** Where new connections go: through each proxy to one of the nodes first. */
  route(): void {
    for (const balancer of this.#balancers) {
      const ports = this.nodes.map(({ port }) => port);
      balancer.ports = this.random() < 0.5 ? ports : ports.reverse();
    }
  }

  publish(node: ServerNode, room: Room, count: number): Promise<readonly Published[]> {
    const texts = Array.from({ length: count }, () => `text ${this.#lastText++}`);
    // A node that dies says nothing of what it was publishing.
    const results = node.run("publish", room, texts).catch(() => []);
    this.#publishing.push(results.then((published) => this.ledgers.get(room)!.add(published)));
    return results;
  }

  publishSome(): void {
    for (const node of this.nodes) for (const room of ROOMS) void this.publish(node, room, this.random() * 8);
  }

  async cutSome(): Promise<void> {
    const share = this.random();
    if (this.random() < 0.7) {
      for (const balancer of this.#balancers) balancer.cut(() => this.random() < share);
    } else {
      const users = this.clients.flatMap(({ client }) => (this.random() < share ? client.user : []));
      await Promise.all(this.nodes.map((node) => node.run("cut", users)));
    }
  }

  /** One node is killed, or sends its clients elsewhere, and another one follows. */
  async replaceNode(): Promise<void> {
    const [leaving] = this.nodes.splice(Math.floor(this.random() * this.nodes.length), 1) as [ServerNode];
    this.route();
    for (const room of ROOMS) void this.publish(leaving, room, 5);
    // It has begun with that, or not.
    if (this.random() < 0.5) await this.redis.command("PING");
    if (this.random() < 0.5) leaving.kill();
    else await this.#drain(leaving);
    this.publishSome();
    await leaving.stop();
    this.nodes.push(await this.#startNode());
    this.route();
  }

  /** Clients with calls on their way are on both nodes meanwhile. */
  async #drain(leaving: ServerNode): Promise<void> {
    let settled = 0;
    const calls = this.clients
      .filter(() => this.random() < 0.7)
      .map(({ client }) =>
        client.ends.outgoing
          .hold()
          .asResult()
          .finally(() => settled++),
      );
    const nodes = [leaving, ...this.nodes];
    const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
    await eventually(async () => {
      const held = sum(await Promise.all(nodes.map((node) => node.run("held"))));
      expect(held + settled).toBeGreaterThanOrEqual(calls.length);
    });
    await leaving.run("drain");
    this.publishSome();
    const sizes = async (node: ServerNode) => sum(await Promise.all(ROOMS.map((room) => node.run("size", room))));
    await eventually(async () => expect(sum(await Promise.all(this.nodes.map(sizes)))).toBe(CLIENTS));
    for (const node of nodes) for (const room of ROOMS) await this.publish(node, room, 20);
    await Promise.all(nodes.map((node) => node.run("release")));
    await Promise.all(calls);
    await eventually(async () => expect(await sizes(leaving)).toBe(0));
  }

  /** Takes away what Redis has kept, all or the latest. */
  async failRedis(): Promise<void> {
    const how = this.oneOf(["empty", "restart", "go back"]);
    if (how === "empty") return void (await this.redis.command("FLUSHALL"));
    if (how === "go back") {
      await this.redis.save("former");
      await Promise.all(ROOMS.map((room) => this.publish(this.oneOf(this.nodes), room, 10)));
    }
    await this.redis.restart(how === "go back" ? "former" : undefined);
    await this.nodesUp();
  }

  async nodesUp(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.up()));
  }

  async clientsConnected(): Promise<void> {
    await eventually(() => expect(this.clients.filter(({ client }) => !client.ends.isConnected)).toHaveLength(0));
  }

  /** Waits until all have got everything. */
  async settle(): Promise<void> {
    await this.nodesUp();
    await this.clientsConnected();
    await Promise.all(this.#publishing);
    for (const room of ROOMS) {
      let waiting = this.clients.filter((one) => one.room === room).map(({ client }) => client);
      // A loss that is announced after the last text was published may cover it: the next one follows it.
      while (waiting.length > 0) waiting = await this.#told(room, waiting);
    }
    await Promise.all(this.#publishing);
  }

  /** Publishes a text, waits until each has got it or was told of a loss, and returns those. */
  async #told(room: Room, clients: readonly ResumingClient[]): Promise<ResumingClient[]> {
    const losses = clients.map(lossesOf);
    const [last] = await this.publish(this.oneOf(this.nodes), room, 1);
    expect(last).toMatchObject({ position: {} });
    const lacks = (client: ResumingClient) => !client.log.includes(last!.text);
    const waits = (client: ResumingClient, index: number) => lacks(client) && lossesOf(client) === losses[index];
    await eventually(() => expect(clients.filter(waits)).toEqual([]));
    return clients.filter(lacks);
  }

  async #startNode(): Promise<ServerNode> {
    const node = await ServerNode.start({ urls: [this.redis.url] });
    await node.up();
    return node;
  }
}

describeWithRedis("clients that are cut off at random", () => {
  it.each([
    ["nodes are replaced", 0.6],
    ["nodes are replaced and Redis loses what it keeps", 0.4],
  ])(`get all once and in order, or are told, while %s (HOSTILE_SEED=${SEED})`, async (name, share) => {
    const isLossy = name.includes("Redis");
    const world = await World.start(seededRandom(SEED + Number(isLossy)));
    let failures = 0;
    for (let round = 0; world.cuts < CUTS * share; round++) {
      world.publishSome();
      await world.cutSome();
      world.route();
      world.publishSome();
      if (world.random() < 0.1) await world.publish(world.oneOf(world.nodes), world.oneOf(ROOMS), 150);
      if (round % 12 === 8) {
        if (isLossy && ++failures % 3 > 0) await world.failRedis();
        else await world.replaceNode();
      }
      if (world.random() < 0.7) await world.clientsConnected();
    }
    await world.settle();
    const verdicts = world.clients.map(({ room, client }) => judge(client.log, world.ledgers.get(room)!));
    const wrong = verdicts.flatMap((verdict, index) => {
      const { room, client } = world.clients[index]!;
      return verdict.wrong.map((what) => `${client.user}, in the room that ${room.name}: ${what}`);
    });
    expect(wrong.slice(0, 20)).toEqual([]);
    // Without a loss of Redis nothing comes again, not even after a loss that was announced.
    const sum = (key: "displaced" | "repeated") => verdicts.reduce((total, verdict) => total + verdict[key], 0);
    if (!isLossy) expect([sum("displaced"), sum("repeated")]).toEqual([0, 0]);
    // It is not by saying "lost" that they keep their promise.
    const [all, most, some] = ROOMS.map((room) => {
      const events = world.clients.filter((one) => one.room === room).flatMap(({ client }) => client.events);
      const count = (wanted: boolean) => events.filter(({ recovered }) => recovered === wanted).length;
      return { recovered: count(true), lost: count(false) };
    }) as [Outcomes, Outcomes, Outcomes];
    expect(all.lost).toBeLessThanOrEqual((failures * CLIENTS) / ROOMS.length);
    expect(all.recovered + all.lost).toBeGreaterThan((world.cuts / ROOMS.length) * 0.5);
    expect(most.recovered / (most.recovered + most.lost)).toBeGreaterThan(isLossy ? 0.4 : 0.7);
    expect(Math.min(some.recovered, some.lost)).toBeGreaterThan((world.cuts / ROOMS.length) * 0.02);
  });
});

const lossesOf = (client: ResumingClient) => client.events.filter(({ recovered }) => recovered === false).length;

interface Outcomes {
  readonly recovered: number;
  readonly lost: number;
}
