import { createServer, type Server } from "node:http";
import { type GGBus, type GGWebSocketLogger, localBus, type WebSocketSchemaConfig } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished } from "vitest";
import { watchTheProcess } from "../hostile/watch.js";
import { RawTcp } from "../support/rawTcp.js";
import { upgradeRequest } from "../support/rawWebSocket.js";
import { endServer, listen, nodeHost, portOf } from "./hosts.js";
import { apiNamed, ask, clientOf, serveOn, upgradeStatus } from "./parts.js";

watchTheProcess();

/** What an API adds to a server, and what is left of it. */

const EVENTS = ["upgrade", "request", "listening", "newListener", "close", "error", "connection", "clientError"];
const listenersOf = (server: Server) => EVENTS.map((event) => `${event} ${server.listenerCount(event)}`);

/** A server without routes. */
function bareServer(): Server {
  const server = createServer();
  onTestFinished(() => endServer(server));
  return server;
}

function faultyBus(): GGBus {
  const bus = localBus();
  onTestFinished(() => bus.close());
  return Object.assign(Object.create(bus), {
    subscribe() {
      throw new Error("a faulty bus");
    },
  });
}

describe("a mount that fails leaves the server as it was", () => {
  const faults: Readonly<Record<string, () => WebSocketSchemaConfig>> = {
    "an origin that is none": () => ({ allowedOrigins: ["nonsense"] }),
    "a limit that is none": () => ({ limits: { maxConnections: -1 } }),
    "a heartbeat that is none": () => ({ heartbeat: { intervalMs: Number.NaN } }),
    "an unknown value of unknownPaths": () => ({ unknownPaths: "drop" as never }),
    "a bus that is none": () => ({ bus: {} as never }),
    "a bus that throws": () => ({ bus: faultyBus() }),
  };

  it.each(Object.entries(faults))("with %s", async (_, config) => {
    const Chat = apiNamed("Chat");
    const server = bareServer();
    const before = listenersOf(server);
    expect(() => Chat.startServer(() => {}, { http: server, ...config() })).toThrow();
    expect(listenersOf(server)).toEqual(before);
    // The path is free, and the next one is served.
    serveOn(server, Chat);
    await listen(server);
    expect(await upgradeStatus(`http://127.0.0.1:${portOf(server)}/ws/Chat`)).toBe(101);
    const served = listenersOf(server);
    expect(() => apiNamed("More").startServer(() => {}, { http: server, ...config() })).toThrow();
    expect(listenersOf(server)).toEqual(served);
    expect(await upgradeStatus(`http://127.0.0.1:${portOf(server)}/ws/More`)).toBe(404);
  });
});

describe("a program that removes listeners from its server", () => {
  it.each([["upgrade"], ["listening"], ["request"], ["newListener"], ["all"]] as const)(
    "(%s) gets those of an API back with the next one",
    async (event) => {
      const server = bareServer();
      const first = serveOn(server, apiNamed("First"));
      if (event === "all") server.removeAllListeners();
      else server.removeAllListeners(event);
      const ports: unknown[] = [];
      const info: GGWebSocketLogger["info"] = (_message, fields) => void ports.push(fields?.port);
      const logger = { info, debug() {}, warn: console.warn, error: console.error };
      serveOn(server, apiNamed("Second"), { logger });
      // A server that lost all listeners has lost Node's own, too.
      if (event === "all") return expect(server.listenerCount("upgrade")).toBe(1);
      await listen(server);
      const url = `http://127.0.0.1:${portOf(server)}`;
      for (const name of ["First", "Second"]) {
        const { client } = clientOf(apiNamed(name), url);
        await client.connect();
        expect(await client.outgoing.greet("Ann")).toBe(`Hello Ann from ${name}`);
      }
      expect(await ask(`${url}/ws/Second`)).toMatchObject({ status: 426 });
      expect(ports).toEqual([portOf(server)]);
      expect([server.listenerCount("upgrade"), server.listenerCount("request")]).toEqual([1, 1]);
      await first.teardown();
    },
  );
});

describe("an upgrade to the path of an API that was torn down", () => {
  async function serving(...names: readonly string[]) {
    const { server } = nodeHost();
    const served = names.map((name) => serveOn(server, apiNamed(name)));
    await listen(server);
    const status = (name: string) => upgradeStatus(`http://127.0.0.1:${portOf(server)}/ws/${name}`);
    return { server, served, status };
  }

  it("gets 503 as it did before, so that a proxy asks another server", async () => {
    const { served, status } = await serving("Chat");
    await served[0]?.teardown();
    expect([await status("Chat"), await status("Other")]).toEqual([503, 404]);
  });

  it("gets 503 while the other APIs end too, and 404 while one of them goes on", async () => {
    const { served, status } = await serving("One", "Two");
    await served[0]?.teardown();
    expect(await status("One")).toBe(404);
    await served[1]?.teardown();
    expect([await status("One"), await status("Two")]).toEqual([503, 503]);
  });

  it("gets 503 while another API drains", async () => {
    const Two = apiNamed("Two");
    const { server, served, status } = await serving("One");
    let finish = (_text: string) => {};
    const asked = new Promise<void>((resolve) => {
      const two = Two.startServer(
        (incoming) =>
          incoming.on({
            greet: () => {
              resolve();
              return new Promise((done) => {
                finish = done;
              });
            },
          }),
        { http: server, logger: { debug() {}, warn() {}, error: console.error } },
      );
      served.push(two as never);
    });
    const { client } = clientOf(Two, `http://127.0.0.1:${portOf(server)}`);
    await client.connect();
    const answer = client.outgoing.greet("Ann");
    await asked;
    const draining = served[1]?.teardown();
    await served[0]?.teardown();
    expect([await status("One"), await status("Two")]).toEqual([503, 503]);
    finish("done");
    expect(await answer).toBe("done");
    await draining;
    expect([await status("One"), await status("Two")]).toEqual([503, 503]);
  });

  it("gets 404 once the server goes on with another one, and is served when its API comes back", async () => {
    const { server, served, status } = await serving("Chat");
    await served[0]?.teardown();
    const other = serveOn(server, apiNamed("Other"));
    expect([await status("Chat"), await status("Other")]).toEqual([404, 101]);
    await other.teardown();
    expect([await status("Chat"), await status("Other")]).toEqual([404, 503]);
    serveOn(server, apiNamed("Chat"));
    expect([await status("Chat"), await status("Other")]).toEqual([101, 404]);
  });

  it("gets 503 on a connection that the server had when it closed", async () => {
    const { server, served } = await serving("Chat");
    const tcp = await RawTcp.open(portOf(server));
    await expect.poll(() => connectionsOf(server)).toBe(1);
    await served[0]?.teardown();
    server.close();
    tcp.write(upgradeRequest("/ws/Chat"));
    expect((await tcp.answer()).status).toBe(503);
  });
});

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}
