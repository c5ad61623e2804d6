import { beforeEach, describe, expect, it } from "vitest";
import type { GGBus, GGBusRead } from "../../src/api/bus.js";
import { failureKind } from "../../src/redis/replies.js";
import { describeWithRedis, TestRedis } from "../support/redis.js";
import { eventually, HISTORY, keptIn, listen, publishAll, startNode, texts } from "../support/redisNode.js";

describe("failureKind", () => {
  it.each([
    ["later", "LOADING Redis is loading the dataset in memory"],
    ["later", "CLUSTERDOWN The cluster is down"],
    ["later", "TRYAGAIN Multiple keys request during rehashing of slot"],
    ["later", "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."],
    ["later", "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."],
    ["elsewhere", "READONLY You can't write against a read only replica. script: 1, on @user_script:1."],
    ["noScript", "NOSCRIPT No matching script. Please use EVAL."],
    ["refused", "OOM command not allowed when used memory > 'maxmemory'."],
    ["refused", "NOPERM this user has no permissions to run the 'evalsha' command"],
    ["refused", "WRONGTYPE Operation against a key holding the wrong kind of value"],
    ["refused", "ERR unknown command"],
    ["lost", "Socket closed unexpectedly"],
    ["lost", "The client is closed"],
    ["lost", "connect ECONNREFUSED 127.0.0.1:6379"],
    ["lost", "read ECONNRESET"],
    ["lost", ""],
  ])("is %s for %s", (kind, message) => expect(failureKind(new Error(message))).toBe(kind));

  it("is lost for what is no error", () => expect(failureKind(undefined)).toBe("lost"));
});

describeWithRedis("redisBus, when Redis does not do what it is asked", () => {
  let redis: TestRedis;
  beforeEach(async () => {
    redis = await TestRedis.start();
    return () => redis.stop();
  });

  it("publishes all in order when the scripts are forgotten", async () => {
    const { bus, health } = startNode({ url: redis.url });
    const [first] = await publishAll(bus, "room", ["first"]);
    await redis.command("SCRIPT", "FLUSH");
    const positions = await publishAll(bus, "room", texts(300));
    expect(positions.map((position) => position?.offset)).toEqual(texts(300).map((_, index) => index + 2));
    expect(await keptIn(bus, "room", first!.epoch)).toEqual(["first", ...texts(300)]);
    expect(health).toEqual(["up"]);
  });

  it("publishes once, and in order, what Redis holds back", async () => {
    const node = startNode({ url: redis.url });
    const [first] = await publishAll(node.bus, "room", ["first"]);
    await redis.command("CLIENT", "PAUSE", "2500", "WRITE");
    const paused = publishAll(node.bus, "room", texts(20));
    await node.down();
    const waiting = publishAll(node.bus, "room", texts(20, "later"));
    const positions = [...(await paused), ...(await waiting)];
    expect(positions.map((position) => position?.offset)).toEqual(texts(40).map((_, index) => index + 2));
    expect(await keptIn(node.bus, "room", first!.epoch)).toEqual(["first", ...texts(20), ...texts(20, "later")]);
  }, 15_000);

  it("waits while a script of others keeps Redis busy", async () => {
    await redis.command("CONFIG", "SET", "busy-reply-threshold", "20");
    const node = startNode({ url: redis.url, timeoutMs: 30_000 });
    const [first] = await publishAll(node.bus, "room", ["first"]);
    const endless = redis.command("EVAL", "while true do end", "0").catch(String);
    await eventually(() => expect(redis.command("PING")).rejects.toThrow("BUSY"));
    const waiting = publishAll(node.bus, "room", texts(20));
    await eventually(() => expect(node.bus.queued).toBe(20));
    const later = publishAll(node.bus, "room", ["later"]);
    await redis.command("SCRIPT", "KILL");
    await Promise.all([waiting, later, endless]);
    expect(await keptIn(node.bus, "room", first!.epoch)).toEqual(["first", ...texts(20), "later"]);
    expect(node.health).toEqual(["up"]);
  });

  it.each([
    ["for want of memory", "OOM", () => redis.command("CONFIG", "SET", "maxmemory", "1")],
    ["for a key of another kind", "WRONGTYPE", () => redis.command("SET", "gg:{room}:s", "text")],
  ])("rejects what Redis refuses %s, and goes on", async (_, code, prepare) => {
    const node = startNode({ url: redis.url });
    await publishAll(node.bus, "room", ["first"]);
    await prepare();
    for (const channel of code === "OOM" ? ["room", "new room"] : ["room"]) {
      const refused = publishAll(node.bus, channel, ["refused"]);
      await expect(refused).rejects.toMatchObject({ reason: "refused", mayHaveBeenPublished: false });
      await expect(refused).rejects.toThrow(code);
      await expect(refused).rejects.toHaveProperty("cause.message", expect.stringContaining(code));
    }
    await expect(node.bus.publish("room", "not kept")).resolves.toBeUndefined();
    await redis.command("CONFIG", "SET", "maxmemory", "0");
    await redis.command("DEL", "gg:{room}:s");
    expect(await publishAll(node.bus, "room", ["text"])).toMatchObject([{ offset: 2 }]);
    expect(node.health).toEqual(["up"]);
  });

  it("carries what is not kept for a user who may do no more than publish", async () => {
    await redis.command("ACL", "SETUSER", "poor", "on", ">secret", "&gg:*", "+publish", "+subscribe", "+hello");
    const node = startNode({ url: redis.url.replace("//", "//poor:secret@") });
    const listener = listen(node.bus, "room");
    await Promise.all([listener.active, node.up()]);
    await node.bus.publish("room", "text");
    await eventually(() => expect(listener.bodies).toEqual(["text"]));
    await expect(publishAll(node.bus, "room", ["kept"])).rejects.toMatchObject({ reason: "refused" });
    await expect(node.bus.members.list("room")).rejects.toMatchObject({ reason: "refused" });
  });

  it("begins an epoch when Redis has dropped the position, but not the messages", async () => {
    const { bus } = startNode({ url: redis.url });
    const positions = await publishAll(bus, "room", texts(5));
    await redis.command("DEL", "gg:{room}:m");
    const [after] = await publishAll(bus, "room", ["new"], positions[4]);
    expect(after!.offset).toBe(1);
    expect(after!.epoch).not.toBe(positions[0]!.epoch);
    expect(await keptIn(bus, "room", after!.epoch)).toEqual(["new"]);
    expect(await keptIn(bus, "room", positions[0]!.epoch)).toBeUndefined();

    await redis.command("DEL", "gg:{room}:m");
    const { top, missed } = await bus.read("room", after!, 10);
    expect([top.offset, missed]).toEqual([0, undefined]);
    expect([positions[0]!.epoch, after!.epoch]).not.toContain(top.epoch);
    expect(await publishAll(bus, "room", ["newest"], after)).toEqual([{ epoch: top.epoch, offset: 1 }]);
    expect(await keptIn(bus, "room", top.epoch)).toEqual(["newest"]);
  });

  it("goes on in the same epoch when Redis has dropped the messages, but not the position", async () => {
    const { bus } = startNode({ url: redis.url });
    const positions = await publishAll(bus, "room", texts(5));
    const { epoch } = positions[0]!;
    await redis.command("DEL", "gg:{room}:s");
    expect(await bus.read("room", { epoch, offset: 5 }, 10)).toEqual({ top: { epoch, offset: 5 }, missed: [] });
    expect(await bus.read("room", { epoch, offset: 3 }, 10)).toEqual({ top: { epoch, offset: 5 } });
    expect(await publishAll(bus, "room", ["text 5"])).toEqual([{ epoch, offset: 6 }]);
    expect((await bus.read("room", { epoch, offset: 5 }, 10)).missed).toMatchObject([{ body: "text 5" }]);
    expect((await bus.read("room", { epoch, offset: 4 }, 10)).missed).toBeUndefined();
  });

  describe("a read of a node that knows nothing", () => {
    const latest = (bus: GGBus, limit: number) => bus.read("room", { epoch: "", offset: 0 }, limit);
    const bodiesOf = ({ missed }: GGBusRead) => missed?.map(({ body }) => body);

    it.each([
      ["dropped", ["DEL", "gg:{room}:s"]],
      ["expired", ["PEXPIRE", "gg:{room}:s", "1"]],
      ["emptied", ["XTRIM", "gg:{room}:s", "MAXLEN", "0"]],
    ])("has the position where the messages were %s, and then what follows", async (_, command) => {
      const { bus } = startNode({ url: redis.url });
      const positions = await publishAll(bus, "room", texts(5));
      await redis.command(...command);
      await eventually(async () => expect(await latest(bus, 10)).toEqual({ top: positions[4], missed: [] }));
      const next = { ...positions[4]!, offset: 6 };
      expect(await publishAll(bus, "room", ["next"])).toEqual([next]);
      for (const limit of [1, 6, 1_000]) {
        const read = await latest(bus, limit);
        expect([read.top, bodiesOf(read), read.missed![0]?.position]).toEqual([next, ["next"], next]);
      }
    });

    it("has what Redis has kept where that is a part", async () => {
      const { bus } = startNode({ url: redis.url });
      const positions = await publishAll(bus, "room", texts(5));
      await redis.command("XTRIM", "gg:{room}:s", "MAXLEN", "2");
      const read = await latest(bus, 2 ** 52);
      expect([read.top, bodiesOf(read)]).toEqual([positions[4], ["text 3", "text 4"]]);
      expect(read.missed!.map(({ position }) => position)).toEqual(positions.slice(3));
    });

    it("begins an epoch where Redis has dropped the position, but not the messages", async () => {
      const { bus } = startNode({ url: redis.url });
      const [former] = await publishAll(bus, "room", texts(5));
      await redis.command("DEL", "gg:{room}:m");
      const { top, missed = [] } = await latest(bus, 10);
      expect([top.offset, missed]).toEqual([0, []]);
      expect(top.epoch).not.toBe(former!.epoch);
      expect(await latest(bus, 10)).toEqual({ top, missed: [] });
    });

    it("leaves out a message that a script added without moving the position", async () => {
      const { bus } = startNode({ url: redis.url });
      const positions = await publishAll(bus, "room", texts(2));
      await redis.command("XADD", "gg:{room}:s", "3-0", "b", "not published", "f", "other.1");
      expect(await latest(bus, 10)).toEqual({ top: positions[1], missed: [] });
    });
  });

  it("keeps the epoch of a channel that is read, and makes no history shorter", async () => {
    const { bus, up } = startNode({ url: redis.url });
    await up();
    const day = 24 * 60 * 60_000;
    const left = async () => (await redis.command("PTTL", "gg:{room}:m")) as number;
    const read = () => bus.read("room", { epoch: "", offset: 0 }, 1);
    const { top } = await read();
    expect(await left()).toBeGreaterThan(day * 0.9);
    await redis.command("PEXPIRE", "gg:{room}:m", `${day / 3}`);
    expect((await read()).top).toEqual(top);
    expect(await left()).toBeGreaterThan(day * 0.9);
    await bus.publish("room", "text", { history: { size: 1, ttlMs: day } });
    expect((await read()).top).toEqual({ ...top, offset: 1 });
    expect(await left()).toBeGreaterThan(day * 1.9);
    expect((await redis.command("PTTL", "gg:{room}:s")) as number).toBeLessThanOrEqual(day);
  });

  it("ignores what others publish in its channels", async () => {
    const { bus } = startNode({ url: redis.url });
    const listener = listen(bus, "room");
    await listener.active;
    const foreign = [
      "",
      ":",
      "::",
      "k",
      "k::",
      "k:1:a:b",
      "ke:0:a:b",
      "ke:x:a:b",
      "ke:1e3:a:b",
      "ke:1",
      "ke:1:a",
      "text",
    ];
    foreign.push(
      "s",
      "s1",
      "s1:",
      "s1:9:ab",
      "s1:-1:ab",
      "s0:1:ab",
      "sx:1:ab",
      "r",
      "rx:a",
      "r0:a",
      "x1:2:3:4",
      "\xff",
    );
    for (const text of foreign) await redis.command("PUBLISH", "gg:{room}", text);
    await bus.publish("room", "own");
    await eventually(() => expect(listener.bodies).toEqual(["own"]));
    expect(listener.changes).toEqual([]);
  });

  describe("the queue, while Redis is away", () => {
    const kept = { history: HISTORY };

    async function startDown(queue: { messages?: number; bytes?: number; ms?: number }) {
      const absent = await TestRedis.prepare();
      const node = startNode({ url: absent.url, queue });
      await eventually(() => expect(node.health).toHaveLength(1));
      return { ...node, absent };
    }

    it("refuses messages that are more than it may hold, and keeps the others", async () => {
      const { bus, absent } = await startDown({ messages: 3 });
      const waiting = publishAll(bus, "room", texts(3));
      await expect(bus.publish("room", "more", kept)).rejects.toMatchObject({
        reason: "limit",
        mayHaveBeenPublished: false,
      });
      expect(bus.queued).toBe(3);
      await absent.start();
      expect((await waiting).map((position) => position?.offset)).toEqual([1, 2, 3]);
      await expect(bus.publish("room", "more", kept)).resolves.toMatchObject({ offset: 4 });
    });

    it("counts bytes of UTF-8", async () => {
      const { bus, absent } = await startDown({ bytes: 10 });
      const waiting = publishAll(bus, "room", ["éé", "ééé"]);
      await expect(bus.publish("room", "x", kept)).rejects.toMatchObject({ reason: "limit" });
      const empty = bus.publish("room", "", kept);
      await absent.start();
      await Promise.all([waiting, empty]);
      await expect(bus.publish("room", "x".repeat(100), kept)).resolves.toMatchObject({ offset: 4 });
    });

    it("rejects what has waited for too long, and makes room", async () => {
      const { bus } = await startDown({ ms: 50, messages: 2 });
      for (let round = 0; round < 2; round++) {
        const outcomes = await Promise.allSettled(texts(2).map((text) => bus.publish("room", text, kept)));
        for (const outcome of outcomes) {
          expect(outcome).toMatchObject({ reason: { reason: "timeout", mayHaveBeenPublished: false } });
        }
        expect(bus.queued).toBe(0);
      }
    });

    it("holds nothing when it may not", async () => {
      const { bus } = await startDown({ messages: 0 });
      await expect(bus.publish("room", "text", kept)).rejects.toMatchObject({ reason: "limit" });
    });

    it("says of what hung too long that it may have been published", async () => {
      const node = startNode({ url: redis.url, queue: { ms: 1_500 } });
      await node.up();
      redis.pause();
      await expect(node.bus.publish("room", "text", kept)).rejects.toMatchObject({
        reason: "timeout",
        mayHaveBeenPublished: true,
      });
      redis.resume();
    });
  });
});
