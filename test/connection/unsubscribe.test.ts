import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { GGSocketPool, GGSocketServer } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished } from "vitest";
import { ExtApi, type ExtOutgoing, serveExt } from "../support/extApi.js";
import { connectedProbe, probe } from "../support/probe.js";
import { Queue } from "../support/queue.js";
import { RawPeer, RawServer } from "../support/rawPeer.js";
import { serve, serveApi } from "../support/server.js";

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

type Callback = () => unknown;

/** One kind of callback: how it is given and taken back, and what makes it run. */
interface Event {
  on(callback: Callback): () => void;
  fire(): unknown;
}

async function rawSocket() {
  const server = await RawServer.start();
  const accepted = server.accept();
  const socket = await GGSocketPool.connect({ domain: server.url, path: "/ws/x" });
  onTestFinished(() => socket.terminate());
  return { socket, peer: await accepted };
}

const EVENTS: Readonly<Record<string, () => Promise<Event>>> = {
  async "client.onConnect"() {
    const { client, server } = await probe();
    return {
      on: (callback) => client.onConnect(() => void callback()),
      async fire() {
        const accepted = server.accept();
        await client.connect();
        await accepted;
      },
    };
  },
  async "client.onState"() {
    const { client } = await connectedProbe();
    return { on: (callback) => client.onState(callback), fire: () => client.close() };
  },
  async "client.onDisconnect"() {
    const { client, peer } = await connectedProbe();
    return { on: (callback) => client.onDisconnect(callback), fire: () => peer.ws.terminate() };
  },
  async "client.onClose"() {
    const { client } = await connectedProbe();
    return { on: (callback) => client.onClose(callback), fire: () => client.close() };
  },
  async "client.onError"() {
    const { client, peer } = await connectedProbe();
    client.incoming.on({ news: () => {} });
    return { on: (callback) => client.onError(callback), fire: () => peer.send("m:Probe.news::5") };
  },
  async "socket.onError"() {
    const { socket, peer } = await rawSocket();
    socket.setUnknownMessageHandler(() => {});
    return { on: (callback) => socket.onError(callback), fire: () => peer.send("m:Any.thing::{") };
  },
  async "socket.onTearDown"() {
    const { socket } = await rawSocket();
    return { on: (callback) => socket.onTearDown(async () => void callback()), fire: () => socket.teardown() };
  },
  async "socket.onClose"() {
    const { socket, peer } = await rawSocket();
    return { on: (callback) => socket.onClose(callback), fire: () => peer.ws.close(4_001, "gone") };
  },
  async "socket.onClose of a socket that has closed"() {
    const { socket } = await rawSocket();
    socket.terminate();
    const given = new Set<[Callback]>();
    return {
      on(callback) {
        const entry: [Callback] = [callback];
        given.add(entry);
        return () => given.delete(entry);
      },
      fire: () => Array.from(given, ([callback]) => socket.onClose(callback)()),
    };
  },
  async "outgoing.onClose"() {
    const { url, outgoings } = await serveExt();
    const peer = await RawPeer.connect(url);
    const outgoing = await outgoings.next();
    return { on: (callback) => outgoing.onClose(callback), fire: () => peer.ws.terminate() };
  },
  async "server.onConnection"() {
    const { server, url } = await serveExt();
    return { on: (callback) => server.onConnection(callback), fire: () => RawPeer.connect(url) };
  },
  async "new GGSocketServer().onConnection"() {
    const { server, url } = await serve((http) => new GGSocketServer(http, { apiName: "Raw", path: "/raw" }));
    return { on: (callback) => server.onConnection(callback), fire: () => RawPeer.connect(url + server.path) };
  },
};

describe.each(Object.entries(EVENTS))("%s", (_name, open) => {
  it("runs no callback that was taken back, and all others", async () => {
    const { on, fire } = await open();
    const events = new Queue<string>();
    on(() => events.push("first"));
    const takeBack = on(() => events.push("taken back"));
    on(() => events.push("last"));
    takeBack();
    takeBack();
    await fire();
    expect(await events.take(2)).toEqual(["first", "last"]);
    expect(events.unseen).toEqual([]);
  });

  it("takes back one of two registrations of a callback that may run, or take itself back, meanwhile", async () => {
    const { on, fire } = await open();
    const events = new Queue<string>();
    const own: (() => void)[] = [];
    const twice = () => {
      events.push("twice");
      for (const takeBack of own) takeBack();
    };
    own.push(on(twice));
    on(() => events.push("between"));
    own.push(on(twice));
    own[1]?.();
    on(() => events.push("last"));
    await fire();
    expect(await events.take(3)).toEqual(["twice", "between", "last"]);
    expect(events.unseen).toEqual([]);
  });
});

it("chains registrations where 0.0.39 does, and takes back the last of the chain", async () => {
  const { socket, peer } = await rawSocket();
  const events = new Queue<string>();
  const takeBack = socket
    .onError(() => events.push("error"))
    .onTearDown(async () => void events.push("teardown"))
    .onClose(() => events.push("close"))
    .onClose(() => events.push("taken back"));
  expect([takeBack.isOpen, takeBack.pendingRequestCount]).toEqual([true, 0]);
  takeBack.call(undefined);
  const sent = takeBack.send("Any.thing", 1);
  expect(await peer.next()).toBe("m:Any.thing::1");
  await sent;
  await takeBack.teardown();
  expect(await events.take(2)).toEqual(["teardown", "close"]);
  expect([takeBack.isOpen, events.unseen]).toEqual([false, []]);
});

it("chains registrations of a client, which is what they return as well", async () => {
  const { base, outgoings } = await serveExt();
  const events = new Queue<string>();
  const chained = ExtApi.createClient({ url: base })
    .onDisconnect(() => events.push("disconnect"))
    .onError(() => events.push("error"))
    .onClose(() => events.push("taken back"));
  onTestFinished(() => chained.close());
  chained.bind(undefined)();
  chained.incoming.on({ ask: (text) => text });
  await chained.connect();
  expect(await chained.outgoing.echo("hi")).toBe("hi");
  expect(await (await outgoings.next()).ask("you")).toBe("you");
  expect(chained.isConnected).toBe(true);
  await chained.disconnect();
  expect([chained.isConnected, events.unseen]).toEqual([false, ["disconnect"]]);
});

describe("socket.registerHandler and setUnknownMessageHandler", () => {
  it("take back their own handler only", async () => {
    const { socket, peer } = await rawSocket();
    const answer = async () => peer.framesUntilAnswerTo("r:A.x:1:");
    const handled = new Queue<string>();
    const register = (name: string) => socket.registerHandler({ path: "A.x", handler: () => handled.push(name) });
    const first = register("first");
    const second = register("second");
    first();
    await answer();
    second();
    second();
    register("third");
    second();
    await answer();
    expect(handled.unseen).toEqual(["second", "third"]);
  });

  it("leave messages unhandled once all are taken back", async () => {
    const { socket, peer } = await rawSocket();
    const unknown = new Queue<string>();
    const first = socket.setUnknownMessageHandler((path) => unknown.push(`first ${path}`));
    const second = socket.setUnknownMessageHandler((path) => unknown.push(`second ${path}`));
    first();
    peer.send("m:A.y::1");
    expect(await unknown.next()).toBe("second A.y");
    second();
    const handler = socket.registerHandler({ path: "A.x", handler: () => 1 });
    handler();
    peer.send("m:A.y::1", "r:A.x:1:");
    expect(await peer.next()).toContain("ROUTE_NOT_FOUND");
    expect(unknown.unseen).toEqual([]);
  });
});

type Handlers = Partial<Record<"news" | "ask", () => unknown>>;

/** The two ends that take handlers by `incoming.on`: how each is given some, and asked. */
const INCOMING: Readonly<
  Record<string, () => Promise<{ on(handlers: Handlers): () => void; ask(): Promise<string> }>>
> = {
  async "client.incoming"() {
    const { url, outgoings } = await serveExt();
    const client = ExtApi.createClient({ url: new URL(url).origin.replace(/^http/, "ws") });
    onTestFinished(() => client.close());
    await client.connect();
    const outgoing = (await outgoings.next()) as ExtOutgoing;
    return {
      on: (handlers) => client.incoming.on(handlers as never),
      ask: async () => String((await outgoing.ask("?").asResult()).data ?? "nobody"),
    };
  },
  async "a server's incoming"() {
    type Incoming = Parameters<Parameters<typeof ExtApi.startServer>[0]>[0];
    const incomings = new Queue<Incoming>();
    const { url } = await serveApi(ExtApi, (incoming) => incomings.push(incoming));
    const peer = await RawPeer.connect(url);
    const incoming = await incomings.next();
    const serverName = { ask: "echo", news: "note" } as const;
    let id = 0;
    return {
      on: (handlers) => {
        const renamed = Object.entries(handlers).map(([name, handle]) => [serverName[name as "ask"], handle]);
        return incoming.on(Object.fromEntries(renamed) as never);
      },
      async ask() {
        peer.send(`r:Ext.echo:${++id}:"?"`);
        return JSON.parse((await peer.next()).replace(/^s:Ext.echo:\d+:/, "")).data ?? "nobody";
      },
    };
  },
};

describe.each(Object.entries(INCOMING))("%s.on", (_name, open) => {
  it("brings the earlier handler of a method back into force, whatever is taken back first", async () => {
    const { on, ask } = await open();
    const layers = Array.from({ length: 5 }, (_, n) => on({ ask: () => `layer ${n}` }));
    on({ news: () => {} });
    expect(await ask()).toBe("layer 4");
    layers[2]?.();
    expect(await ask()).toBe("layer 4");
    layers[4]?.();
    layers[4]?.();
    expect(await ask()).toBe("layer 3");
    layers[3]?.();
    expect(await ask()).toBe("layer 1");
    layers[0]?.();
    const newest = on({ ask: () => "newest" });
    layers[1]?.();
    expect(await ask()).toBe("newest");
    newest();
    expect(await ask()).toBe("nobody");
  });

  it("takes back one registration of an object that is given twice", async () => {
    const { on, ask } = await open();
    const shared = { ask: () => "shared" };
    const first = on(shared);
    on({ ask: () => "between" });
    const second = on(shared);
    first();
    expect(await ask()).toBe("shared");
    second();
    expect(await ask()).toBe("between");
  });

  it("takes itself back within a handler, whose answer counts", async () => {
    const { on, ask } = await open();
    on({ ask: () => "always" });
    const once = on({
      ask() {
        once();
        return "once";
      },
    });
    expect([await ask(), await ask()]).toEqual(["once", "always"]);
  });

  it("releases handlers that many newer ones cover, so that registering at every render is bounded", async () => {
    const { on, ask } = await open();
    const permanent = on({ ask: () => "permanent", news: () => {} });
    const renders: WeakRef<object>[] = [];
    for (let n = 0; n < 1_000; n++) {
      const handlers = { ask: () => `render ${n}` };
      renders.push(new WeakRef(handlers));
      on(handlers);
    }
    expect(await ask()).toBe("render 999");
    collectGarbage();
    expect(renders.filter((ref) => ref.deref()).length).toBeLessThan(200);
    permanent();
    expect(await ask()).toBe("render 999");
  });
});
