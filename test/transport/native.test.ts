import { SERVER_ERROR } from "@grest-ts/schema";
import { WebSocket as UndiciWebSocket } from "undici";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { connectedProbe, displayed, ProbeApi, probe } from "../support/probe.js";
import { Queue } from "../support/queue.js";
import { closedPort } from "../support/tcp.js";

/** What a given WebSocket class may do that a browser's never does. */

/** A class of its own for each test: its sockets throw at what is in `broken`. */
function breakable(...methods: ("send" | "close")[]) {
  const broken = new Set(methods);
  const failIf = (method: "send" | "close") => {
    if (broken.has(method)) throw new Error(`${method} is broken`);
  };
  class Breakable extends WebSocket {
    constructor(url: string) {
      super(url);
    }
    override send(data: string): void {
      failIf("send");
      super.send(data);
    }
    override close(code?: number, reason?: string): void {
      failIf("close");
      super.close(code, reason);
    }
  }
  return { webSocket: Breakable as never, break: (method: "send" | "close") => broken.add(method) };
}

const rejection = (promise: Promise<unknown>) => promise.then(() => undefined, displayed);

describe("a client over a given WebSocket", () => {
  it.each([[["send"]], [["send", "close"]]] as const)("fails to connect when %s throw", async (methods) => {
    const { client } = await probe(breakable(...methods));
    expect(await rejection(client.connect())).toMatch(/could not connect to .*: send is broken$/);
    expect(client.isConnected).toBe(false);
  });

  it.each(["sound", "broken"])("loses its connection when send throws and close is %s", async (close) => {
    const socket = breakable();
    const { client } = await connectedProbe(socket);
    const reasons = new Queue<string>();
    const errors = new Queue<Error>();
    client.onClose((reason) => reasons.push(reason)).onError((error) => errors.push(error));
    socket.break("send");
    if (close === "broken") socket.break("close");
    expect((await client.outgoing.echo({ text: "a" }).asResult()).type).toBe("SERVER_ERROR");
    expect((await errors.next()).message).toBe("send is broken");
    expect(await reasons.next()).toBe("drop");
    expect(client.isConnected).toBe(false);
  });

  it.each(["disconnect", "close"] as const)("ends its connection by %s() when close throws", async (end) => {
    const socket = breakable();
    const { client } = await connectedProbe(socket);
    const reasons = new Queue<string>();
    client.onClose((reason) => reasons.push(reason));
    socket.break("close");
    await client[end]();
    expect(client.isConnected).toBe(false);
    expect(await reasons.next()).toBe("manual");
  });

  it("gives up an attempt when close throws", async () => {
    const { client, server } = await probe(breakable("close"));
    const connected = rejection(client.connect());
    await server.connections.next();
    client.close();
    expect(await connected).toMatch(/closed while connecting$/);
  });

  it("says what failed where the class reports an error and no end", async () => {
    const webSocket = UndiciWebSocket as never;
    const client = ProbeApi.createClient({ url: `ws://127.0.0.1:${await closedPort()}`, webSocket });
    await expect(client.connect()).rejects.toBeInstanceOf(SERVER_ERROR);
    expect(await rejection(client.connect())).toMatch(/: Received network error or non-101 status code\.$/);
  });
});
