import { beforeAll, expect, it, vi } from "vitest";
import type { Published } from "../fixtures/nodes/server.js";
import { describeWithRedis, TestRedis } from "../support/redis.js";
import { RespProxy } from "../support/respProxy.js";
import { eventually, LOST, type Member, ServerNode } from "../support/serverNode.js";

/** How many rounds; every second one loses what Redis has kept. */
const RUNS = Number(process.env.HOSTILE_RUNS ?? 4);
const SEED = Number(process.env.HOSTILE_SEED ?? 20_261_128);
const STEPS = 12;

vi.setConfig({ testTimeout: 60_000 + RUNS * 30_000, hookTimeout: 60_000 });

/** Numbers from 0 to 1, the same for each seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describeWithRedis("server processes under random faults", () => {
  let redis: TestRedis;
  let proxies: RespProxy[];
  let nodes: ServerNode[];

  beforeAll(async () => {
    redis = await TestRedis.start();
    proxies = await Promise.all([1, 2].map(() => RespProxy.start(redis.port)));
    nodes = await Promise.all(proxies.map(({ url }) => ServerNode.start({ urls: [url] })));
  });

  type Random = () => number;
  const oneOf = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random() * items.length)]!;

  /** What leaves what is kept as it is. */
  const harmless: Record<string, (random: Random) => unknown> = {
    nothing() {},
    cutCommands: () => redis.command("CLIENT", "KILL", "TYPE", "normal"),
    cutSubscribers: () => redis.command("CLIENT", "KILL", "TYPE", "pubsub"),
    cutProxy: (random) => oneOf(random, proxies).cut(oneOf(random, ["commands", "subscriber", undefined])),
    cutOff: (random) => oneOf(random, proxies).cutOff(),
    heal: () => proxies.forEach((proxy) => void proxy.heal()),
    delay(random) {
      oneOf(random, proxies).delayMs = random() * 50;
    },
    loseBytes: (random) => oneOf(random, proxies).lose(oneOf(random, ["commands", "answers", "answers", "published"])),
    tamper(random) {
      oneOf(random, proxies).tamper = oneOf(random, [
        (messages: readonly Buffer[]) => messages.filter(() => random() < 0.7),
        (messages: readonly Buffer[]) =>
          messages.flatMap((message) => (random() < 0.5 ? [message, message] : [message])),
        (messages: readonly Buffer[]) => [...messages].sort(() => random() - 0.5),
      ]);
    },
    forgetScripts: () => redis.command("SCRIPT", "FLUSH"),
    async hang() {
      redis.pause();
      // Each node has done something meanwhile.
      await Promise.all(nodes.map((node) => node.run("metrics")));
      redis.resume();
    },
    pauseWrites: (random) => redis.command("CLIENT", "PAUSE", `${Math.ceil(random() * 300)}`, "WRITE"),
  };

  /** What takes away what is kept, all or the latest. */
  const lossy: typeof harmless = {
    empty: () => redis.command("FLUSHALL"),
    restart: () => redis.restart(),
    save: () => redis.save("former"),
    goBack: () => redis.restart("former"),
  };

  /** One room and what happens to it. */
  async function run(random: Random, isLossy: boolean, name: string, steps: string[]) {
    const room = { name, history: 5_000 };
    await Promise.all(nodes.map((node) => node.up()));
    const members = await Promise.all([...nodes, ...nodes].map((node) => node.connect("ann", room)));
    await redis.save("former");
    const faults = Object.entries(isLossy ? { ...harmless, ...lossy, ...lossy } : harmless);
    const publishing: Promise<readonly Published[]>[] = [];
    const counts = nodes.map(() => 0);
    const publish = (index: number, count: number) => {
      const texts = Array.from({ length: count }, () => `${index} ${counts[index]!++}`);
      const results = nodes[index]!.run("publish", room, texts);
      publishing.push(results);
      return results;
    };
    for (let step = 0; step < STEPS; step++) {
      const results = publish(Math.floor(random() * nodes.length), Math.ceil(random() * 30));
      const [fault, cause] = oneOf(random, faults);
      steps.push(fault);
      if (random() < 0.3 && !proxies.some(({ isAway }) => isAway)) await results;
      await cause(random);
      publish(Math.floor(random() * nodes.length), Math.ceil(random() * 30));
      if (random() < 0.5) await Promise.all(nodes.map((node) => node.run("metrics")));
    }
    for (const proxy of proxies) proxy.heal();
    const published = (await Promise.all(publishing)).flat();
    await Promise.all(nodes.map((node) => node.up()));
    const ends = (await Promise.all(nodes.map((node, index) => node.run("publish", room, [`${index} end`])))).flat();
    for (const { log } of members) {
      await eventually(() => {
        for (const { text, failure } of ends) if (!failure) expect(log).toContain(text);
      });
    }
    return { members, published: [...published, ...ends] };
  }

  it(`keep their promises in ${RUNS} rounds from seed ${SEED}`, async () => {
    for (let round = 0; round < RUNS; round++) {
      const isLossy = round % 2 === 1;
      const seed = SEED + round;
      const steps: string[] = [];
      try {
        const { members, published } = await run(randomOf(seed), isLossy, `room ${seed}`, steps);
        check(members, published, isLossy);
        for (const { peer } of members) peer.ws.terminate();
      } catch (error) {
        throw new Error(`HOSTILE_SEED=${SEED}, round ${round}: ${steps.join(", ")}: ${error}`, { cause: error });
      }
    }
  });
});

function check(members: readonly Member[], published: readonly Published[], isLossy: boolean): void {
  const parts = members.map(({ log }) => partsOf(log));
  const wrong: string[] = [];
  const add = (index: number, what: string, texts: readonly string[]) => {
    if (texts.length > 0) wrong.push(`member ${index} ${what}: ${texts}`);
  };
  for (const [index, own] of parts.entries()) {
    const all = own.flat();
    const got = new Set(all);
    const last = own.at(-1)!;
    add(
      index,
      "got twice",
      all.filter((text, place) => all.indexOf(text) !== place),
    );
    if (!isLossy && own.length > 1) wrong.push(`member ${index} has lost messages`);
    const refused = published.filter(({ text, failure }) => failure && !failure.wasSent && got.has(text));
    add(index, "got what was not published", textsOf(refused));
    const missed = published.filter(({ text, failure }) => !failure && own.length === 1 && !got.has(text));
    add(index, "did not get", textsOf(missed));
    add(index, "has holes", holesIn(last, got, published));
    for (const other of parts.slice(0, index)) {
      const isOneOrder =
        own.length === other.length
          ? own.every((part, at) => isSameOrder(part, other[at]!))
          : isSameOrder(last, other.at(-1)!);
      if (!isOneOrder) wrong.push(`member ${index} has another order`);
    }
  }
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
}

/** What a member has got, from one loss to the next. */
function partsOf(log: readonly string[]): string[][] {
  const parts: string[][] = [[]];
  for (const text of log) {
    if (text === LOST) parts.push([]);
    else parts.at(-1)!.push(text);
  }
  return parts;
}

const textsOf = (published: readonly Published[]) => published.map(({ text }) => text);

/** Whether what both have is in one order. */
function isSameOrder(texts: readonly string[], others: readonly string[]): boolean {
  const places = new Map(texts.map((text, place) => [text, place]));
  const common = others.flatMap((text) => places.get(text) ?? []);
  return common.every((place, index) => index === 0 || place > common[index - 1]!);
}

/**
 * What is missing between two texts of one epoch, and is not among all that it has got: what was published again after a loss
 * has a place, but does not come again. No loss is announced after them.
 */
function holesIn(texts: readonly string[], got: ReadonlySet<string>, published: readonly Published[]): string[] {
  const positions = new Map(published.map(({ text, position }) => [text, position]));
  const kept = new Map<string, string[]>();
  for (const { text, position } of published) {
    if (!position) continue;
    const place = `${position.epoch}:${position.offset}`;
    kept.set(place, [...(kept.get(place) ?? []), text]);
  }
  const latest = new Map<string, number>();
  const holes: string[] = [];
  for (const text of texts) {
    const position = positions.get(text);
    if (!position) continue;
    const { epoch, offset } = position;
    for (let between = (latest.get(epoch) ?? offset) + 1; between < offset; between++) {
      // A Redis that has gone back in time gives a place twice.
      const missed = kept.get(`${epoch}:${between}`) ?? [];
      if (missed.length > 0 && !missed.some((each) => got.has(each))) holes.push(missed.join(" or "));
    }
    latest.set(epoch, offset);
  }
  return holes;
}
