import { once } from "node:events";
import type { Socket } from "node:net";
import type { GGHttpServer } from "@grest-ts/http";
import { IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocketServer } from "ws";
import { watchTheProcess } from "../hostile/watch.js";
import { onFakeClock } from "../support/fakeClock.js";
import { RawPeer } from "../support/rawPeer.js";
import { RawTcp, TLS_SERVER } from "../support/rawTcp.js";
import { encodeFrame, OPCODE, upgradeRequest } from "../support/rawWebSocket.js";
import { recordingLogger, startHttp } from "../support/server.js";

type Package = Pick<typeof import("@grest-ts/websocket"), "defineSocketContract" | "webSocketSchema">;

const api = (
  name: string,
  { defineSocketContract: define, webSocketSchema: schema }: Package = { defineSocketContract, webSocketSchema },
) =>
  schema(define(name, { clientToServer: { name: { success: IsString } }, serverToClient: {} }))
    .path(`ws/${name}`)
    .done();

/** A connection handler whose `name` answers with this. */
const naming =
  (name: string) =>
  (incoming: { on(handlers: { name: () => string }): void }): void =>
    incoming.on({ name: () => name });

async function ask(url: string, api: string): Promise<string | undefined> {
  const peer = await RawPeer.connect(`${url}/ws/${api}`);
  peer.send(`r:${api}.name:1:`);
  return /"data":"(.*)"/.exec(await peer.next())?.[1];
}

const portOf = (http: GGHttpServer) => http.port as number;

/** Sends an upgrade request, and resolves when the server has handed its socket over. */
async function upgraded(http: GGHttpServer, head: string, isTls = false): Promise<{ tcp: RawTcp; socket: Socket }> {
  const event = once(http.httpServer, "upgrade");
  const tcp = await RawTcp.open(portOf(http), isTls);
  tcp.write(head);
  const [, socket] = await event;
  return { tcp, socket };
}

/** Leaves every upgrade alone, as a development server does with those that are not its own. */
const idle = (http: GGHttpServer) => http.httpServer.on("upgrade", () => {});

const handshake = encodeFrame({ opcode: OPCODE.TEXT, payload: "h:::{}" });
const half = encodeFrame({ opcode: OPCODE.TEXT, payload: "r:Mine.name:1:", claimedLength: 100n });

describe("a reset of an upgraded socket is no uncaught exception, and the server goes on", () => {
  watchTheProcess();

  const stages: Readonly<Record<string, { head: string; next?: Uint8Array }>> = {
    "left to other listeners": { head: upgradeRequest("/unclaimed") },
    "left to other listeners, with the first bytes": { head: `${upgradeRequest("/unclaimed")}abc` },
    "of no known path": { head: upgradeRequest("/nowhere") },
    "refused for its origin": { head: upgradeRequest("/ws/Mine", { Origin: "https://elsewhere.example" }) },
    "without a key": { head: upgradeRequest("/ws/Mine", { "Sec-WebSocket-Key": undefined }) },
    "with a bad key": { head: upgradeRequest("/ws/Mine", { "Sec-WebSocket-Key": "short" }) },
    "with another version": { head: upgradeRequest("/ws/Mine", { "Sec-WebSocket-Version": "7" }) },
    "with another method": { head: upgradeRequest("/ws/Mine").replace("GET", "PUT") },
    "with a bad subprotocol": { head: upgradeRequest("/ws/Mine", { "Sec-WebSocket-Protocol": "," }) },
    "to another protocol": { head: upgradeRequest("/ws/Mine", { Upgrade: "h2c" }) },
    "accepted, before its handshake": { head: upgradeRequest("/ws/Mine") },
    "accepted, in its handshake": { head: upgradeRequest("/ws/Mine"), next: handshake.subarray(0, 5) },
    "accepted, in a message": { head: upgradeRequest("/ws/Mine"), next: Buffer.concat([handshake, half]) },
  };
  const cases = Object.entries(stages).flatMap(([stage, steps]) =>
    (["at once", "when it was answered"] as const).flatMap((when) =>
      [false, true].map((isTls) => ({ stage, when, over: isTls ? "https" : "http", isTls, ...steps })),
    ),
  );

  it.each(cases)("$stage, $when, over $over", async ({ head, next, when, isTls }) => {
    const isLeft = head.includes("/unclaimed");
    const { http } = await startHttp(
      (http) => {
        const allowedOrigins = ["https://app.example"];
        api("Mine").register(naming("mine"), { http, allowedOrigins, unknownPaths: isLeft ? "leave" : "refuse" });
        if (isLeft) idle(http);
      },
      isTls ? { tls: TLS_SERVER } : {},
    );
    const { tcp, socket } = await upgraded(http, head, isTls);
    const ended = new Promise((resolve) => socket.once("close", resolve));
    if (next) tcp.write(next);
    // There is never an answer to an upgrade that is left alone.
    if (when === "when it was answered" && !isLeft) await tcp.answer();
    await tcp.reset();
    if (!socket.destroyed) await ended;

    const another = await RawTcp.open(portOf(http), isTls);
    another.write(upgradeRequest("/ws/Mine"));
    expect((await another.answer()).status).toBe(101);
  });
});

// Only the same copy of `ws` knows what it has upgraded.
it.skipIf(process.env.OTHER_WS)("logs, and survives, a socket that another listener has upgraded too", async () => {
  const logger = recordingLogger();
  const { http, url } = await startHttp((http) => {
    // Without a path this takes every upgrade.
    const others = new WebSocketServer({ server: http.httpServer });
    onTestFinished(() => void others.close());
    api("Mine").register(naming("mine"), { http, logger });
  });
  await upgraded(http, upgradeRequest("/ws/Mine"));
  expect(await logger.next()).toMatchObject({ level: "error", message: "Mine: an upgrade failed" });
  await expect(RawPeer.open(`${url}/nowhere`)).resolves.toBeDefined();
});

describe("an upgrade that is left to others", () => {
  it("is answered with 404 when there are no others", async () => {
    const { http } = await startHttp((http) => api("Mine").register(naming("mine"), { http, unknownPaths: "leave" }));
    const tcp = await RawTcp.open(portOf(http));
    tcp.write(upgradeRequest("/nowhere"));
    expect(await tcp.answer()).toMatchObject({ status: 404 });
    await tcp.closed;
  });

  /** Serves one API that leaves unknown paths, beside a listener of the test, on a clock that only the test moves. */
  async function besideListener(listen: (socket: Socket, head: Buffer) => void) {
    const clock = await onFakeClock();
    const { http } = await clock.start((http) => {
      api("Mine", clock).register(naming("mine"), { http, unknownPaths: "leave" });
      http.httpServer.on("upgrade", (_request, socket, head) => listen(socket as Socket, head));
    });
    return { http, pass: clock.pass };
  }

  it("is answered with 404 when no other has claimed it within 5 s", async () => {
    const { http, pass } = await besideListener(() => {});
    const { tcp, socket } = await upgraded(http, upgradeRequest("/nowhere"));
    pass(4_900);
    expect(socket.destroyed).toBe(false);
    expect(socket.writableEnded).toBe(false);
    pass(200);
    expect(await tcp.answer()).toMatchObject({ status: 404 });
    await tcp.closed;
  });

  const claims: Readonly<Record<string, (socket: Socket, head: Buffer) => void>> = {
    "wrote an answer": (socket) => socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
    "reads it": (socket) => socket.on("data", () => {}),
    "reads it piece by piece": (socket) => socket.on("readable", () => {}),
    "pipes it": (socket) => socket.pipe(socket),
    "iterates over it": async (socket) => {
      await socket.forEach(() => {}).catch(() => {});
    },
  };

  for (const when of ["at once", "a second later"] as const) {
    it.each(Object.entries(claims))(`belongs to the listener that, ${when}, %s`, async (_, claim) => {
      let claimed = (_socket: Socket) => {};
      const { http, pass } = await besideListener((socket, head) => {
        if (when === "at once") claim(socket, head);
        else claimed = () => claim(socket, head);
      });
      const { tcp, socket } = await upgraded(http, upgradeRequest("/other"));
      pass(1_000);
      claimed(socket);
      pass(10_000);
      expect(socket.destroyed).toBe(false);
      socket.write("theirs");
      expect((await tcp.take(6)).toString()).toMatch(/^(theirs|HTTP\/1)$/);
      expect(socket.destroyed).toBe(false);
    });
  }

  it("is not answered twice when the other has refused it", async () => {
    const { http, pass } = await besideListener((socket) => socket.end("HTTP/1.1 418 I'm a teapot\r\n\r\n"));
    const { tcp } = await upgraded(http, upgradeRequest("/other"));
    pass(10_000);
    expect((await tcp.rest()).toString()).toBe("HTTP/1.1 418 I'm a teapot\r\n\r\n");
  });

  it("is closed when its client goes before it is claimed", async () => {
    const { http, pass } = await besideListener(() => {});
    const { tcp, socket } = await upgraded(http, upgradeRequest("/nowhere"));
    const ended = new Promise((resolve) => socket.once("close", resolve));
    await tcp.reset();
    await ended;
    pass(10_000);
    expect(socket.bytesWritten).toBe(0);
  });

  it("counts answers on the same connection before it as no claim", async () => {
    const { http, pass } = await besideListener(() => {});
    http.registerRoute("GET", "/health", (_request, response) => void response.end("fine"));
    const tcp = await RawTcp.open(portOf(http));
    tcp.write("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    expect((await tcp.answer()).status).toBe(200);
    const event = once(http.httpServer, "upgrade");
    tcp.write(upgradeRequest("/nowhere"));
    await event;
    pass(5_100);
    expect((await tcp.answer()).status).toBe(404);
  });
});

describe("two copies of the package on one HTTP server", () => {
  async function copies(): Promise<readonly [Package, Package]> {
    const first = await import("@grest-ts/websocket");
    vi.resetModules();
    const marks = Object.getOwnPropertySymbols(globalThis).filter((key) => Symbol.keyFor(key)?.startsWith("grest-ts:"));
    const loaded = marks.map((mark) => [mark, Reflect.get(globalThis, mark)] as const);
    for (const mark of marks) Reflect.deleteProperty(globalThis, mark);
    onTestFinished(() => {
      for (const [mark, value] of loaded) Reflect.set(globalThis, mark, value);
    });
    const second = await import("@grest-ts/websocket");
    expect(second.webSocketSchema).not.toBe(first.webSocketSchema);
    return [first, second];
  }

  it("each serve their own paths", async () => {
    const [first, second] = await copies();
    const { http, url } = await startHttp((http) => {
      api("One", first).register(naming("one"), { http });
      api("Two", second).register(naming("two"), { http });
      api("Three", first).register(naming("three"), { http });
    });
    expect(http.httpServer.listenerCount("upgrade")).toBe(1);
    expect([await ask(url, "One"), await ask(url, "Two"), await ask(url, "Three")]).toEqual(["one", "two", "three"]);
    await expect(RawPeer.open(`${url}/nowhere`)).rejects.toThrow("404");
  });

  it("may not share a path: the error names both APIs", async () => {
    const [first, second] = await copies();
    const { url } = await startHttp((http) => {
      api("Same", first).register(naming("first"), { http });
      const contract = second.defineSocketContract("Other", { clientToServer: {}, serverToClient: {} });
      const other = second.webSocketSchema(contract).path("ws/Same").done();
      expect(() => other.register(() => {}, { http })).toThrow(/"\/ws\/Same".*already registered.*Other and Same/);
    });
    expect(await ask(url, "Same")).toBe("first");
  });

  it.each([0, 1])("are torn down one by one (%i)", async (gone) => {
    const packages = await copies();
    const names = ["One", "Two"] as const;
    const servers: { teardown(): Promise<void> }[] = [];
    const { url } = await startHttp((http) => {
      for (const [i, name] of names.entries()) {
        servers.push(api(name, packages[i]).startServer(naming(name), { http }));
      }
    });
    await servers[gone]?.teardown();
    await expect(RawPeer.open(`${url}/ws/${names[gone]}`)).rejects.toThrow("404");
    const left = names[1 - gone] as string;
    expect(await ask(url, left)).toBe(left);
  });

  it("leave unknown paths to others as soon as one of them does", async () => {
    const [first, second] = await copies();
    const { url } = await startHttp((http) => {
      api("One", first).register(naming("one"), { http });
      api("Two", second).register(naming("two"), { http, unknownPaths: "leave" });
      const others = new WebSocketServer({ noServer: true });
      http.httpServer.on("upgrade", (request, socket, head) => {
        if (request.url === "/other") others.handleUpgrade(request, socket, head, (ws) => ws.send("theirs"));
      });
    });
    expect(await (await RawPeer.open(`${url}/other`)).next()).toBe("theirs");
  });
});
