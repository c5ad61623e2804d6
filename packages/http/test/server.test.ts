import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { GGLocatorKey, GGLocatorScope, GGLocatorServiceType } from "@grest-ts/locator";
import { afterEach, describe, expect, it, vi } from "vitest";
import { GG_HTTP_SERVER, GGHttpServer } from "../src/index.js";
import { newServer, openSocket, readToEnd, signal, startServer } from "./support.js";

/** A scope as a runtime creates it. */
function newScope(): GGLocatorScope {
  const scope = new GGLocatorScope("app");
  scope.setLifecycleOwner({});
  return scope;
}

/** Replaces the test runner's listeners, which would fail the run. */
function nextUnhandledRejection(): Promise<unknown> {
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  return new Promise((resolve) => process.once("unhandledRejection", resolve)).finally(() => {
    for (const other of others) process.on("unhandledRejection", other);
  });
}

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

  it("is rejected when the environment variable is no port number", () => {
    vi.stubEnv("PORT", "http");
    const scope = newScope();
    scope.run(() => expect(() => new GGHttpServer()).toThrow(/PORT is not a port number: "http"/));
    expect(scope.has(GG_HTTP_SERVER)).toBe(false);
  });

  it("makes start reject with instructions when it is taken, and can be retried", async () => {
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
  it("is the last one made, outside any scope", () => {
    const first = newServer();
    expect(GG_HTTP_SERVER.get()).toBe(first);
    const second = newServer();
    expect(GG_HTTP_SERVER.get()).toBe(second);
  });

  it("is one per locator scope, others under their own key", () => {
    const scope = newScope();
    const ADMIN = new GGLocatorKey<GGHttpServer>("ADMIN_SERVER");
    const [main, admin] = scope.run(() => {
      const server = newServer();
      expect(() => newServer()).toThrow('Scope already has service "GG_HTTP_SERVER"');
      return [server, newServer({ key: ADMIN })];
    });
    expect(scope.get(GG_HTTP_SERVER)).toBe(main);
    expect(scope.get(ADMIN)).toBe(admin);
  });

  it("stays in its scope when it is torn down", async () => {
    const scope = newScope();
    const server = scope.run(() => newServer());
    await server.teardown();
    expect(scope.get(GG_HTTP_SERVER)).toBe(server);
    scope.run(() => expect(() => newServer()).toThrow('Scope already has service "GG_HTTP_SERVER"'));
  });

  it("needs a scope with a lifecycle owner", () => {
    const scope = new GGLocatorScope("app");
    scope.run(() =>
      expect(() => newServer()).toThrow("No lifecycle handler - are you registering outside compose phase?"),
    );
    expect(scope.has(GG_HTTP_SERVER)).toBe(false);
  });

  it("is started and torn down by the owner of its scope", async () => {
    const scope = newScope();
    const register = vi.spyOn(scope, "setWithLifecycle");
    const server = scope.run(() => newServer());
    expect(register).toHaveBeenCalledExactlyOnceWith(GG_HTTP_SERVER, server, {
      type: GGLocatorServiceType.HTTP,
      start: expect.any(Function),
      teardown: expect.any(Function),
    });
    const lifecycle = register.mock.calls[0]?.[2];
    await lifecycle?.start();
    expect(server.httpServer.listening).toBe(true);
    await lifecycle?.teardown?.();
    expect(server.httpServer.listening).toBe(false);
  });
});

describe("start", () => {
  it("starts once however often it is called, and runs callbacks once", async () => {
    const server = newServer();
    const callback = vi.fn(() => expect(server.port).toBeGreaterThan(0));
    expect(server.onStart(callback)).toBe(server);
    await Promise.all([server.start(), server.start()]);
    await server.start();
    expect(callback).toHaveBeenCalledTimes(1);
  });

  it("runs callbacks in order, and awaits none", async () => {
    const server = newServer();
    const steps: string[] = [];
    server.onStart(async () => {
      steps.push("first");
      await Promise.resolve();
      steps.push("first, later");
    });
    server.onStart(() => {
      steps.push("second");
      return new Promise(() => undefined);
    });
    await server.start();
    expect(steps.slice(0, 2)).toEqual(["first", "second"]);
  });

  it("never runs callbacks that are added after it", async () => {
    const server = newServer();
    await server.start();
    const late = vi.fn();
    expect(server.onStart(late)).toBe(server);
    await server.start();
    await server.teardown();
    expect(late).not.toHaveBeenCalled();
  });

  it("rejects when a callback throws", async () => {
    const server = newServer();
    const next = vi.fn();
    server.onStart(() => {
      throw new Error("no luck");
    });
    server.onStart(next);
    await expect(server.start()).rejects.toThrow("no luck");
    expect(next).not.toHaveBeenCalled();
    expect(server.httpServer.listening).toBe(true);
  });

  it("leaves a callback's rejected promise unhandled", async () => {
    const unhandled = nextUnhandledRejection();
    const server = newServer();
    server.onStart(() => Promise.reject(new Error("no registry")));
    await server.start();
    expect(await unhandled).toMatchObject({ message: "no registry" });
    expect(server.httpServer.listening).toBe(true);
  });

  it("rejects after teardown", async () => {
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

  it("runs the callbacks at once, waits for all of them, and runs them once", async () => {
    const server = newServer();
    await server.start();
    const gate = signal();
    const steps: string[] = [];
    expect(
      server.onTeardown(async () => {
        steps.push("first");
        await gate.promise;
        steps.push("first is through");
      }),
    ).toBe(server);
    server.onTeardown(() => void steps.push("second"));
    const done = server.teardown().then(() => steps.push("torn down"));
    expect(server.teardown()).toBe(server.teardown());
    await vi.waitFor(() => expect(steps).toEqual(["first", "second"]));
    gate.resolve();
    await done;
    expect(steps).toEqual(["first", "second", "first is through", "torn down"]);
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("boom"))],
    [
      "throws",
      () => {
        throw new Error("boom");
      },
    ],
  ])("rejects when a callback %s, with the server still open", async (_how, callback) => {
    const server = newScope().run(() => new GGHttpServer({ port: 0 }));
    await server.start();
    server.onTeardown(callback);
    await expect(server.teardown()).rejects.toThrow("boom");
    await expect(server.teardown()).rejects.toThrow("boom");
    expect(server.httpServer.listening).toBe(true);
    await new Promise((resolve) => server.httpServer.close(resolve));
  });

  it("listens while the callbacks run, and keeps upgraded sockets open until they are done", async () => {
    const server = newServer();
    server.httpServer.on("upgrade", (_request, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
      socket.on("data", (data) => socket.write(`echo ${data}`));
    });
    server.registerRoute("GET", "/", (_request, response) => {
      response.end("hi");
    });
    const url = await startServer(server);
    const socket = await openSocket(server);
    const next = () => new Promise<string>((resolve) => socket.once("data", (data) => resolve(String(data))));
    socket.write("GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
    expect(await next()).toContain("101 Switching Protocols");

    const gate = signal();
    server.onTeardown(() => gate.promise);
    const done = server.teardown();
    expect(await (await fetch(url)).text()).toBe("hi");
    expect(server.httpServer.listening).toBe(true);
    socket.write("hello");
    expect(await next()).toBe("echo hello");

    const closed = new Promise((resolve) => socket.on("error", () => undefined).once("close", resolve));
    gate.resolve();
    await done;
    await closed;
    await expect(fetch(url)).rejects.toThrow();
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

  it("lets a pending request finish", async () => {
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
    // No timer fires: the end of the request ends the teardown.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const torn = server.teardown();
    await vi.waitFor(() => expect(server.httpServer.listening).toBe(false));
    gate.resolve();
    expect(await (await answer).text()).toBe("done");
    await torn;
  });

  it("aborts a request that takes longer than 3 s after the callbacks", async () => {
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
    // The callbacks have no time limit.
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await Promise.race([answer, torn, Promise.resolve("waiting")])).toBe("waiting");
    expect(server.httpServer.listening).toBe(true);
    gate.resolve();
    await vi.advanceTimersByTimeAsync(0);
    expect(server.httpServer.listening).toBe(false);
    await vi.advanceTimersByTimeAsync(2_999);
    expect(await Promise.race([answer, torn, Promise.resolve("waiting")])).toBe("waiting");
    await vi.advanceTimersByTimeAsync(1);
    expect(await answer).toBe("cut");
    await torn;
  });

  it("works on a server that never started", async () => {
    const server = newServer();
    const callback = vi.fn();
    server.onTeardown(callback);
    await server.teardown();
    expect(callback).toHaveBeenCalledTimes(1);
  });
});
