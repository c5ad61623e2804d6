import { GGHttpServer } from "@grest-ts/http";
import {
  GGSocketGroup,
  GGSocketPool,
  GGSocketServer,
  type GGSocketServer as SocketServer,
  type WebSocketIncoming,
  webSocketSchema,
} from "@grest-ts/websocket";
import { callOn } from "@grest-ts/websocket/testkit";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { nodePlatform } from "../../src/client/platform/node.js";
import { SocketPool } from "../../src/client/pool.js";
import { ExtApi, type ExtOutgoing, extContract, serveExt } from "../support/extApi.js";
import { Queue } from "../support/queue.js";
import { RawPeer, RawServer } from "../support/rawPeer.js";
import { serve, serveApi } from "../support/server.js";
import { WRAPPINGS } from "../support/wrappings.js";

/** A public object, and a use of each of its members, in this order. */
interface Subject {
  readonly object: object;
  readonly use: Readonly<Record<string, (object: never) => unknown>>;
}

function subject<T extends object>(object: T, use: { readonly [K in string & keyof T]-?: (object: T) => unknown }) {
  return { object, use } satisfies Subject;
}

/** An open connection of the API: its client, and what its server holds. */
async function connected() {
  const { base, outgoings, events, server } = await serveExt();
  const client = ExtApi.createClient({ url: base });
  onTestFinished(() => client.close());
  await client.connect();
  return { base, client, events, server, outgoing: await outgoings.next() };
}

async function rawSocket() {
  const server = await RawServer.start();
  const accepted = server.accept();
  const socket = await GGSocketPool.connect({ domain: server.url, path: "/ws/x" });
  onTestFinished(() => socket.terminate());
  return { socket, peer: await accepted };
}

async function serverSubject(server: SocketServer, url: string) {
  const accepted = new Queue<boolean>();
  return subject(server, {
    apiName: (it) => expect(it.apiName).toBeTypeOf("string"),
    path: (it) => expect(url).toContain(it.path),
    async onConnection(it) {
      it.onConnection((socket) => accepted.push(socket.isOpen));
      await RawPeer.connect(url);
      expect(await accepted.next()).toBe(true);
    },
    connectionCount: (it) => expect(it.connectionCount).toBe(1),
    closeConnections: (it) => expect(it.closeConnections(() => true)).toBe(1),
    to: (it) => expect(it.to("user:ann")).toBeTypeOf("object"),
    teardown: (it) => it.teardown(),
  });
}

const SUBJECTS: Readonly<Record<string, () => Promise<Subject>>> = {
  async "a client"() {
    const { base } = await serveExt();
    const client = ExtApi.createClient({ url: base });
    onTestFinished(() => client.close());
    const events = new Queue<string>();
    return subject(client, {
      incoming: (it) => it.incoming.on({ ask: (text) => text }),
      onConnect: (it) => it.onConnect(() => events.push("connect")),
      onState: (it) => it.onState((state) => events.push(state)),
      onDisconnect: (it) => it.onDisconnect(() => events.push("disconnect")),
      onError: (it) => it.onError(() => {}),
      onClose: (it) => it.onClose(() => events.push("close")).call(undefined),
      connect: (it) => it.connect(),
      isConnected: (it) => expect(it.isConnected).toBe(true),
      state: (it) => expect(it.state).toBe("connected"),
      outgoing: async (it) => expect(await it.outgoing.echo("hi")).toBe("hi"),
      disconnect: (it) => it.disconnect(),
      async forceReconnect(it) {
        await it.forceReconnect();
        expect(await it.outgoing.echo("again")).toBe("again");
      },
      async close(it) {
        it.close();
        expect(it.isConnected).toBe(false);
        expect(events.unseen.filter((event) => event === "connect")).toHaveLength(2);
        expect(events.unseen).not.toContain("close");
      },
    });
  },
  async "client.outgoing"() {
    const { client, events } = await connected();
    return subject(client.outgoing, {
      echo: async (it) => expect(await it.echo("hi")).toBe("hi"),
      wait: (it) => void it.wait("w").asResult(),
      nest: async (it) => expect(await it.nest({})).toBe("fine"),
      async note(it) {
        await it.note("n");
        expect(await events.take(2)).toEqual(["begun w", "note n"]);
      },
    });
  },
  async "client.incoming"() {
    const { client, outgoing } = await connected();
    return subject(client.incoming, {
      async on(it) {
        const takeBack = it.on({ ask: (text) => text });
        expect(await outgoing.ask("hi")).toBe("hi");
        takeBack();
      },
    });
  },
  async "a server's outgoing"() {
    const { client, outgoing } = await connected();
    const news = new Queue<string>();
    client.incoming.on({ ask: (text) => text, news: ({ text }) => void news.push(text) });
    const group = new GGSocketGroup(ExtApi);
    return subject(outgoing, {
      ask: async (it) => expect(await it.ask("hi")).toBe("hi"),
      async news(it) {
        it.news({ text: "new" });
        expect(await news.next()).toBe("new");
      },
      async onClose(it) {
        const closed = new Promise<void>((resolve) => it.onClose(resolve));
        client.close();
        await closed;
        expect(group.size).toBe(0);
      },
    });
  },
  async "a server's incoming"() {
    type Incoming = WebSocketIncoming<typeof extContract.methods.clientToServer>;
    const incomings = new Queue<Incoming>();
    const { url } = await serveApi(ExtApi, (incoming) => incomings.push(incoming));
    const peer = await RawPeer.connect(url);
    return subject(await incomings.next(), {
      async on(it) {
        it.on({ echo: (text) => text, note: () => {}, wait: () => "", nest: () => "" });
        peer.send('r:Ext.echo:1:"hi"');
        expect(await peer.next()).toContain('"hi"');
      },
    });
  },
  async "a raw socket"() {
    const { socket, peer } = await rawSocket();
    const events = new Queue<string>();
    return subject(socket, {
      isOpen: (it) => expect(it.isOpen).toBe(true),
      async send(it) {
        await it.send("A.x", 1);
        expect(await peer.next()).toBe("m:A.x::1");
      },
      pendingRequestCount: (it) => expect(it.pendingRequestCount).toBe(0),
      async registerHandler(it) {
        it.registerHandler({ path: "A.x", handler: () => "here" });
        peer.send("r:A.x:1:");
        expect(await peer.next()).toContain("here");
      },
      unregisterHandler: (it) => it.unregisterHandler("A.x"),
      async setUnknownMessageHandler(it) {
        it.setUnknownMessageHandler((path) => events.push(path));
        peer.send("m:A.x::1");
        expect(await events.next()).toBe("A.x");
      },
      onError: (it) => it.onError(() => events.push("error")),
      onTearDown: (it) => it.onTearDown(async () => void events.push("teardown")),
      onClose: (it) => it.onClose(() => events.push("close")),
      teardown: (it) => it.teardown(),
      close: (it) => it.close(),
      terminate: (it) => it.terminate(),
      async closed(it) {
        await it.closed();
        expect(it.isOpen).toBe(false);
        expect(events.unseen).toEqual(["teardown", "close"]);
      },
    });
  },
  async "the pool"() {
    const server = await RawServer.start();
    const config = { domain: server.url, path: "/ws/x" };
    const pool = new SocketPool(nodePlatform);
    onTestFinished(() => pool.closeAll(false));
    return subject(pool, {
      setAdapter: (it) => it.setAdapter(undefined),
      async connect(it) {
        const accepted = server.accept();
        (await it.connect(config)).terminate();
        await accepted;
      },
      async getOrConnect(it) {
        const accepted = server.accept();
        expect(await it.getOrConnect(config)).toBe(await it.getOrConnect(config));
        await accepted;
      },
      size: (it) => expect(it.size).toBe(1),
      pendingSize: (it) => expect(it.pendingSize).toBe(0),
      getConnectionKeys: (it) => expect(it.getConnectionKeys()).toHaveLength(1),
      closeAll: (it) => it.closeAll(),
      removeFromPool: (it) => expect(it.removeFromPool("none")).toBe(false),
    });
  },
  async "a group"() {
    const { client, outgoing } = await connected();
    const news = new Queue<string>();
    client.incoming.on({ news: ({ text }) => void news.push(text) });
    return subject(new GGSocketGroup(ExtApi), {
      add: (it) => it.add(outgoing),
      has: (it) => expect(it.has(outgoing)).toBe(true),
      size: (it) => expect(it.size).toBe(1),
      async news(it) {
        it.news({ text: "new" });
        expect(await news.next()).toBe("new");
      },
      position: (it) => expect(it.position).toBeUndefined(),
      count: async (it) => expect(await it.count()).toBe(1),
      present: async (it) => expect(await it.present()).toEqual([]),
      onPresence: (it) => it.onPresence(() => {})(),
      remove: (it) => expect(it.remove(outgoing)).toBe(true),
      closeAll: (it) => expect(it.closeAll()).toBe(0),
    });
  },
  async "the server of an API"() {
    const { server, url } = await serveExt();
    return serverSubject(server, url);
  },
  async "a server without a contract"() {
    const { server, url } = await serve((http) => new GGSocketServer(http, { apiName: "Raw", path: "raw" }));
    return serverSubject(server, url + server.path);
  },
  async "a schema"() {
    const Api = webSocketSchema(extContract).path("ws/schema").done();
    const http = new GGHttpServer({ port: 0 });
    const other = new GGHttpServer({ port: 0 });
    onTestFinished(async () => void (await Promise.all([http.teardown(), other.teardown()])));
    return {
      object: Api,
      use: {
        name: (it) => expect(it.name).toBe("Ext"),
        path: (it) => expect(it.path).toBe("ws/schema"),
        middlewares: (it) => expect(it.middlewares).toEqual([]),
        methods: (it) => expect(it.methods).toBe(extContract.methods),
        contract: (it) => expect(it.contract.apiName).toBe("Ext"),
        register: (it) => it.register(() => {}, { http: other }),
        async startServer(it) {
          it.startServer((incoming) => incoming.on({ echo: (text: string) => text } as never), { http });
          await http.start();
        },
        async createClient(it) {
          const client = it.createClient({ url: `ws://127.0.0.1:${http.port}` });
          await client.connect();
          expect(await client.outgoing.echo("hi")).toBe("hi");
          client.close();
          expect(new GGSocketGroup(it).size).toBe(0);
          expect(await callOnce(it)).toBe("hi");
        },
      } satisfies Record<string, (it: typeof Api) => unknown>,
    };
  },
  async "a test's API"() {
    const { base } = await serveExt();
    const api = callOn(ExtApi, { url: base });
    return {
      object: api,
      use: {
        connect: (it) => it.connect(),
        mock: (it) => expect(it.mock.news.path).toBe("Ext.news"),
        echo: async (it) => expect(await it.echo("hi").toEqual("hi")).toBe("hi"),
        disconnect: (it) => it.disconnect(),
      } satisfies Record<string, (it: typeof api) => unknown>,
    };
  },
  async "a test's call"() {
    const { base } = await serveExt();
    const api = callOn(ExtApi, { url: base });
    await api.connect();
    const call = api.echo("hi");
    return {
      object: call,
      use: {
        path: (it) => expect(it.path).toBe("Ext.echo"),
        toEqual: (it) => void it.toEqual("hi"),
        toHaveLength: (it) => void it.toHaveLength(2),
        // biome-ignore lint/suspicious/noThenProperty: awaiting it is its use.
        then: async (it) => expect(await it).toBe("hi"),
        catch: (it) => it.catch(() => {}),
        finally: (it) => it.finally(() => {}),
      } satisfies Record<string, (it: typeof call) => unknown>,
    };
  },
  async "a test's expectation"() {
    const { base, outgoings } = await serveExt();
    const api = callOn(ExtApi, { url: base });
    await api.connect();
    const outgoing: ExtOutgoing = await outgoings.next();
    const mock = api.mock.ask;
    return {
      object: mock,
      use: {
        path: (it) => expect(it.path).toBe("Ext.ask"),
        toEqual: (it) => void it.toEqual("?"),
        andReturn: (it) => void it.andReturn("!"),
        sleep: (it) => void it.sleep(1),
        // biome-ignore lint/suspicious/noThenProperty: awaiting it is its use.
        async then(it) {
          const answer = outgoing.ask("?").asResult();
          expect(await it).toBe("?");
          expect(await answer).toMatchObject({ data: "!" });
        },
      } satisfies Record<string, (it: typeof mock) => unknown>,
    };
  },
};

async function callOnce(schema: typeof ExtApi): Promise<string> {
  const api = callOn(schema);
  await api.connect();
  return api.echo("hi");
}

describe.each(Object.entries(SUBJECTS))("%s", (_name, open) => {
  it.each(Object.entries(WRAPPINGS))("works %s", async (_way, wrap) => {
    const { object, use } = await open();
    const isMethod = (name: string) =>
      typeof Object.getOwnPropertyDescriptor(findOwner(object, name), name)?.value === "function";
    const methods = Object.keys(use).filter(isMethod);
    const wrapped = wrap(object, methods as never);
    for (const useMember of Object.values(use)) await useMember(wrapped as never);
    for (const name of methods) {
      const method: unknown = Reflect.get(wrapped, name);
      if (vi.isMockFunction(method)) expect(method).toHaveBeenCalled();
    }
  });
});

/** The object itself, or what it inherits this member from. */
function findOwner(object: object, name: string): object {
  if (Object.hasOwn(object, name)) return object;
  return findOwner(Object.getPrototypeOf(object) as object, name);
}
