import { inspect } from "node:util";
import { IsString } from "@grest-ts/schema";
import {
  GGSocket,
  GGSocketGroup,
  GGSocketServer,
  type SocketAdapter,
  type GGSocketServer as SocketServer,
  webSocketSchema,
} from "@grest-ts/websocket";
import { reactive } from "@vue/reactivity";
import { describe, expect, it, onTestFinished } from "vitest";
import { ExtApi, extContract, serveExt } from "../support/extApi.js";
import { Gate } from "../support/gate.js";
import { Queue } from "../support/queue.js";
import { serve } from "../support/server.js";
import { deepProxy } from "../support/wrappings.js";

/** An open connection of the API: its client, and what its server holds. */
async function connected() {
  const { base, outgoings, events, server } = await serveExt();
  const client = ExtApi.createClient({ url: base });
  onTestFinished(() => client.close());
  await client.connect();
  return { base, client, events, server, outgoing: await outgoings.next() };
}

describe("a subclass", () => {
  it("of a raw socket overrides, inherits and adds members", async () => {
    const closed = new Gate();
    class Adapter {
      send() {}
      close = () => closed.open();
      onOpen() {}
      onMessage() {}
      onClose() {}
      onError() {}
      offOpen() {}
      offMessage() {}
      offClose() {}
      offError() {}
    }
    class Counting extends (GGSocket as new (adapter: SocketAdapter) => GGSocket) {
      #closes = 0;
      override close(...args: Parameters<GGSocket["close"]>): void {
        this.#closes++;
        super.close(...args);
      }
      override get isOpen(): boolean {
        return super.isOpen && this.#closes === 0;
      }
      get closes(): number {
        return this.#closes;
      }
    }
    const socket = new Proxy(new Counting(new Adapter()), {});
    expect(socket).toBeInstanceOf(GGSocket);
    expect([socket.isOpen, socket.closes]).toEqual([true, 0]);
    const { close } = socket;
    close();
    await closed.passed;
    expect([socket.isOpen, socket.closes]).toEqual([false, 1]);
  });

  it("of a server counts what it serves", async () => {
    class Closing extends (GGSocketServer as new (
      ...args: ConstructorParameters<typeof GGSocketServer>
    ) => SocketServer) {
      override closeConnections(match: unknown): never {
        return (10 + super.closeConnections(match as () => boolean)) as never;
      }
    }
    const { server } = await serve((http) => new Closing(http, { apiName: "Raw", path: "raw" }));
    expect(server).toBeInstanceOf(GGSocketServer);
    expect(reactive(server).closeConnections(() => true)).toBe(10);
  });

  it("of a group uses the contract's methods", async () => {
    const { client, outgoing } = await connected();
    const news = new Queue<string>();
    client.incoming.on({ news: ({ text }) => void news.push(text) });
    class Room extends (GGSocketGroup as new (
      schema: typeof ExtApi,
    ) => GGSocketGroup<typeof extContract.methods.serverToClient>) {
      readonly #name = "room";
      greet() {
        this.news({ text: `${this.#name} of ${this.size}` });
      }
    }
    const room = new Room(ExtApi);
    expect(room).toBeInstanceOf(GGSocketGroup);
    room.add(outgoing);
    reactive(room).greet();
    expect(await news.next()).toBe("room of 1");
  });
});

it("finds the connection of an outgoing half in a group, whatever is put around either", async () => {
  const { outgoing } = await connected();
  const group = new GGSocketGroup(ExtApi);
  const halves = [outgoing, new Proxy(outgoing, {}), reactive(outgoing), Object.create(outgoing), deepProxy(outgoing)];
  for (const half of halves) {
    reactive(group).add(half);
    expect([group.size, group.has(outgoing)]).toEqual([1, true]);
    expect(group.remove(half)).toBe(true);
  }
});

it("holds a function only of the outgoing methods that were used", async () => {
  const { outgoing } = await connected();
  void outgoing.ask;
  expect(outgoing.ask).toBe(outgoing.ask);
  expect(inspect(outgoing)).not.toContain("news");
  expect(Object.keys(outgoing).sort()).toEqual(["ask", "news"]);
});

it.each(
  Object.entries({ "a Proxy": (it: object) => new Proxy(it, {}), reactive, deepProxy, "what inherits": Object.create }),
)("builds a schema through %s", (_way, wrap) => {
  const middleware = {};
  const builder: ReturnType<typeof webSocketSchema> = wrap(webSocketSchema(extContract));
  const schema = builder.path("ws/x").use(middleware).queryOnConnect(IsString).connectPermission("a").done();
  expect(schema).toMatchObject({ name: "Ext", path: "ws/x", connectPermission: "a", methods: extContract.methods });
  expect([schema.middlewares.length, schema.queryValidator]).toEqual([1, IsString]);
  expect(schema.createClient().isConnected).toBe(false);
});
