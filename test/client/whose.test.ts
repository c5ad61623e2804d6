import { inspect } from "node:util";
import { GGContext, GGContextKey, GGContextStore } from "@grest-ts/context";
import { IsString } from "@grest-ts/schema";
import { GG_TRACE } from "@grest-ts/trace";
import { GG_WS_CONNECTION, GG_WS_MESSAGE, type GGSocket, GGSocketPool } from "@grest-ts/websocket";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { ProbeApi } from "../support/probe.js";
import { Queue } from "../support/queue.js";
import { RawServer } from "../support/rawPeer.js";
import { recordingLogger } from "../support/server.js";

// Whose connection it is on a client: credentials stay with it, and callbacks belong to the code that registers them.

afterEach(() => GGSocketPool.closeAll(false));

describe("credentials in a URL", () => {
  const withUser = (url: string) => url.replace("://", "://ann:s3cr3t@");
  const everything = { depth: 12, showHidden: true, getters: true } as const;
  const expectHidden = (...values: unknown[]) => {
    for (const value of values) expect(inspect(value, everything)).not.toMatch(/s3cr3t|ann:/);
  };

  /** A server that notes the `authorization` header of each upgrade, and accepts its handshake. */
  async function start() {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    onTestFinished(() => server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const headers = new Queue<string | undefined>();
    server.on("connection", (ws, request) => {
      headers.push(request.headers.authorization);
      ws.once("message", () => ws.send("k:::null"));
    });
    return { url: `ws://127.0.0.1:${(server.address() as { port: number }).port}`, headers };
  }

  it("authorise the upgrade, and show neither in GG_WS_CONNECTION nor in a pool key", async () => {
    const { url, headers } = await start();
    const seen: unknown[] = [];
    const updateHandshake = () => void seen.push(GG_WS_CONNECTION.get());
    const client = ProbeApi.createClient({ url: withUser(url), middlewares: [{ updateHandshake }] });
    onTestFinished(() => client.close());
    await client.connect(() => void seen.push(GG_WS_CONNECTION.get()));
    await GGSocketPool.getOrConnect({ domain: withUser(url), path: "ws/a", middlewares: [{ updateHandshake }] });
    const basic = `Basic ${Buffer.from("ann:s3cr3t").toString("base64")}`;
    expect(await headers.take(2)).toEqual([basic, basic]);
    expect(seen).toEqual([{ path: "/ws/probe" }, { path: "/ws/probe" }, { path: "/ws/a" }]);
    expect(GGSocketPool.getConnectionKeys()).toEqual([expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+\/ws\/a::#\d+$/)]);
  });

  it.each([
    ["nothing listens", () => withUser("ws://127.0.0.1:1")],
    ["the port is none", () => withUser("ws://127.0.0.1:99999")],
    ["the scheme is none", () => withUser("ftp://127.0.0.1")],
    ["there is no scheme", () => "ann:s3cr3t@127.0.0.1"],
    ["the password has an @", () => "ws://ann:s3cr3t@s3cr3t@127.0.0.1:99999"],
  ])("show in no error and in no entry when %s", async (_, urlOf) => {
    const url = urlOf();
    const logger = recordingLogger();
    const client = ProbeApi.createClient({ url, logger });
    const error = await client.connect().catch((thrown) => thrown);
    const pooled = await GGSocketPool.getOrConnect({ domain: url, path: "/ws" }).catch((thrown) => thrown);
    for (const each of [error, pooled]) {
      expect(each).toBeInstanceOf(Error);
      expectHidden(each, each.message, each.stack, each.context, each.getDebugContext(), each.toJSON());
    }
    expectHidden(logger.entries, logger.debugEntries);
  });
});

describe("a raw socket that several share", () => {
  const USER = new GGContextKey<string>("whose_user", IsString);
  const as = <T>(user: string, run: () => T) => new GGContext(user).set(USER, user).run(run);

  /** A socket that ann has opened, and its server's end. */
  async function opened() {
    const server = await RawServer.start();
    const accepted = server.accept();
    const config = { domain: server.url, path: "/ws" };
    const socket = await as("ann", () => GGSocketPool.getOrConnect(config));
    return { socket, config, peer: await accepted, seen: new Queue<unknown>() };
  }

  const shown = () => [USER.get(), GG_WS_CONNECTION.get()?.path, GG_WS_MESSAGE.get()?.path, GG_TRACE.has()];

  it("runs each handler as the one who registered it", async () => {
    const { config, peer, seen } = await opened();
    const register = (user: string) =>
      as(user, async () => {
        const socket = await GGSocketPool.getOrConnect(config);
        socket.registerHandler({ path: `A.${user}`, handler: () => void seen.push(shown()) });
      });
    await register("ann");
    await register("bob");
    peer.send("m:A.bob::", "m:A.ann::", "r:A.bob:1:");
    expect(await seen.take(3)).toEqual([
      ["bob", "/ws", "A.bob", true],
      ["ann", "/ws", "A.ann", true],
      ["bob", "/ws", "A.bob", true],
    ]);
  });

  it("keeps what a handler sets within its message", async () => {
    const { socket, peer, seen } = await opened();
    const bob = new GGContext("bob").set(USER, "bob");
    bob.run(() =>
      socket.registerHandler({
        path: "A.set",
        async handler() {
          seen.push(USER.get());
          USER.set("changed");
          await Promise.resolve();
          seen.push([USER.get(), GGContextStore.getContext() === bob]);
        },
      }),
    );
    peer.send("m:A.set::", "m:A.set::");
    expect(await seen.take(4)).toEqual(["bob", "bob", ["changed", false], ["changed", false]]);
    expect(bob.get(USER)).toBe("bob");
  });

  it("runs the handler of unknown messages and the callbacks as the one who registered them", async () => {
    const { socket, peer, seen } = await opened();
    as("bob", () => {
      socket.setUnknownMessageHandler(() => void seen.push(["unknown", ...shown()]));
      socket.onError(() => void seen.push(["error", ...shown()]));
      socket.onTearDown(async () => void seen.push(["teardown", ...shown()]));
      socket.onClose(() => void seen.push(["close", ...shown()]));
    });
    peer.send("m:A.other::", "m:A.other::{");
    expect(await seen.take(2)).toEqual([
      ["unknown", "bob", "/ws", "A.other", true],
      ["error", "bob", "/ws", undefined, true],
    ]);
    await socket.teardown();
    expect(await seen.take(2)).toEqual([
      ["teardown", "bob", "/ws", undefined, true],
      ["close", "bob", "/ws", undefined, true],
    ]);
  });

  it.each<[string, (socket: GGSocket, callback: () => void) => void]>([
    ["registerHandler", (socket, handler) => socket.registerHandler({ path: "A.b", handler })],
    ["setUnknownMessageHandler", (socket, handler) => socket.setUnknownMessageHandler(handler)],
  ])("runs what %s gets outside of any context in the connection's", async (_, register) => {
    const { socket, peer, seen } = await opened();
    expect(GGContextStore.hasContext()).toBe(false);
    register(socket, () => void seen.push(shown()));
    peer.send("m:A.b::");
    expect(await seen.next()).toEqual(["ann", "/ws", "A.b", true]);
  });
});
