import { execFile } from "node:child_process";
import { GGContext } from "@grest-ts/context";
import { GGHttpServer } from "@grest-ts/http";
import { GGLocatorScope } from "@grest-ts/locator";
import { GGLog, type GGLogEntry } from "@grest-ts/logger";
import { SERVER_ERROR } from "@grest-ts/schema";
import { callOn as frameworkCallOn, GG_TEST_RUNNER, GGTestAction, type IGGTestWith } from "@grest-ts/testkit";
import { callOn, type GGSocketTester } from "@grest-ts/websocket/testkit";
import { fixture, root } from "../support/paths.js";
import "@grest-ts/websocket/testkit/framework";
import { beforeEach, describe, expect, expectTypeOf, it, onTestFinished, vi } from "vitest";
import { type contract, GG_NAME, KitApi, Room } from "../fixtures/testkit/api.js";

type Kit = typeof contract.methods;

/** A server of the test kit's API, and a route that leads to a push, as an HTTP API of the same app would. */
async function start() {
  const room = new Room();
  const http = new GGHttpServer({ port: 0 });
  KitApi.register(room.handle, { http });
  http.registerRoute("POST", "/announce", async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    response.end("done");
    for (const member of room.members) member.said({ text, by: "http" });
  });
  await http.start();
  onTestFinished(() => http.teardown());
  const announce = (text: string) =>
    new GGTestAction(async () => {
      const response = await fetch(`http://127.0.0.1:${http.port}/announce`, { method: "POST", body: text });
      return response.text();
    });
  return { room, http, announce };
}

const as = (name: string) => new GGContext("test").set(GG_NAME, name);

/** The framework's way to an API: its own `callOn`. */
async function viaFramework(name: string) {
  const api = frameworkCallOn(KitApi, as(name));
  await api.connect();
  onTestFinished(() => api.disconnect());
  return api;
}

/** An expectation of another kit: of something that happens elsewhere. */
class Happens implements IGGTestWith {
  readonly calls: string[] = [];
  readonly #expected: string | undefined;
  readonly #isSlow: boolean;
  #seen: string[] = [];
  #isWatching = false;

  constructor(expected: string | undefined, isSlow = false) {
    this.#expected = expected;
    this.#isSlow = isSlow;
  }

  happen(what: string): void {
    if (this.#isWatching) this.#seen.push(what);
  }

  requiresWaitFor(): boolean {
    return this.#isSlow;
  }

  createInterceptor() {
    return {
      register: () => {
        this.calls.push("register");
        this.#isWatching = true;
      },
      unregister: () => {
        this.calls.push("unregister");
        this.#isWatching = false;
      },
      validate: () => {
        if (!this.#isWatching) this.calls.push("validate");
        const [first] = this.#seen;
        if (first !== this.#expected) throw new Error(`expected ${this.#expected}, saw ${first}`);
      },
      getMockValidationError: () => undefined,
      isCalled: () => this.#seen.length > 0,
    };
  }
}

describe("a mock", () => {
  it("is an expectation of an HTTP call", async () => {
    const { announce } = await start();
    const api = callOn(KitApi, as("ann"));
    await api.connect();
    expect(await announce("hello").with(api.mock.said.toEqual({ text: "hello", by: "http" }))).toBe("done");
    await announce("later").waitFor(api.mock.said.toMatchObject({ text: "later" }), 1_000);
  });

  it("fails the HTTP call when what came is not as expected, and when nothing came", async () => {
    const { announce } = await start();
    const api = await viaFramework("ann");
    await expect(announce("hello").with(api.mock.said.toMatchObject({ text: "other" }))).rejects.toThrow(
      /^Kit\.said: the payload is not as expected/,
    );
    await expect(announce("hello").with(api.mock.tick)).rejects.toThrow(/^Kit\.tick: not received/);
    await expect(announce("hello").with(api.mock.said.times(2))).rejects.toThrow(/1 of 2 received/);
  });

  it("says that the connection is missing", async () => {
    const { announce } = await start();
    const api = frameworkCallOn(KitApi, as("ann"));
    await expect(announce("hello").with(api.mock.said)).rejects.toThrow("call connect() first");
  });
});

describe("a call", () => {
  it("takes foreign expectations: registers them before it goes out, unregisters and validates them after", async () => {
    const { room } = await start();
    const api = callOn(KitApi, as("ann"));
    await api.connect();
    const log = new Happens("hushed");
    const metric = new Happens("counted");
    room.onHush = () => {
      log.happen("hushed");
      setImmediate(() => metric.happen("counted"));
    };
    await api.hush().with(log, metric);
    for (const { calls } of [log, metric]) expect(calls).toEqual(["register", "unregister", "validate"]);
  });

  it("takes them beside its own mocks", async () => {
    const { room } = await start();
    const api = callOn(KitApi, as("ann"));
    await api.connect();
    const log = new Happens("hushed");
    room.onHush = (outgoing) => {
      outgoing.tick();
      log.happen("hushed");
    };
    await api.hush().with(api.mock.tick, log);
  });

  it.each([
    ["nothing happened", undefined],
    ["something else happened", "other"],
  ])("fails when %s", async (_, what) => {
    const { room } = await start();
    const api = callOn(KitApi, as("ann"));
    await api.connect();
    const log = new Happens("hushed");
    room.onHush = () => what && log.happen(what);
    await expect(api.hush().with(log)).rejects.toThrow(`expected hushed, saw ${what}`);
    expect(log.calls.slice(0, 2)).toEqual(["register", "unregister"]);
  });

  it("passes when what should not happen does not", async () => {
    await start();
    const api = callOn(KitApi, as("ann"));
    await api.connect();
    await api.hush().with(new Happens(undefined));
  });

  it("waits for slow events: with waitFor, and where the expectation requires it", async () => {
    const { room } = await start();
    const api = callOn(KitApi, as("ann"));
    await api.connect();
    for (const isSlow of [true, false]) {
      const log = new Happens("late", isSlow);
      room.onHush = () => setTimeout(() => log.happen("late"), 60);
      await (isSlow ? api.hush().with(log) : api.hush().waitFor(log));
      expect(log.calls.at(-1)).toBe("validate");
    }
  });

  it("unregisters them also when it fails itself", async () => {
    await start();
    const api = callOn(KitApi, as("ann"));
    await api.connect();
    const log = new Happens("x");
    await expect(api.whoAmI().with(log).toEqual("bob")).rejects.toThrow("the result is not as expected");
    expect(log.calls).toEqual(["register", "unregister"]);
  });

  it("takes a log entry of the framework as its expectation", async () => {
    const scope = new GGLocatorScope("service");
    scope.setLifecycleOwner({});
    const room = new Room();
    room.onHush = () => {
      throw new Error("boom");
    };
    const entries: GGLogEntry[] = [];
    const { http } = scope.run(() => {
      GGLog.init();
      GGLog.add({ minLevel: 3, log: (entry) => entries.push(entry) });
      const http = new GGHttpServer({ port: 0 });
      KitApi.register(room.handle, { http });
      return { http };
    });
    await http.start();
    onTestFinished(() => http.teardown());
    const api = callOn(KitApi, as("ann"));
    await api.connect();
    await api.hush().with({
      createInterceptor: () => ({
        register() {},
        unregister() {},
        isCalled: () => entries.length > 0,
        getMockValidationError: () => undefined,
        validate: () => expect(entries.map(({ message }) => message)).toEqual(["Kit.hush: the handler failed"]),
      }),
    });
  });
});

describe("foreign expectations", () => {
  async function call() {
    const { room } = await start();
    const api = callOn(KitApi, as("ann"));
    await api.connect();
    return { room, api };
  }

  it("that something does not happen are given the whole grace", async () => {
    const { room, api } = await call();
    const nothing = new Happens(undefined);
    room.onHush = () => void setTimeout(() => nothing.happen("late"), 5);
    await expect(api.hush().with(nothing)).rejects.toThrow("expected undefined, saw late");
  });

  it.each([
    ["one of them", "Register failed"],
    ["the call", "expected the error SERVER_ERROR"],
  ])("all end when %s fails, and the test gets that failure", async (what, message) => {
    const { api } = await call();
    const ended: string[] = [];
    const one = (name: string, register: () => void) => ({
      createInterceptor: () => ({
        register,
        async unregister() {
          ended.push(name);
          throw new Error(`${name} cannot end`);
        },
        validate() {},
        getMockValidationError: () => undefined,
        isCalled: () => true,
      }),
    });
    const failing = () => {
      if (what === "one of them") throw new Error("Register failed");
    };
    const both = [one("first", () => {}), one("second", failing)];
    await expect(
      api
        .whoAmI()
        .toBeError(SERVER_ERROR)
        .with(...both),
    ).rejects.toThrow(message);
    expect(ended).toEqual(["first", "second"]);
  });

  it("are decided by their error at once, and validated once", async () => {
    const { api } = await call();
    let validated = 0;
    const wrong = new Error("not as expected");
    const expectation = (error: Error | undefined) => ({
      createInterceptor: () => ({
        register() {},
        unregister() {},
        validate: () => void validated++,
        getMockValidationError: () => error,
        isCalled: () => error === undefined,
      }),
    });
    await expect(api.hush().waitFor(expectation(wrong), 600_000)).rejects.toBe(wrong);
    expect(validated).toBe(0);
    await api.hush().waitFor(expectation(undefined), 600_000);
    expect(validated).toBe(1);
  });
});

describe("an API reached through the framework's callOn", () => {
  const warnings: string[] = [];
  beforeEach(() => {
    warnings.length = 0;
    const warn = vi.spyOn(console, "warn").mockImplementation((text) => void warnings.push(text));
    onTestFinished(() => warn.mockRestore());
  });

  it("has the types of the API", async () => {
    await start();
    const api = await viaFramework("ann");
    expectTypeOf(api).toEqualTypeOf<GGSocketTester<Kit["clientToServer"], Kit["serverToClient"]>>();
    expect(await api.whoAmI().toEqual("ann")).toBe("ann");
  });

  it("warns of a push that no test expected, and of a request that no mock answers, and fails nothing", async () => {
    await start();
    const api = frameworkCallOn(KitApi, as("ann"));
    await api.connect();
    await api.say({ text: "a" });
    await api.askMe().toBeError(SERVER_ERROR);
    await api.disconnect();
    expect(warnings.map((text) => text.split("\n")[0])).toEqual([
      "GGSocketTestError: Kit.said: a push that no test expected",
      "GGSocketTestError: Kit: the server asked Kit.question, and no mock answers it",
    ]);
  });

  it("does not take an earlier push for that of a later call", async () => {
    const { room } = await start();
    const api = await viaFramework("ann");
    await api.say({ text: "first" });
    await api.say({ text: "second" }).with(api.mock.said.toMatchObject({ text: "second" }));
    room.repeat = 2;
    await api.say({ text: "third" });
    await api.mock.said.times(2).toMatchObject({ text: "third" });
  });

  it("takes what the framework's own mocks take: times() for once, a request without an answer, a push that sleeps", async () => {
    const { room } = await start();
    const api = await viaFramework("ann");
    expect(await api.say({ text: "a" }).with(api.mock.said.times())).toBe(1);
    await api.askMe().toBeError(SERVER_ERROR).with(api.mock.question);
    room.onHush = (outgoing) => void outgoing.tick();
    await api.hush().with(api.mock.tick.sleep(600_000 as never));
  });

  it("keeps its connection beyond the test, and in concurrent ones", async () => {
    const { room } = await start();
    const api = frameworkCallOn(KitApi, as("ann"));
    await Promise.all([api.connect(), api.connect()]);
    expect(room.members.length).toBe(1);
    await api.whoAmI().toEqual("ann");
    await api.disconnect();
  });
});

describe("a server in a worker", () => {
  it("is found through the runner's routing, where no server of this process has the schema", async () => {
    const program = fixture("programs/kitServer.ts");
    const worker = execFile(process.execPath, ["--import", "tsx", program], { cwd: root });
    onTestFinished(() => void worker.kill());
    const [port] = await new Promise<string[]>((resolve) =>
      worker.stdout?.on("data", (text) => resolve([`${text}`.trim()])),
    );
    const asked: string[] = [];
    const scope = new GGLocatorScope("test");
    scope.set(GG_TEST_RUNNER, {
      discoveryServer: {
        getRoutingUrl(apiName) {
          asked.push(apiName);
          return `http://127.0.0.1:${port}`;
        },
      },
    });
    await scope.run(async () => {
      const api = callOn(KitApi, as("ann"));
      await api.connect();
      await api.say({ text: "a" }).with(api.mock.said.toEqual({ text: "a", by: "ann" }));
      const viaTheirs = frameworkCallOn(KitApi, as("bob"));
      await viaTheirs.connect();
      await viaTheirs.whoAmI().toEqual("bob");
      await viaTheirs.disconnect();
    });
    expect(asked).toEqual(["Kit", "Kit"]);
  });

  it.each<[string, object, string]>([
    ["has no discovery server", {}, "no running server of this process"],
    ["knows no route", { discoveryServer: { getRoutingUrl: () => null } }, "no running server of this process"],
    [
      "fails to say",
      { discoveryServer: { getRoutingUrl: () => Promise.reject(new Error("down")) } },
      "Kit: the test runner does not provide the server's URL",
    ],
  ])("says clearly that no server is found where the runner %s", async (_, runner, message) => {
    const scope = new GGLocatorScope("test");
    scope.set(GG_TEST_RUNNER, runner as never);
    await expect(scope.run(() => callOn(KitApi, as("ann")).connect())).rejects.toThrow(message);
  });

  it("is not looked up where a server of this process has the schema, and says clearly when there is none", async () => {
    await expect(callOn(KitApi, as("ann")).connect()).rejects.toThrow("no running server of this process");
    await start();
    const scope = new GGLocatorScope("test");
    scope.set(GG_TEST_RUNNER, {
      discoveryServer: {
        getRoutingUrl() {
          throw new Error("not to be asked");
        },
      },
    });
    await scope.run(() => callOn(KitApi, as("ann")).connect());
  });
});
