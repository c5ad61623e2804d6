import { FORBIDDEN, NOT_AUTHORIZED, SERVER_ERROR } from "@grest-ts/schema";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { reconnectPolicy } from "../../src/client/reconnect.js";
import { runningDeadlines } from "../../src/connection/deadlines.js";
import { connectedProbe, displayed, ProbeApi } from "../support/probe.js";
import { Queue } from "../support/queue.js";
import { RawServer } from "../support/rawPeer.js";

/** Waits between attempts of no length, so that tests depend on events alone. */
const AT_ONCE = { initialDelayMs: 0, maxDelayMs: 0 };

describe("reconnecting", () => {
  it("is off by default: a drop is the end", async () => {
    const { server, client, peer } = await connectedProbe();
    const closed = new Promise((resolve) => client.onClose((reason) => resolve(reason)));
    peer.ws.terminate();
    expect(await closed).toBe("drop");
    expect(client.isConnected).toBe(false);
    expect(server.count).toBe(1);
  });

  it("runs the handshake anew, keeps the handlers, and runs the set-up callback again", async () => {
    const server = await RawServer.start();
    let token = 1;
    const client = ProbeApi.createClient({
      url: server.url,
      reconnect: AT_ONCE,
      middlewares: [
        {
          updateHandshake: (context) => {
            context.headers.token = `t${token++}`;
          },
        },
      ],
    });
    onTestFinished(() => client.close());
    const events = new Queue<string>();
    client.incoming.on({ news: ({ text }) => events.push(`news ${text}`) });
    client.onDisconnect((reason) => events.push(`disconnect ${reason}`)).onClose(() => events.push("close"));
    const connecting = client.connect(({ incoming }) => {
      events.push("setup");
      incoming.on({ ask: () => 42 });
    });
    for (let n = 1; n <= 3; n++) {
      const peer = await server.accept('m:Probe.news::{"text":"hi"}', "r:Probe.ask:9:");
      expect(peer.headers).toEqual({ token: `t${n}` });
      expect(await peer.next()).toBe('s:Probe.ask:9:{"success":true,"type":"OK","data":42}');
      expect((await events.take(2)).sort()).toEqual(["news hi", "setup"]);
      await client.connect();
      expect(client.isConnected).toBe(true);
      peer.ws.terminate();
      expect(await events.next()).toBe("disconnect drop");
    }
    await connecting;
    expect(server.count).toBeGreaterThanOrEqual(3);
    expect(events.unseen).toEqual([]);
  });

  it("settles calls in flight and replays nothing; calls in between say that they were not sent", async () => {
    const { server, client, peer } = await connectedProbe({ reconnect: AT_ONCE });
    const inFlight = client.outgoing.echo({ text: "once" }).asResult();
    await peer.next();
    const dropped = new Promise((resolve) => client.onDisconnect(resolve));
    peer.ws.terminate();
    expect(displayed(await inFlight)).toMatch(/was sent and may have run/);
    await dropped;
    expect(displayed(await client.outgoing.echo({ text: "between" }).asResult())).toMatch(
      /Probe\.echo was not sent: the client is reconnecting: await connect\(\) first/,
    );
    const next = await server.accept();
    await client.connect();
    const after = client.outgoing.echo({ text: "after" });
    expect(await next.next()).toBe('r:Probe.echo:1:{"text":"after"}');
    next.send('s:Probe.echo:1:{"success":true,"type":"OK","data":{"text":"AFTER"}}');
    expect(await after).toEqual({ text: "AFTER" });
    expect(next.frames.unseen).toEqual([]);
  });

  it.each([
    ["NOT_AUTHORIZED", NOT_AUTHORIZED],
    ["FORBIDDEN", FORBIDDEN],
  ])("gives up when the server refuses with %s", async (type, errorClass) => {
    const { server, client, peer } = await connectedProbe({ reconnect: AT_ONCE });
    const closed = new Promise<unknown[]>((resolve) => client.onClose((...args) => resolve(args)));
    peer.ws.terminate();
    const second = await server.connections.next();
    second.send(`x:::{"success":false,"type":"${type}","statusCode":401}`);
    expect(await closed).toEqual(["unrecoverable", expect.any(errorClass)]);
    expect(server.count).toBe(2);
  });

  it.each([1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003, 4000, 4003])("gives up on close code %d", async (code) => {
    const { server, client, peer } = await connectedProbe({ reconnect: AT_ONCE });
    const closed = new Promise<unknown[]>((resolve) => client.onClose((...args) => resolve(args)));
    peer.ws.close(code, "enough");
    const [reason, error] = await closed;
    expect(reason).toBe("unrecoverable");
    expect(displayed(error)).toMatch("enough");
    expect(server.count).toBe(1);
  });

  it.each([1000, 1001, 1011, 1012, 1013, 4001, 4999])("comes back after close code %d", async (code) => {
    const { server, client, peer } = await connectedProbe({ reconnect: AT_ONCE });
    peer.ws.close(code);
    await server.accept();
    await client.connect();
    expect(client.isConnected).toBe(true);
  });

  it("goes on after temporary refusals: SERVER_ERROR, a drop in the handshake", async () => {
    const { server, client, peer } = await connectedProbe({ reconnect: AT_ONCE });
    peer.ws.terminate();
    (await server.connections.next()).send('x:::{"success":false,"type":"SERVER_ERROR","statusCode":500}');
    (await server.connections.next()).ws.terminate();
    await server.accept();
    await client.connect();
    expect(client.isConnected).toBe(true);
    expect(server.count).toBe(4);
  });

  it("gives up after maxAttempts, and rejects a pending connect()", async () => {
    const { server, client, peer } = await connectedProbe({ reconnect: { ...AT_ONCE, maxAttempts: 2 } });
    const closed = new Promise((resolve) => client.onClose((reason) => resolve(reason)));
    const dropped = new Promise<void>((resolve) => client.onDisconnect(() => resolve()));
    peer.ws.terminate();
    await dropped;
    const waiting = client.connect().catch((error: unknown) => error);
    for (let i = 0; i < 2; i++) (await server.connections.next()).ws.terminate();
    expect(await closed).toBe("exhausted");
    expect(await waiting).toBeInstanceOf(SERVER_ERROR);
    expect(server.count).toBe(3);
  });

  it("asks shouldRetry(), with the error and the number of the attempt", async () => {
    const asked: unknown[] = [];
    const { server, client, peer } = await connectedProbe({
      reconnect: { ...AT_ONCE, shouldRetry: (error, attempt) => asked.push([error.type, attempt]) < 2 },
    });
    const closed = new Promise((resolve) => client.onClose((reason) => resolve(reason)));
    peer.ws.terminate();
    (await server.connections.next()).ws.terminate();
    expect(await closed).toBe("unrecoverable");
    expect(asked).toEqual([
      ["SERVER_ERROR", 1],
      ["SERVER_ERROR", 2],
    ]);
  });

  it("does not retry the first connect()", async () => {
    const server = await RawServer.start();
    const client = ProbeApi.createClient({ url: server.url, reconnect: AT_ONCE });
    const connecting = client.connect().catch((error: unknown) => error);
    (await server.connections.next()).ws.terminate();
    expect(await connecting).toBeInstanceOf(SERVER_ERROR);
    expect(server.count).toBe(1);
  });

  it("stops for good when it is closed while it waits", async () => {
    const { server, client, peer } = await connectedProbe({ reconnect: { initialDelayMs: 1e9, maxDelayMs: 1e9 } });
    const events = new Queue<string>();
    client
      .onDisconnect((reason) => events.push(`disconnect ${reason}`))
      .onClose((reason) => events.push(`close ${reason}`));
    peer.ws.terminate();
    expect(await events.next()).toBe("disconnect drop");
    const waiting = client.connect().catch((error: unknown) => displayed(error));
    client.close();
    expect(await events.next()).toBe("close manual");
    expect(await waiting).toMatch(/closed while connecting/);
    expect(server.count).toBe(1);
  });

  it("forceReconnect() drops the connection, ends a wait, or connects, at once", async () => {
    const { server, client, peer } = await connectedProbe({ reconnect: { initialDelayMs: 1e9, maxDelayMs: 1e9 } });
    const events = new Queue<string>();
    client
      .onDisconnect((reason) => events.push(`disconnect ${reason}`))
      .onClose((reason) => events.push(`close ${reason}`));
    const call = client.outgoing.echo({ text: "a" }).asResult();
    await peer.next();
    const forced = client.forceReconnect();
    expect((await call).success).toBe(false);
    const second = await server.accept();
    await forced;
    expect(await events.next()).toBe("disconnect manual");

    second.ws.terminate();
    expect(await events.next()).toBe("disconnect drop");
    const woken = client.forceReconnect();
    await server.accept();
    await woken;

    client.close();
    expect(await events.take(2)).toEqual(["disconnect manual", "close manual"]);
    const anew = client.forceReconnect();
    await server.accept();
    await anew;
    expect(client.isConnected).toBe(true);
    expect(server.count).toBe(4);
  });

  it("keeps neither timers nor abort listeners, however often the connection drops", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on("warning", onWarning);
    onTestFinished(() => void process.off("warning", onWarning));
    const { server, client, peer } = await connectedProbe({ reconnect: AT_ONCE });
    let last = peer;
    for (let i = 0; i < 30; i++) {
      last.ws.terminate();
      last = await server.accept();
      await client.connect();
    }
    await client.disconnect();
    expect(runningDeadlines()).toBe(0);
    expect(warnings).toEqual([]);
    expect(server.count).toBe(31);
  });
});

describe("the wait before an attempt", () => {
  const error = new SERVER_ERROR();
  const run = (_name: string, callback: () => unknown) => void callback();

  it("is a random part of a limit that doubles up to the cap", () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(0.999999);
    onTestFinished(() => random.mockRestore());
    const policy = reconnectPolicy({}, run);
    const delays = Array.from({ length: 9 }, () => policy.next(error)).map((next) => Math.round(next as number));
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
    random.mockReturnValue(0);
    expect(policy.next(error)).toBe(0);
  });

  it.each([
    ["no delay", { initialDelayMs: 0, maxDelayMs: 0 }, 0],
    [
      "a delay beyond what a timer can wait",
      { initialDelayMs: 2 ** 40, maxDelayMs: Number.POSITIVE_INFINITY },
      2 ** 31 - 1,
    ],
    ["a limit without end", { maxDelayMs: Number.POSITIVE_INFINITY }, 2 ** 31 - 1],
    ["no number, which a page in production does not refuse", { initialDelayMs: Number.NaN }, 30_000],
    ["a negative number, likewise", { maxDelayMs: -1 }, 30_000],
  ])("holds for any number of failures, with %s", (_, options, expected) => {
    const random = vi.spyOn(Math, "random").mockReturnValue(1);
    onTestFinished(() => random.mockRestore());
    const policy = reconnectPolicy(options, run);
    for (let failures = 0; failures < 2_000; failures++) policy.next(error);
    expect(policy.next(error)).toBe(expected);
  });

  it("starts anew only after a connection that lasted", () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(1);
    onTestFinished(() => random.mockRestore());
    const policy = reconnectPolicy({ initialDelayMs: 100, multiplier: 3, maxAttempts: 2 }, run);
    expect(policy.next(error)).toBe(100);
    policy.lasted(4_999);
    expect(policy.next(error)).toBe(300);
    expect(policy.next(error)).toBe("exhausted");
    policy.lasted(5_000);
    expect(policy.next(error)).toBe(100);
  });

  it("lets one connection be replaced at once, and delays the next until one lasted", () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(1);
    onTestFinished(() => random.mockRestore());
    const policy = reconnectPolicy({ initialDelayMs: 100, multiplier: 3, maxAttempts: 1 }, run);
    expect([0, 0, 4_999].map((ms) => policy.drained(ms))).toEqual([0, 300, 900]);
    expect([5_000, 0].map((ms) => policy.drained(ms))).toEqual([0, 300]);
    // It is no failed attempt.
    expect(policy.next(error)).toBe(100);
  });
});
