import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { GGLocatorKey, GGLocatorScope } from "@grest-ts/locator";
import { afterEach, describe, expect, it, vi } from "vitest";
import { GG_HTTP_SERVER, GGHttpServer } from "../src/index.js";
import { capture, newServer, openSocket, readToEnd, signal, startServer } from "./support.js";

describe("the port", () => {
  it("is a free one by default, known once the server listens", async () => {
    const server = newServer();
    expect(server.port).toBeUndefined();
    await server.start();
    expect(server.port).toBeGreaterThan(0);
    await server.teardown();
    expect(server.port).toBeUndefined();
  });

  it("comes from the environment when none is given", async () => {
    const probe = createServer().listen(0);
    await new Promise((resolve) => probe.once("listening", resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    vi.stubEnv("PORT", String(port));
    const server = new GGHttpServer();
    await server.start();
    expect(server.port).toBe(port);
    await server.teardown();
  });

  it("is refused when the environment's is none", () => {
    vi.stubEnv("PORT", "http");
    expect(() => new GGHttpServer()).toThrow(/PORT is not a port number: "http"/);
    expect(GG_HTTP_SERVER.has()).toBe(false);
  });

  it("that is taken makes start reject with what to do, and can be tried again", async () => {
    const first = newServer();
    await first.start();
    const second = newServer({ port: first.port as number });
    await expect(second.start()).rejects.toThrow(new RegExp(`port ${first.port} is already in use.*PORT`));
    expect(second.httpServer.listening).toBe(false);
    await first.teardown();
    await second.start();
    expect(second.httpServer.listening).toBe(true);
  });
});

describe("the app's server", () => {
  it("is the last one made, until it is torn down", async () => {
    const first = newServer();
    expect(GG_HTTP_SERVER.get()).toBe(first);
    const second = newServer();
    expect(GG_HTTP_SERVER.get()).toBe(second);
    await first.teardown();
    expect(GG_HTTP_SERVER.get()).toBe(second);
    await second.teardown();
    expect(GG_HTTP_SERVER.has()).toBe(false);
  });

  it("is one per locator scope, others under their own key", async () => {
    const scope = new GGLocatorScope("app");
    const ADMIN = new GGLocatorKey<GGHttpServer>("ADMIN_SERVER");
    const [main, admin] = scope.run(() => {
      const server = newServer();
      expect(() => newServer()).toThrow('Scope already has service "GG_HTTP_SERVER"');
      return [server, newServer({ key: ADMIN })];
    });
    expect(scope.get(GG_HTTP_SERVER)).toBe(main);
    expect(scope.get(ADMIN)).toBe(admin);
    expect(GG_HTTP_SERVER.has()).toBe(false);
    await main.teardown();
    expect(scope.has(GG_HTTP_SERVER)).toBe(false);
    expect(scope.get(ADMIN)).toBe(admin);
  });
});

describe("start", () => {
  it("is one start however often it is called, and calls back once", async () => {
    const server = newServer();
    const callback = vi.fn(() => expect(server.port).toBeGreaterThan(0));
    expect(server.onStart(callback)).toBe(server);
    await Promise.all([server.start(), server.start()]);
    await server.start();
    expect(callback).toHaveBeenCalledTimes(1);
    const late = vi.fn();
    server.onStart(late);
    expect(late).toHaveBeenCalledTimes(1);
  });

  it("does not wait for a callback, and survives one that fails", async () => {
    const errors = capture("error");
    const server = newServer();
    server.onStart(() => new Promise(() => undefined));
    server.onStart(() => Promise.reject(new Error("no registry")));
    server.onStart(() => {
      throw new Error("no luck");
    });
    await server.start();
    await vi.waitFor(() => expect(errors).toHaveLength(2));
    expect(errors.join("\n")).toContain("no registry");
    expect(errors.join("\n")).toContain("no luck");
    expect(server.httpServer.listening).toBe(true);
  });

  it("is over after teardown", async () => {
    const server = newServer();
    await server.teardown();
    await expect(server.start()).rejects.toThrow(/torn down/);
    expect(server.httpServer.listening).toBe(false);
  });
});

describe("teardown", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("runs the callbacks once, waits for them, and goes on when one fails", async () => {
    const errors = capture("error");
    const server = newServer();
    await server.start();
    const gate = signal();
    const finished = vi.fn();
    server.onTeardown(() => Promise.reject(new Error("boom")));
    server.onTeardown(async () => {
      await gate.promise;
      finished();
    });
    const done = server.teardown();
    expect(server.teardown()).toBe(done);
    gate.resolve();
    await done;
    expect(finished).toHaveBeenCalledTimes(1);
    expect(errors.join()).toContain("boom");
  });

  it("accepts no new connection, and leaves upgraded sockets alone until the callbacks are through", async () => {
    const server = newServer();
    server.httpServer.on("upgrade", (_request, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
      socket.on("data", (data) => socket.write(`echo ${data}`));
    });
    await server.start();
    const { port } = server;
    const socket = await openSocket(server);
    const next = () => new Promise<string>((resolve) => socket.once("data", (data) => resolve(String(data))));
    socket.write("GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
    expect(await next()).toContain("101 Switching Protocols");

    const gate = signal();
    server.onTeardown(() => gate.promise);
    const done = server.teardown();
    await vi.waitFor(() => expect(server.httpServer.listening).toBe(false));
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
    socket.write("hello");
    expect(await next()).toBe("echo hello");

    const closed = new Promise((resolve) => socket.on("error", () => undefined).once("close", resolve));
    gate.resolve();
    await done;
    await closed;
  });

  it("closes idle keep-alive connections", async () => {
    const server = newServer();
    server.registerRoute("GET", "/", (_request, response) => {
      response.end("hi");
    });
    await server.start();
    const socket = await openSocket(server);
    const all = readToEnd(socket);
    const answered = new Promise((resolve) => socket.once("data", resolve));
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await answered;
    await server.teardown();
    expect(await all).toContain("hi");
  });

  it("lets a request that is being answered finish", async () => {
    const server = newServer();
    const entered = signal();
    const gate = signal();
    server.registerRoute("GET", "/slow", async (_request, response) => {
      entered.resolve();
      await gate.promise;
      response.end("done");
    });
    const url = await startServer(server);
    const answer = fetch(`${url}/slow`);
    await entered.promise;
    // No timer fires: what ends the teardown is the end of the request.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const torn = server.teardown();
    await vi.waitFor(() => expect(server.httpServer.listening).toBe(false));
    gate.resolve();
    expect(await (await answer).text()).toBe("done");
    await torn;
  });

  it("cuts a request that takes longer than 3 s", async () => {
    const server = newServer();
    const entered = signal();
    server.registerRoute("GET", "/stuck", () => entered.resolve());
    const url = await startServer(server);
    const answer = fetch(`${url}/stuck`).then(
      () => "answered",
      () => "cut",
    );
    await entered.promise;
    const gate = signal();
    server.onTeardown(() => gate.promise);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const torn = server.teardown();
    await vi.waitFor(() => expect(server.httpServer.listening).toBe(false));
    await vi.advanceTimersByTimeAsync(2_999);
    expect(await Promise.race([answer, Promise.resolve("waiting")])).toBe("waiting");
    await vi.advanceTimersByTimeAsync(1);
    // Even while a teardown callback takes longer.
    expect(await answer).toBe("cut");
    gate.resolve();
    await torn;
  });

  it("does not wait for ever for a callback", async () => {
    const errors = capture("error");
    const server = newServer();
    await server.start();
    server.onTeardown(() => new Promise(() => undefined));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const torn = server.teardown();
    await vi.advanceTimersByTimeAsync(15_000);
    await torn;
    expect(errors.join()).toContain("15000 ms");
  });

  it("works on a server that never started", async () => {
    const server = newServer();
    const callback = vi.fn();
    server.onTeardown(callback);
    await server.teardown();
    expect(callback).toHaveBeenCalledTimes(1);
  });
});
