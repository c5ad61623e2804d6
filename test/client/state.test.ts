import { SERVER_ERROR } from "@grest-ts/schema";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { ClientState, ClientStateDetail, GGWebSocketClientConfig } from "../../src/index.js";
import { failureOf } from "../../src/index.js";
import { Gate } from "../support/gate.js";
import { connectedProbe, displayed, ProbeApi, probe } from "../support/probe.js";
import { Queue } from "../support/queue.js";
import { RawServer } from "../support/rawPeer.js";
import { closedPort } from "../support/tcp.js";

const AT_ONCE = { initialDelayMs: 0, maxDelayMs: 0 };

/** A client that records its states, and the raw server that it is to connect to. */
async function observed(config: Partial<GGWebSocketClientConfig> = {}) {
  const { client, ...others } = await probe(config);
  const states = new Queue<[ClientState, ClientStateDetail]>();
  client.onState((...state) => states.push(state));
  const next = async (state: ClientState) => {
    const [reported, detail] = await states.next();
    expect(reported).toBe(state);
    expect(client.state).toBe(state);
    return detail;
  };
  return { client, states, next, ...others };
}

describe("the state of a client", () => {
  it("is idle, connecting, connected and closed, and the same again", async () => {
    const { client, server, next, states } = await observed();
    expect(client.state).toBe("idle");
    for (const end of ["disconnect", "close"] as const) {
      const connecting = client.connect();
      expect(await next("connecting")).toEqual({ attempt: 1 });
      await server.accept();
      await connecting;
      expect(await next("connected")).toEqual({ attempt: 0 });
      await client[end]();
      expect(await next("closed")).toEqual({ attempt: 0 });
    }
    expect(states.unseen).toEqual([]);
  });

  it("is connected only when the set-ups are done", async () => {
    const { client, server, next } = await observed();
    const gate = new Gate();
    const connecting = client.connect(() => gate.passed);
    await next("connecting");
    await server.accept();
    await vi.waitFor(() => expect(client.isConnected).toBe(true));
    expect(client.state).toBe("connecting");
    gate.open();
    await connecting;
    await next("connected");
  });

  it("is closed with the error when the first connect fails", async () => {
    const { client, server, next } = await observed({ reconnect: AT_ONCE });
    const connecting = client.connect().catch((error: unknown) => error);
    await next("connecting");
    (await server.connections.next()).ws.terminate();
    const { attempt, error } = await next("closed");
    expect(attempt).toBe(1);
    expect(error).toBe(await connecting);
  });

  it("counts the attempts and says when the next one follows, and why", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    onTestFinished(() => void vi.restoreAllMocks());
    const { client, server, next } = await observed({ reconnect: { initialDelayMs: 20, multiplier: 1 } });
    const connecting = client.connect();
    await next("connecting");
    const first = await server.accept();
    await connecting;
    await next("connected");
    const before = Date.now();
    first.ws.close(1012, "later");
    let { error, nextTryAt, ...detail } = await next("reconnecting");
    expect(detail).toEqual({ attempt: 0 });
    expect(nextTryAt).toBeGreaterThanOrEqual(before + 10);
    expect(nextTryAt).toBeLessThanOrEqual(Date.now() + 10);
    expect(displayed(error)).toBe("Probe: closed with 1012 (later)");
    expect(failureOf(error)).toEqual({ reason: "disconnected", wasSent: false, closeCode: 1012 });
    ({ error, nextTryAt, ...detail } = await next("reconnecting"));
    expect([detail, nextTryAt]).toEqual([{ attempt: 1 }, undefined]);
    (await server.connections.next()).ws.terminate();
    expect(await next("reconnecting")).toMatchObject({ attempt: 1, nextTryAt: expect.any(Number) });
    expect(await next("reconnecting")).toMatchObject({ attempt: 2, nextTryAt: undefined });
    await server.accept();
    expect(await next("connected")).toEqual({ attempt: 0 });
  });

  it("stays connected while a connection is replaced", async () => {
    const { client, server, next, states } = await observed({ reconnect: AT_ONCE });
    const connecting = client.connect();
    await next("connecting");
    const first = await server.connections.next();
    await first.next();
    first.send('k:::{"ws-capabilities":"drain"}');
    await connecting;
    await next("connected");
    const replaced = new Promise((resolve) => client.onDisconnect(resolve));
    first.send("d:::0");
    await server.accept();
    expect(await replaced).toBe("drop");
    expect(client.state).toBe("connected");
    expect(states.unseen).toEqual([]);
  });

  it("is there already when onDisconnect runs, and reported before onClose", async () => {
    const { client, peer } = await connectedProbe();
    const seen: string[] = [];
    client.onState((state) => seen.push(`state ${state}`));
    client.onDisconnect((reason) => seen.push(`disconnect ${reason} ${client.state}`));
    const closed = new Promise<void>((resolve) => {
      client.onClose((reason) => {
        seen.push(`close ${reason} ${client.state}`);
        resolve();
      });
    });
    peer.ws.terminate();
    await closed;
    expect(seen).toEqual(["disconnect drop closed", "state closed", "close drop closed"]);
  });
});

describe("the first connect, with reconnect.initial", () => {
  it("is retried until the server is there", async () => {
    const port = await closedPort();
    const { client, next } = await observed({
      url: `ws://127.0.0.1:${port}`,
      reconnect: { ...AT_ONCE, initial: true },
    });
    let isConnected = false;
    const connecting = client.connect().then(() => {
      isConnected = true;
    });
    await next("connecting");
    for (let attempt = 1; attempt < 4; attempt++) {
      const { error, ...detail } = await next("connecting");
      expect(detail.attempt).toBe(attempt);
      expect(failureOf(error)?.reason).toBe("unreachable");
      await next("connecting");
    }
    expect(isConnected).toBe(false);
    const early = await client.outgoing.echo({ text: "x" }).asResult();
    expect(failureOf(early)).toEqual({ reason: "not-connected", wasSent: false });
    const server = await RawServer.start(port);
    await server.accept();
    await connecting;
    expect(client.state).toBe("connected");
  });

  it.each([
    ["for good", "FORBIDDEN", {}, 1],
    ["for now, as often as maxAttempts permits", "SERVER_ERROR", { maxAttempts: 2 }, 2],
  ])("ends when the server refuses %s", async (_, type, options, dials) => {
    const { client, server } = await probe({ reconnect: { ...AT_ONCE, ...options, initial: true } });
    const closes: string[] = [];
    client.onClose((reason) => closes.push(reason));
    const connecting = client.connect().catch((error: unknown) => error);
    for (let n = 0; n < dials; n++) {
      const peer = await server.connections.next();
      await peer.next();
      peer.send(`x:::{"success":false,"type":"${type}"}`);
    }
    const error = await connecting;
    expect(error).toMatchObject({ type });
    expect(failureOf(error)?.reason).toBe("refused");
    expect(client.state).toBe("closed");
    expect(server.count).toBe(dials);
    // There was no connection that could have closed.
    expect(closes).toEqual([]);
  });

  it.each(["disconnect", "close"] as const)("ends with %s()", async (end) => {
    const port = await closedPort();
    const reconnect = { initial: true, initialDelayMs: 2 ** 30, maxDelayMs: 2 ** 30 };
    const { client, next } = await observed({ url: `ws://127.0.0.1:${port}`, reconnect });
    const connecting = client.connect().catch((error: unknown) => error);
    await next("connecting");
    await next("connecting");
    await client[end]();
    expect(failureOf(await connecting)?.reason).toBe("aborted");
    expect(client.state).toBe("closed");
  });

  it("does not retry what only the program can mend", async () => {
    const client = ProbeApi.createClient({ url: "nonsense", reconnect: { ...AT_ONCE, initial: true } });
    const error = await client.connect().catch((thrown: unknown) => thrown);
    expect(failureOf(error)?.reason).toBe("invalid-input");
    expect(client.state).toBe("closed");
  });
});

describe("a connection that is lost while a set-up waits", () => {
  it("is made again, and connect() waits for that", async () => {
    const { client, server, next } = await observed({ reconnect: AT_ONCE });
    let setups = 0;
    const connecting = client.connect(async ({ outgoing }) => {
      setups++;
      await outgoing.echo({ text: "join" });
    });
    await next("connecting");
    const first = await server.accept();
    await first.next();
    first.ws.terminate();
    await next("connecting");
    await next("connecting");
    const second = await server.accept();
    await second.next();
    second.send('s:Probe.echo:1:{"success":true,"type":"OK","data":{"text":"x"}}');
    await connecting;
    await next("connected");
    expect(setups).toBe(2);
  });

  it("settles connect(), without reconnect too, whatever becomes of the set-up", async () => {
    const { client, server } = await observed();
    const connecting = client.connect(() => new Promise<void>(() => {})).catch((error: unknown) => error);
    (await server.accept()).ws.terminate();
    expect(failureOf(await connecting)?.reason).toBe("disconnected");
    expect(client.state).toBe("closed");
  });

  it("ends a set-up that was added later as well", async () => {
    const { client, peer } = await connectedProbe();
    const adding = client.connect(() => new Promise<void>(() => {})).catch((error: unknown) => error);
    peer.ws.terminate();
    expect(failureOf(await adding)?.reason).toBe("disconnected");
  });
});

describe("methods of the client inside its callbacks", () => {
  it("connect() in a set-up resolves at once", async () => {
    const { client, server } = await probe();
    const connecting = client.connect(async () => client.connect());
    await server.accept();
    await connecting;
    expect(client.state).toBe("connected");
  });

  it("connect() in beforeConnect says that it would wait for itself", async () => {
    const errors: unknown[] = [];
    const { client, server } = await probe({
      beforeConnect: async () => {
        await client.connect().catch((error: unknown) => errors.push(error));
      },
    });
    const connecting = client.connect();
    await server.accept();
    await connecting;
    expect(errors.map(displayed)).toEqual(["Probe: connect() waits for itself"]);
  });

  it.each(["onDisconnect", "onClose", "onState"] as const)("connect() in %s connects anew", async (name) => {
    const { client, server, peer } = await connectedProbe();
    let isFirst = true;
    const connecting = new Gate<Promise<void>>();
    const callback = () => {
      if (isFirst) connecting.open(client.connect());
      isFirst = false;
    };
    if (name === "onState") client.onState((state) => state === "closed" && callback());
    else client[name](callback);
    peer.ws.terminate();
    await server.accept();
    await connecting.passed;
    expect(client.isConnected).toBe(true);
  });

  it("forceReconnect() in onDisconnect ends the delay", async () => {
    const reconnect = { initialDelayMs: 2 ** 30, maxDelayMs: 2 ** 30 };
    const { client, server, peer } = await connectedProbe({ reconnect });
    let forced: Promise<void> | undefined;
    client.onDisconnect(() => {
      forced ??= client.forceReconnect();
    });
    peer.ws.terminate();
    await server.accept();
    await forced;
    expect(client.state).toBe("connected");
  });
});

describe("a drained connection", () => {
  const DRAIN = 'k:::{"ws-capabilities":"drain"}';

  async function drained() {
    const { client, server } = await probe({ reconnect: AT_ONCE });
    const connecting = client.connect();
    const first = await server.connections.next();
    await first.next();
    first.send(DRAIN);
    await connecting;
    const call = client.outgoing.echo({ text: "in flight" }).asResult();
    await first.next();
    const replaced = new Promise<void>((resolve) => client.onDisconnect(() => resolve()));
    first.send("d:::0");
    return { client, server, first, call, replaced };
  }

  it("serves until there is another: no call is refused", async () => {
    const { client, server, first, replaced } = await drained();
    const second = await server.connections.next();
    const meanwhile = client.outgoing.echo({ text: "meanwhile" });
    expect(await first.next()).toMatch("meanwhile");
    first.send('s:Probe.echo:2:{"success":true,"type":"OK","data":{"text":"x"}}');
    expect(await meanwhile).toEqual({ text: "x" });
    await second.next();
    second.send("k:::null");
    await replaced;
    void client.outgoing.echo({ text: "after" });
    expect(await second.next()).toMatch("after");
  });

  it("serves on when its replacement fails, and another attempt follows", async () => {
    const { client, server, replaced } = await drained();
    (await server.connections.next()).ws.terminate();
    await server.connections.next().then((peer) => {
      expect(client.state).toBe("connected");
      peer.ws.terminate();
    });
    await server.accept();
    await replaced;
    expect(client.isConnected).toBe(true);
  });

  it.each(["close", "disconnect"] as const)("is ended by %s() together with its replacement", async (end) => {
    const { client, server, first, call, replaced } = await drained();
    const second = await server.accept();
    await replaced;
    const ended = client[end]();
    if (end === "disconnect") first.send('s:Probe.echo:1:{"success":true,"type":"OK","data":{"text":"x"}}');
    await ended;
    expect((await call).success).toBe(end === "disconnect");
    await Promise.all([first.closed, second.closed]);
  });

  it("loses its replacement in the set-up, and serves on", async () => {
    const { client, server } = await probe({ reconnect: AT_ONCE });
    let mustFail = false;
    const connecting = client.connect(() => {
      if (mustFail) throw new Error("not now");
    });
    const first = await server.connections.next();
    await first.next();
    first.send(DRAIN);
    await connecting;
    mustFail = true;
    first.send("d:::0");
    await (await server.accept()).closed;
    void client.outgoing.echo({ text: "again" });
    expect(await first.next()).toMatch("again");
    mustFail = false;
    const replaced = new Promise<void>((resolve) => client.onDisconnect(() => resolve()));
    // Attempts go on until one succeeds.
    for (let isReplaced = false; !isReplaced; ) {
      await server.accept();
      isReplaced = await Promise.race([replaced.then(() => true), server.connections.next().then(() => false)]);
    }
    expect(client.state).toBe("connected");
  });
});

describe("onConnect()", () => {
  it("runs for each connection, at once when there is one, until it is taken back", async () => {
    const { client, server } = await probe({ reconnect: AT_ONCE });
    const runs: string[] = [];
    client.onConnect(() => void runs.push("early"));
    const connecting = client.connect(() => void runs.push("connect"));
    const first = await server.accept();
    await connecting;
    const takeBack = client.onConnect(() => void runs.push("late"));
    expect(runs.splice(0)).toEqual(["early", "connect", "late"]);
    first.ws.terminate();
    const second = await server.accept();
    await client.connect();
    expect(runs.splice(0)).toEqual(["early", "late", "connect"]);
    takeBack();
    second.ws.terminate();
    await server.accept();
    await client.connect();
    expect(runs.splice(0)).toEqual(["early", "connect"]);
    // It outlasts the session, unlike what connect() was given.
    client.close();
    const again = client.connect();
    await server.accept();
    await again;
    expect(runs.splice(0)).toEqual(["early"]);
  });

  it.each([new Error("broken"), new SERVER_ERROR()])("logs what a late set-up throws: %s", async (thrown) => {
    const { client, logger } = await connectedProbe();
    client.onConnect(() => Promise.reject(thrown));
    await vi.waitFor(() => expect(logger.entries).toHaveLength(1));
    expect(logger.entries[0]).toMatchObject({ message: "Probe: the setup callback failed" });
  });
});
