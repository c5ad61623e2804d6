import { IsNumber, IsObject, NOT_AUTHORIZED, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import { GG_WS_MESSAGE, GGSocketPool, type GGWebSocketMiddleware, type SocketAdapter } from "@grest-ts/websocket";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { displayed } from "../support/probe.js";
import { Queue } from "../support/queue.js";
import { RawServer } from "../support/rawPeer.js";

const token = (value: string): GGWebSocketMiddleware => ({
  updateHandshake: (context) => {
    context.headers.authorization = `Bearer ${value}`;
  },
});

afterEach(async () => {
  await GGSocketPool.closeAll(false);
  expect(GGSocketPool.size).toBe(0);
});

describe("GGSocketPool", () => {
  it("shares a connection by URL and headers, also between callers at the same time", async () => {
    const server = await RawServer.start();
    const config = { domain: server.url, path: "/ws/chat", query: { room: "general" }, middlewares: [token("a")] };
    const accepted = server.accept();
    const both = [
      GGSocketPool.getOrConnect(config),
      GGSocketPool.getOrConnect({ ...config, middlewares: [token("a")] }),
    ];
    await Promise.resolve();
    expect([GGSocketPool.size, GGSocketPool.pendingSize]).toEqual([0, 1]);
    const [first, second] = await Promise.all(both);
    expect(first).toBe(second);
    expect(await GGSocketPool.getOrConnect(config)).toBe(first);
    expect((await accepted).requestUrl).toBe("/ws/chat?room=general");
    expect([GGSocketPool.size, GGSocketPool.pendingSize, server.count]).toEqual([1, 0, 1]);

    for (const other of [
      { ...config, middlewares: [token("b")] },
      { ...config, query: { room: "other" } },
      { ...config, path: "/ws/x" },
    ]) {
      const more = server.accept();
      expect(await GGSocketPool.getOrConnect(other)).not.toBe(first);
      await more;
    }
    expect(GGSocketPool.size).toBe(4);
  });

  it("names connections by keys that are numbered and show no credential", async () => {
    const server = await RawServer.start();
    const configs = ["secret-1", "secret-2"].map((secret) => ({
      domain: server.url,
      path: "/ws/chat",
      query: { key: `q-${secret}` },
      middlewares: [token(secret)],
    }));
    for (const config of configs) {
      const accepted = server.accept();
      await GGSocketPool.getOrConnect(config);
      await accepted;
    }
    const keys = GGSocketPool.getConnectionKeys();
    const name = `${server.url}/ws/chat?key::authorization`;
    expect(keys.map((key) => key.replace(/#\d+$/, ""))).toEqual([name, name]);
    const [first, second] = keys.map((key) => Number(key.split("#")[1])) as [number, number];
    expect(second).toBe(first + 1);
    await GGSocketPool.getOrConnect(configs[0] as (typeof configs)[number]);
    expect(GGSocketPool.getConnectionKeys()).toEqual(keys);
  });

  it("has no request pending once it is settled, by a reply or by its time-out, and ignores a late reply", async () => {
    const server = await RawServer.start();
    const accepted = server.accept();
    const socket = await GGSocketPool.getOrConnect({ domain: server.url, path: "/ws/chat" });
    const peer = await accepted;
    const answered = socket.send("ChatApi.a", 1, true);
    expect(socket.pendingRequestCount).toBe(1);
    expect(await peer.next()).toBe("r:ChatApi.a:1:1");
    peer.send('s:ChatApi.a:1:{"success":true,"type":"OK"}');
    expect((await answered).success).toBe(true);
    expect((await socket.send("ChatApi.b", 1, true, 1)).success).toBe(false);
    expect(socket.pendingRequestCount).toBe(0);
    peer.send('s:ChatApi.b:2:{"success":true,"type":"OK"}');
    await peer.roundTrip();
    expect(socket.isOpen).toBe(true);
  });

  it("sends and handles past any contract", async () => {
    const server = await RawServer.start();
    const accepted = server.accept('m:ChatApi.newMessage::{"text":"early"}');
    const socket = await GGSocketPool.getOrConnect({ domain: server.url, path: "/ws/chat" });
    const seen = new Queue<unknown>();
    socket.registerHandler({
      path: "ChatApi.newMessage",
      handler: (msg) => void seen.push([GG_WS_MESSAGE.get()?.path, msg]),
    });
    socket.registerHandler({ path: "ChatApi.value", handler: () => 1 });
    socket.registerHandler({ path: "ChatApi.promise", handler: async () => ({ a: 1 }) });
    socket.registerHandler({ path: "ChatApi.fails", handler: () => Promise.reject(new NOT_AUTHORIZED()) });
    socket.setUnknownMessageHandler((path, data) => seen.push([path, data]));
    const peer = await accepted;
    expect(await seen.next()).toEqual(["ChatApi.newMessage", { text: "early" }]);

    peer.send("r:ChatApi.newMessage:1:5", "r:ChatApi.value:2:", "m:ChatApi.other::[1]");
    expect(await peer.frames.take(2)).toEqual([
      's:ChatApi.newMessage:1:{"success":true,"type":"OK"}',
      's:ChatApi.value:2:{"success":true,"type":"OK","data":1}',
    ]);
    expect(await seen.take(2)).toEqual([
      ["ChatApi.newMessage", 5],
      ["ChatApi.other", [1]],
    ]);
    peer.send("r:ChatApi.promise:3:");
    expect(await peer.next()).toBe('s:ChatApi.promise:3:{"success":true,"type":"OK","data":{"a":1}}');
    peer.send("r:ChatApi.fails:4:");
    expect(await peer.next()).toMatch(/^s:ChatApi\.fails:4:\{"success":false,"type":"NOT_AUTHORIZED","statusCode":401/);
    socket.unregisterHandler("ChatApi.value");
    peer.send("r:ChatApi.value:5:");
    expect(await peer.next()).toMatch(/^s:ChatApi\.value:5:\{"success":false,"type":"ROUTE_NOT_FOUND"/);

    const reply = socket.send("ChatApi.sendMessage", { text: "Hello!" }, true);
    expect(await peer.next()).toBe('r:ChatApi.sendMessage:1:{"text":"Hello!"}');
    peer.send('s:ChatApi.sendMessage:1:{"success":true,"type":"OK","data":{"messageId":"m"}}');
    expect(await reply).toEqual({ success: true, type: "OK", data: { messageId: "m" } });

    expect(await socket.send("ChatApi.note", { a: 1 })).toBeUndefined();
    expect(await peer.next()).toBe('m:ChatApi.note::{"a":1}');

    const refused = socket.send("ChatApi.sendMessage", {}, true);
    await peer.next();
    peer.send('s:ChatApi.sendMessage:2:{"success":false,"type":"ROOM_FULL","data":{"max":3}}');
    expect(await refused).toMatchObject({ success: false, type: "ROOM_FULL", data: { max: 3 } });
    expect(await socket.send("ChatApi.slow", {}, true, 5)).toMatchObject({ success: false, type: "SERVER_ERROR" });
    expect(socket.pendingRequestCount).toBe(0);
  });

  it("releases a closed connection, and refuses to send on it", async () => {
    const server = await RawServer.start();
    const accepted = server.accept();
    const socket = await GGSocketPool.getOrConnect({ domain: server.url, path: "/ws/chat" });
    const closed = new Promise<unknown[]>((resolve) => socket.onClose((...args) => resolve(args)));
    const pending = socket.send("A.b", 1, true);
    const peer = await accepted;
    await peer.next();
    peer.ws.close(1001, "bye");
    expect(await closed).toEqual([1001, "bye"]);
    expect(await pending).toMatchObject({ success: false, type: "SERVER_ERROR" });
    expect(GGSocketPool.size).toBe(0);
    await expect(socket.send("A.b", 1)).rejects.toThrow("Cannot send A.b: WebSocket is not connected");
    const again = server.accept();
    expect(await GGSocketPool.getOrConnect({ domain: server.url, path: "/ws/chat" })).not.toBe(socket);
    await again;
  });

  it("closeAll() waits for what is pending, closeAll(false) does not", async () => {
    const server = await RawServer.start();
    const config = { domain: server.url, path: "/ws/chat" };
    const first = server.accept();
    const socket = await GGSocketPool.getOrConnect(config);
    const torn = new Queue<string>();
    socket.onTearDown(async () => torn.push("torn down"));
    const pending = socket.send("A.b", 1, true);
    const peer = await first;
    await peer.next();
    const closing = GGSocketPool.closeAll();
    expect(torn.unseen).toEqual([]);
    peer.send('s:A.b:1:{"success":true,"type":"OK","data":7}');
    expect(await pending).toMatchObject({ data: 7 });
    await closing;
    expect(torn.unseen).toEqual(["torn down"]);
    expect(GGSocketPool.size).toBe(0);

    const second = server.accept();
    const other = await GGSocketPool.getOrConnect(config);
    const lost = other.send("A.b", 1, true);
    await second;
    await GGSocketPool.closeAll(false);
    expect(await lost).toMatchObject({ success: false, type: "SERVER_ERROR" });
  });

  it("removeFromPool() forgets a connection and does not close it; connect() never keeps one", async () => {
    const server = await RawServer.start();
    const config = { domain: server.url, path: "/ws/chat" };
    const first = server.accept();
    const socket = await GGSocketPool.getOrConnect(config);
    const peer = await first;
    const [key] = GGSocketPool.getConnectionKeys();
    expect(GGSocketPool.removeFromPool(key as string)).toBe(true);
    expect(GGSocketPool.removeFromPool(key as string)).toBe(false);
    expect(GGSocketPool.size).toBe(0);
    await socket.send("A.b", 1);
    expect(await peer.next()).toBe("m:A.b::1");
    socket.close();

    const second = server.accept();
    const loose = await GGSocketPool.connect(config);
    await second;
    expect(GGSocketPool.size).toBe(0);
    loose.close();
  });

  it("rejects when there is no connection, and keeps nothing", async () => {
    const server = await RawServer.start();
    const config = { domain: server.url, path: "/ws/chat?", middlewares: [token("secret")] };
    const connecting = GGSocketPool.getOrConnect(config).catch((error: unknown) => error);
    (await server.connections.next()).send('x:::{"success":false,"type":"NOT_AUTHORIZED","statusCode":401}');
    expect(await connecting).toBeInstanceOf(NOT_AUTHORIZED);
    const failed = await GGSocketPool.getOrConnect({ domain: "ws://127.0.0.1:1", path: "/x" }).catch(
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(SERVER_ERROR);
    expect(displayed(failed)).toMatch(/could not connect to ws:\/\/127\.0\.0\.1:1\/x/);
    expect([GGSocketPool.size, GGSocketPool.pendingSize]).toEqual([0, 0]);
  });

  it("checks the query by its validator before it opens anything", async () => {
    const server = await RawServer.start();
    const config = { domain: server.url, path: "/ws/chat", queryValidator: IsObject({ page: IsNumber }) };
    const refused = await GGSocketPool.getOrConnect({ ...config, query: { page: "x" } as never }).catch(
      (error) => error,
    );
    expect(refused).toBeInstanceOf(VALIDATION_ERROR);
    expect(server.count).toBe(0);
    const accepted = server.accept();
    await GGSocketPool.getOrConnect({ ...config, query: { page: 5 } });
    expect((await accepted).requestUrl).toBe("/ws/chat?page=5");
  });

  it("connects through a custom adapter; one that fails to send loses only its own connection", async () => {
    const made: string[] = [];
    let isBroken = false;
    class Adapter implements SocketAdapter {
      readonly #ws: WebSocket;
      constructor(url: string) {
        made.push(url);
        this.#ws = new WebSocket(url);
      }
      send(message: string) {
        if (isBroken) throw new Error("broken");
        this.#ws.send(message);
      }
      close() {
        this.#ws.close();
      }
      onOpen(handler: () => void) {
        this.#ws.on("open", handler);
      }
      onMessage(handler: (message: string) => void) {
        this.#ws.on("message", handler);
      }
      onClose(handler: () => void) {
        this.#ws.on("close", handler);
      }
      onError(handler: (error: Error) => void) {
        this.#ws.on("error", handler);
      }
      offOpen(handler: () => void) {
        this.#ws.off("open", handler);
      }
      offMessage(handler: (message: string) => void) {
        this.#ws.off("message", handler);
      }
      offClose(handler: () => void) {
        this.#ws.off("close", handler);
      }
      offError(handler: (error: Error) => void) {
        this.#ws.off("error", handler);
      }
    }
    GGSocketPool.setAdapter(Adapter);
    onTestFinished(() => GGSocketPool.setAdapter(undefined));
    const server = await RawServer.start();
    const accepted = server.accept();
    const socket = await GGSocketPool.getOrConnect({ domain: server.url, path: "/ws/chat" });
    const peer = await accepted;
    const reply = socket.send("A.b", 1, true);
    expect(await peer.next()).toBe("r:A.b:1:1");
    peer.send('s:A.b:1:{"success":true,"type":"OK"}');
    expect(await reply).toEqual({ success: true, type: "OK" });

    GGSocketPool.setAdapter(undefined);
    const acceptedToo = server.accept();
    const other = await GGSocketPool.getOrConnect({ domain: server.url, path: "/ws/other" });
    const otherPeer = await acceptedToo;
    isBroken = true;
    const errors: Error[] = [];
    const lost = socket.onError((error) => errors.push(error)).send("A.b", 2, true);
    other.send("A.c", 3);
    expect(await otherPeer.next()).toBe("m:A.c::3");
    expect(await lost).toMatchObject({ success: false, type: "SERVER_ERROR" });
    expect(errors).toMatchObject([{ message: "broken" }]);
    await peer.closed;
    expect(socket.isOpen).toBe(false);
    expect(made).toEqual([`${server.url}/ws/chat`]);
    await other.teardown();
  });
});
