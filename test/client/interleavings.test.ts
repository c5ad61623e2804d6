import { GGContext, GGContextStore } from "@grest-ts/context";
import { SERVER_ERROR } from "@grest-ts/schema";
import { describe, expect, it, vi } from "vitest";
import { failureOf } from "../../src/index.js";
import { displayed, probe } from "../support/probe.js";
import type { RawServer } from "../support/rawPeer.js";

type Client = Awaited<ReturnType<typeof probe>>["client"];
const AT_ONCE = { initialDelayMs: 1, maxDelayMs: 1 };
const passes = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
/** Loses against a promise that settles. */
const hangs = <T>(promise: Promise<T>) => Promise.race([promise, passes(500).then(() => "hangs")]);

async function acceptDrain(server: RawServer, ...more: string[]) {
  const peer = await server.connections.next();
  await peer.next();
  peer.sendTogether('k:::{"ws-capabilities":"drain"}', ...more);
  return peer;
}

/** A client whose connection is drained, and whose replacement is accepted and runs this set-up. */
async function handingOver(setup: () => unknown) {
  const { client, server } = await probe({ reconnect: AT_ONCE });
  const events = record(client);
  let runs = 0;
  const connecting = client.connect((() => (++runs > 1 ? setup() : undefined)) as () => void);
  const first = await acceptDrain(server);
  await connecting;
  first.send("d:::0");
  const second = await acceptDrain(server);
  await vi.waitFor(() => expect(runs).toBe(2));
  return { client, server, events, first, second };
}

function record(client: Client): string[] {
  const events: string[] = [];
  client.onState((state) => events.push(state));
  client.onDisconnect((reason) => events.push(`onDisconnect ${reason}`));
  client.onClose((reason) => events.push(`onClose ${reason}`));
  return events;
}

describe("forceReconnect() during an attempt", () => {
  it.each([false, AT_ONCE])("changes nothing for what ends the connection later (reconnect: %j)", async (reconnect) => {
    const { client, server } = await probe({ reconnect });
    const connecting = Promise.all([client.connect(), client.forceReconnect()]);
    const peer = await server.accept();
    await connecting;
    peer.ws.close(1008);
    await vi.waitFor(() => expect(client.state).not.toBe("connected"));
    await passes(50);
    expect(client.state).toBe("closed");
    expect(server.count).toBe(1);
  });

  it("in the set-up of a replacement ends both connections, and the state is true", async () => {
    const { client, events, first } = await handingOver(() => new Promise(() => {}));
    void client.forceReconnect().catch(() => {});
    await passes(20);
    // The replacement takes calls, as a connection does while it is set up.
    expect([client.state, client.isConnected]).toEqual(["reconnecting", true]);
    await first.closed;
    expect(events.filter((event) => event.startsWith("onDisconnect"))).toEqual(["onDisconnect manual"]);
  });
});

describe("an attempt that is over", () => {
  it("runs no further set-ups: each runs once for a connection", async () => {
    const { client, server } = await probe({ reconnect: AT_ONCE });
    let attempts = 0;
    let joins = 0;
    client.onConnect(() => (++attempts === 1 ? passes(100) : undefined));
    client.onConnect(() => void joins++);
    const connecting = client.connect();
    (await server.accept()).ws.terminate();
    await server.accept();
    await connecting;
    await passes(150);
    expect(joins).toBe(1);
  });

  it("runs no further set-ups after close()", async () => {
    const { client, server } = await probe();
    let joins = 0;
    client.onConnect(() => passes(30));
    client.onConnect(() => void joins++);
    const connecting = client.connect().catch(() => {});
    await server.accept();
    await passes(10);
    client.close();
    await connecting;
    await passes(50);
    expect(joins).toBe(0);
  });

  it("leaves connect() in the set-ups of the next one as it is", async () => {
    const { client, server } = await probe({ reconnect: AT_ONCE });
    let attempts = 0;
    client.onConnect(async () => {
      if (++attempts === 1) return passes(50);
      await passes(100);
      await client.connect();
    });
    const connecting = client.connect();
    (await server.accept()).ws.terminate();
    await server.accept();
    expect(await hangs(connecting)).toBe(undefined);
  });

  it("runs no set-up that was taken back meanwhile", async () => {
    const { client, server } = await probe();
    let ran = false;
    client.onConnect(() => passes(30));
    const takeBack = client.onConnect(() => {
      ran = true;
    });
    const connecting = client.connect();
    await server.accept();
    await passes(10);
    takeBack();
    await connecting;
    expect(ran).toBe(false);
  });
});

describe("a drain", () => {
  it("that is announced while a set-up runs is followed after it", async () => {
    const { client, server } = await probe({ reconnect: AT_ONCE });
    const connecting = client.connect(() => passes(50));
    await acceptDrain(server, "d:::0");
    await connecting;
    await vi.waitFor(() => expect(server.count).toBe(2), 500);
  });

  it("ends once, also when the drained connection is lost before close()", async () => {
    const { client, events, first } = await handingOver(() => new Promise(() => {}));
    first.ws.close(1001);
    await first.closed;
    await passes(20);
    client.close();
    await passes(20);
    expect(events.filter((event) => event.startsWith("onClose"))).toEqual(["onClose manual"]);
  });

  it("loses no call, though the set-up of the replacement fails", async () => {
    const { client, first } = await handingOver(async () => {
      await passes(200);
      throw new Error("not now");
    });
    const call = client.outgoing.echo({ text: "meanwhile" }).asResult();
    expect(await hangs(first.next())).toMatch("meanwhile");
    first.send('s:Probe.echo:1:{"success":true,"type":"OK","data":{"text":"x"}}');
    expect((await call).success).toBe(true);
  });

  it("loses no call to disconnect() in the set-up of the replacement", async () => {
    const { client, first, second } = await handingOver(() => passes(500));
    const call = client.outgoing.echo({ text: "x" }).asResult();
    const reply = 's:Probe.echo:1:{"success":true,"type":"OK","data":{"text":"x"}}';
    for (const peer of [first, second]) void peer.next().then(() => setTimeout(() => peer.send(reply), 20));
    await passes(5);
    await client.disconnect();
    expect((await call).success).toBe(true);
  });
});

describe("connect()", () => {
  it.each(["beforeConnect, after an await", "updateHandshake", "a set-up, in a context of its own"])(
    "never hangs in %s",
    async (where) => {
      let isFirst = true;
      const once = async () => {
        if (!isFirst) return;
        isFirst = false;
        await passes(1);
        await client.connect().catch(() => {});
      };
      const { client, server } = await probe(
        where.startsWith("before")
          ? { beforeConnect: once }
          : where.startsWith("update")
            ? { middlewares: [{ updateHandshake: once }] }
            : {},
      );
      void server.accept().catch(() => {});
      const setup = where.startsWith("a set-up")
        ? () => new GGContext("own", GGContextStore.getContext()).run(once)
        : undefined;
      expect(
        await hangs(
          client.connect(setup).then(
            () => "settles",
            () => "settles",
          ),
        ),
      ).toBe("settles");
    },
  );

  it("says what a callback of the program threw", async () => {
    const { client } = await probe({
      beforeConnect() {
        throw new Error("no token");
      },
    });
    const error = await client.connect().catch((thrown: unknown) => thrown);
    expect(failureOf(error)).toMatchObject({ wasSent: false });
    expect(displayed(error)).toMatch("beforeConnect");
  });
});

it("connect() after disconnect() begins one session, also when onDisconnect connects", async () => {
  const { client, server } = await probe();
  const connecting = client.connect();
  await server.accept();
  await connecting;
  client.onDisconnect(() => void client.connect().catch(() => {}));
  void client.disconnect();
  const again = client.connect();
  await server.accept();
  await again;
  client.close();
  expect(server.count).toBe(2);
});

it("onClose follows onDisconnect, also when a callback of onState closes", async () => {
  const { client, server } = await probe({ reconnect: true });
  client.onState((state) => state === "reconnecting" && client.close());
  const events = record(client);
  const connecting = client.connect();
  const peer = await server.accept();
  await connecting;
  events.length = 0;
  peer.ws.terminate();
  await vi.waitFor(() => expect(events.length).toBeGreaterThan(2));
  await passes(10);
  expect(events.filter((event) => event.startsWith("on"))).toEqual(["onDisconnect drop", "onClose manual"]);
  expect(events.at(-1)).not.toBe("reconnecting");
});

it("a client that closes because its server does not read is not connected", async () => {
  const { client, server } = await probe({ maxOutboxBytes: 100_000, reconnect: AT_ONCE });
  const connecting = client.connect();
  const peer = await server.accept();
  await connecting;
  (peer.ws as unknown as { _socket: { pause(): void } })._socket.pause();
  for (let isFull = false; !isFull; await new Promise(setImmediate))
    isFull = !(await client.outgoing.note({ text: "x".repeat(90_000) }).asResult()).success;
  expect(client.state).toBe("reconnecting");
});

it("an abort does not close a connection that is full", async () => {
  const { client, server } = await probe({ maxOutboxBytes: 2_000_000 });
  const connecting = client.connect();
  const peer = await server.connections.next();
  await peer.next();
  peer.send('k:::{"ws-capabilities":"cancel"}');
  await connecting;
  (peer.ws as unknown as { _socket: { pause(): void } })._socket.pause();
  const controller = new AbortController();
  const call = client.outgoing.echo({ text: "x" }, { signal: controller.signal }).asResult();
  const droppable = { droppable: true };
  for (const length of [99_990, 990, 0])
    for (let i = 0; i < (length > 1000 ? 300 : 3_000); i++) {
      void (length
        ? client.outgoing.note({ text: "x".repeat(length) }, droppable)
        : client.outgoing.ping(undefined, droppable));
      if (i % (length > 1000 ? 1 : 100) === 0) await new Promise(setImmediate);
    }
  controller.abort();
  await call;
  expect(client.isConnected).toBe(true);
});

it("an error equals one of the framework's with the same parts, strictly", async () => {
  const { client } = await probe();
  const error = await client.outgoing.echo({ text: "x" }).asResult();
  expect(error).toStrictEqual(new SERVER_ERROR((error as unknown as { context: object }).context));
});
