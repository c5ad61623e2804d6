import { beforeAll, expect, it, vi } from "vitest";
import type { Published } from "../fixtures/nodes/server.js";
import { describeWithRedis, TestRedis } from "../support/redis.js";
import { RespProxy } from "../support/respProxy.js";
import { eventually, LOST, type Member, ServerNode } from "../support/serverNode.js";

/** How many rounds; every second one loses what Redis has kept. */
const RUNS = Number(process.env.HOSTILE_RUNS ?? 8);
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
        (messages: readonly Buffer[]) => messages.flatMap((message) => (random() < 0.5 ? [message, message] : [message])),
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
    empty() {
      mayGoBack = false;
      return redis.command("FLUSHALL");
    },
    restart() {
      mayGoBack = false;
      return redis.restart();
    },
    goBack() {
      if (!mayGoBack) return;
      mayGoBack = false;
      return redis.restart("former");
    },
  };
  /** Not to a history that its nodes have left already: they would read all of it again, after a loss. */
  let mayGoBack = true;

  /** One room and what happens to it. */
  async function run(random: Random, isLossy: boolean, name: string, steps: string[]) {
    const room = { name, history: 5_000 };
    await Promise.all(nodes.map((node) => node.up()));
    const members = await Promise.all([...nodes, ...nodes].map((node) => node.connect("ann", room)));
    // A node that knows of no message cannot know that others were lost with Redis.
    const first = await nodes[0]!.run("publish", room, ["0 begin"]);
    for (const { log } of members) await eventually(() => expect(log).toEqual(["0 begin"]));
    await redis.save("former");
    mayGoBack = true;
    const faults = Object.entries(isLossy ? { ...harmless, ...lossy, ...lossy } : harmless);
    const publishing = [Promise.resolve<readonly Published[]>(first)];
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
      steps.push(fault + " " + Date.now() % 1e6);
      if (random() < 0.3) await results;
      await cause(random);
      publish(Math.floor(random() * nodes.length), Math.ceil(random() * 30));
      if (random() < 0.5) await Promise.all(nodes.map((node) => node.run("metrics")));
    }
    const t0 = performance.now(); for (const proxy of proxies) proxy.heal();
    const published = (await Promise.all(publishing)).flat();
    const t1 = performance.now();
    await Promise.all(nodes.map((node) => node.up()));
    const t2 = performance.now();
    const ends = (await Promise.all(nodes.map((node, index) => node.run("publish", room, [`${index} end`])))).flat();
    for (const { log } of members) {
      await eventually(() => {
        for (const { text, failure } of ends) if (!failure) expect(log).toContain(text);
      });
    }
    const t3 = performance.now();
    console.log(nodes.map((node) => (node as any).t.join("\n")).join("\n---\n")); console.log("heal at", Date.now() % 1e6 - (t3-t0), "now", Date.now() % 1e6); console.log(name, isLossy, "published", t1-t0, "up", t2-t1, "ends", t3-t2, "n", published.length, "failed", published.filter((p)=>p.failure).length, "lost", members.map(({log})=>log.filter((x)=>x===LOST).length).join(), steps.join());
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
  const logs = members.map(({ log }) => log);
  const wrong: string[] = [];
  for (const [index, log] of logs.entries()) {
    const texts = log.filter((text) => text !== LOST);
    const got = new Set(texts);
    const isWhole = texts.length === log.length;
    const doubles = texts.filter((text, place) => texts.indexOf(text) !== place);
    if (doubles.length > 0) wrong.push(`member ${index} got twice: ${doubles}`);
    if (!isLossy && !isWhole) wrong.push(`member ${index} has lost messages`);
    const refused = published.filter(({ text, failure }) => failure && !failure.wasSent && got.has(text));
    const missed = published.filter(({ text, failure }) => !failure && isWhole && !got.has(text));
    if (refused.length > 0) wrong.push(`member ${index} got what was not published: ${textsOf(refused)}`);
    if (missed.length > 0) wrong.push(`member ${index} did not get ${textsOf(missed)}`);
    for (const other of logs) if (!isSameOrder(log, other)) wrong.push(`member ${index} has another order`);
    const holes = holesIn(log, published);
    if (holes.length > 0) wrong.push(`member ${index} has holes: ${holes}`);
  }
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
}

const textsOf = (published: readonly Published[]) => published.map(({ text }) => text).join();

/** Whether what both have is in one order. */
function isSameOrder(log: readonly string[], other: readonly string[]): boolean {
  const places = new Map(log.map((text, place) => [text, place]));
  places.delete(LOST);
  const common = other.flatMap((text) => places.get(text) ?? []);
  return common.every((place, index) => index === 0 || place > common[index - 1]!);
}

/** Places between two that a log has in the same epoch, and that no loss covers. */
function holesIn(log: readonly string[], published: readonly Published[]): string[] {
  const positions = new Map(published.map(({ text, position }) => [text, position]));
  const kept = new Map<string, string>();
  for (const { text, position } of published) if (position) kept.set(`${position.epoch}:${position.offset}`, text);
  // What comes before a loss may have holes: the loss says so.
  const last = log.slice(log.lastIndexOf(LOST) + 1);
  const holes: string[] = [];
  const latest = new Map<string, number>();
  for (const text of last) {
    const { epoch, offset } = positions.get(text) ?? { epoch: "", offset: 0 };
    for (let missing = (latest.get(epoch) ?? offset) + 1; missing < offset; missing++) {
      const missed = kept.get(`${epoch}:${missing}`);
      if (missed && !last.includes(missed)) holes.push(missed);
    }
    latest.set(epoch, offset);
  }
  return holes;
}
