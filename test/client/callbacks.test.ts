import { SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import {
  GGSocketPool,
  type GGWebSocketClientConfig,
  type GGWebSocketMiddleware,
  type SocketAdapter,
} from "@grest-ts/websocket";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { asResult, MISBEHAVIOURS, once, unreadable } from "../hostile/misbehaviours.js";
import { watchTheProcess } from "../hostile/watch.js";
import { connectedProbe, displayed, ProbeApi, probe } from "../support/probe.js";
import { Queue } from "../support/queue.js";
import { RawServer } from "../support/rawPeer.js";
import type { RecordingLogger } from "../support/server.js";

// Whatever a program's callback does to a client: the process lives, every promise settles, and one log entry says
// whose callback it was.

watchTheProcess();

const settling = MISBEHAVIOURS.filter(({ name }) => name !== "never settles");
const failing = MISBEHAVIOURS.filter(({ fails }) => fails);
const odd = settling.filter(({ fails }) => !fails);

const messages = ({ entries }: RecordingLogger) => entries.map(({ message }) => message);

/** Accepts whatever connects, and plays no further part. */
async function server() {
  const raw = await RawServer.start();
  void (async () => {
    for (;;) await raw.accept();
  })();
  return raw;
}

describe.each(["onDisconnect", "onClose", "onError"] as const)("an %s callback", (name) => {
  it.each(MISBEHAVIOURS)("that $name stops neither the next one nor the client", async ({ run, fails }) => {
    const { client, peer, logger } = await connectedProbe();
    client.incoming.on({ news() {}, ask: () => 1 });
    const called = new Queue<string>();
    client[name](run as () => void);
    client[name](() => void called.push("next"));
    // A push that is not valid is an error, and an entry of its own.
    if (name === "onError") peer.send("m:Probe.news::{}");
    else peer.ws.terminate();
    expect(await called.next()).toBe("next");
    const own = () => messages(logger).filter((message) => message.includes("callback"));
    await vi.waitFor(() => expect(own()).toEqual(fails ? [`Probe: the ${name} callback failed`] : []));
    await client.disconnect();
  });
});

describe("beforeConnect", () => {
  it.each(failing)("that $name fails the attempt, and another may follow", async ({ run }) => {
    const beforeConnect = once(run, () => {}) as () => void;
    const { client, logger, server } = await probe({ beforeConnect });
    await expect(client.connect()).rejects.toBeInstanceOf(SERVER_ERROR);
    expect(messages(logger)).toEqual(["Probe: the beforeConnect callback failed"]);
    const accepted = server.accept();
    await client.connect();
    await accepted;
  });

  it.each(odd)("that $name changes nothing", async ({ run }) => {
    const { client, logger, server } = await probe({ beforeConnect: run as () => void });
    const accepted = server.accept();
    await client.connect();
    await accepted;
    expect(messages(logger)).toEqual([]);
  });

  it.each([
    ["no list of middlewares", () => ({ middlewares: 5 })],
    ["an unreadable query", () => ({ query: unreadable() })],
    ["a number for a url", () => ({ url: 5 })],
    ["an unreadable url", () => ({ url: unreadable() })],
  ])("that returns %s fails the attempt", async (_, target) => {
    const { client } = await probe({ beforeConnect: target as () => never });
    await expect(client.connect()).rejects.toBeInstanceOf(SERVER_ERROR);
  });

  it("that never settles leaves disconnect() and close() as they are", async () => {
    const { client } = await probe({ beforeConnect: () => new Promise<void>(() => {}) });
    for (const end of ["disconnect", "close"] as const) {
      const connecting = client.connect();
      await client[end]();
      await expect(connecting).rejects.toBeInstanceOf(SERVER_ERROR);
    }
  });
});

describe("updateHandshake", () => {
  const only = (run: () => unknown): Partial<GGWebSocketClientConfig> => ({
    middlewares: [{ updateHandshake: run as () => void }],
  });

  it("is awaited where it is asynchronous, each before the next", async () => {
    const steps: string[] = [];
    const middleware = (name: string, isSlow: boolean): GGWebSocketMiddleware => ({
      async updateHandshake({ headers }) {
        steps.push(`${name} begins`);
        if (isSlow) await new Promise((resolve) => setImmediate(resolve));
        headers[name] = "set";
        steps.push(`${name} ends`);
      },
    });
    const { client, server } = await probe({ middlewares: [middleware("first", true), middleware("second", false)] });
    const accepted = server.accept();
    await client.connect();
    expect((await accepted).headers).toEqual({ first: "set", second: "set" });
    expect(steps).toEqual(["first begins", "first ends", "second begins", "second ends"]);
  });

  it.each(failing.filter((one) => asResult(one).fails))("that $name fails the attempt", async ({ run }) => {
    const { client, logger } = await probe(only(run));
    await expect(client.connect()).rejects.toBeInstanceOf(SERVER_ERROR);
    expect(messages(logger)).toEqual(["Probe: the updateHandshake callback failed"]);
    expect(client.isConnected).toBe(false);
  });

  it.each(odd)("that $name changes nothing", async ({ run }) => {
    const { client, server } = await probe(only(run));
    const accepted = server.accept();
    await client.connect();
    expect((await accepted).headers).toEqual({});
  });

  it("that never settles leaves close() as it is", async () => {
    const { client, server } = await probe(only(() => new Promise(() => {})));
    const connecting = client.connect();
    await new Promise((resolve) => setImmediate(resolve));
    client.close();
    await expect(connecting).rejects.toBeInstanceOf(SERVER_ERROR);
    expect(server.count).toBe(0);
  });

  it.each([
    ["a number", () => 7],
    ["a list", () => []],
    ["an object", () => ({})],
    ["a function", () => () => {}],
    ["an unreadable object", unreadable],
  ])("that sets a header to %s fails the attempt, which says so", async (_, value) => {
    const { client } = await probe({
      middlewares: [{ updateHandshake: ({ headers }) => void Object.assign(headers, { "x-odd": value() }) }],
    });
    const error = await client.connect().catch((thrown) => thrown);
    expect(displayed(error)).toContain("x-odd");
  });

  it.each(failing.filter((one) => asResult(one).fails))(
    "of the pool's that $name rejects, and leaves no connection pending",
    async ({ run }) => {
      const { url } = await server();
      const config = { domain: url, path: "/ws", middlewares: [{ updateHandshake: run as () => void }] };
      let hasFailed = false;
      await GGSocketPool.getOrConnect(config).catch(() => {
        hasFailed = true;
      });
      expect([hasFailed, GGSocketPool.size, GGSocketPool.pendingSize]).toEqual([true, 0, 0]);
    },
  );
});

describe("a query", () => {
  it("with a getter that throws fails the attempt", async () => {
    const { client, logger } = await probe({ query: unreadable() } as never);
    await expect(client.connect()).rejects.toBeInstanceOf(SERVER_ERROR);
    expect(messages(logger)).toEqual(["Probe: the query callback failed"]);
  });

  it.each([
    ["a value without a text", Object.create(null)],
    ["a value whose text throws", unreadable()],
  ])("with %s is like any other bad input", async (_, a) => {
    const { client, logger } = await probe({ query: { a } } as never);
    await expect(client.connect()).rejects.toBeInstanceOf(VALIDATION_ERROR);
    expect(messages(logger)).toEqual([]);
  });
});

describe("shouldRetry", () => {
  it.each(settling)("that $name ends the session or goes on, and connect() settles", async ({ name, run, fails }) => {
    const { client, logger, peer, server } = await connectedProbe({
      reconnect: { initialDelayMs: 1, shouldRetry: run as () => boolean },
    });
    const ended = new Promise((resolve) => client.onClose(resolve));
    const retries = !name.startsWith("throws") && name !== "returns null";
    peer.ws.terminate();
    if (retries) await server.accept();
    else {
      expect(await ended).toBe("unrecoverable");
      const accepted = server.accept();
      await client.connect();
      await accepted;
    }
    expect(messages(logger)).toEqual(fails ? ["Probe: the shouldRetry callback failed"] : []);
  });
});

describe("a set-up", () => {
  it.each(failing)("that $name fails connect(), and closes", async ({ run }) => {
    const { client, logger, server } = await probe();
    const accepted = server.accept();
    await expect(client.connect(run as () => void)).rejects.toBeInstanceOf(SERVER_ERROR);
    await (await accepted).closed;
    expect(messages(logger)).toEqual(["Probe: the setup callback failed"]);
  });

  it.each(odd)("that $name changes nothing", async ({ run }) => {
    const { client, logger, server } = await probe();
    const accepted = server.accept();
    await client.connect(run as () => void);
    await accepted;
    expect([client.isConnected, messages(logger)]).toEqual([true, []]);
  });
});

describe("a handler", () => {
  it.each(failing)("that $name is answered with SERVER_ERROR", async ({ run }) => {
    const { client, logger, peer } = await connectedProbe();
    client.incoming.on({ ask: run as () => number, news() {} });
    peer.send("r:Probe.ask:1:");
    expect(await peer.next()).toMatch(/^s:Probe\.ask:1:\{"success":false,"type":"SERVER_ERROR"/);
    expect(messages(logger)).toEqual(["Probe.ask: the handler failed"]);
  });
});

describe("a WebSocket class", () => {
  it.each(failing.filter(({ name }) => name.startsWith("throws")))("that $name fails the attempt", async ({ run }) => {
    class Broken {
      constructor() {
        run();
      }
    }
    const { client } = await probe({ webSocket: Broken as never });
    await expect(client.connect()).rejects.toBeInstanceOf(SERVER_ERROR);
  });
});

describe("a socket adapter", () => {
  const METHODS = [
    "send",
    "close",
    "onOpen",
    "onMessage",
    "onClose",
    "onError",
    "offOpen",
    "offMessage",
    "offClose",
    "offError",
  ] as const;
  afterEach(() => GGSocketPool.setAdapter(undefined));

  it.each(METHODS)("whose %s throws ends its own connection only", async (broken) => {
    const other = await server();
    const kept = await GGSocketPool.getOrConnect({ domain: other.url, path: "/kept" });
    class Adapter {
      #open!: () => void;
      #message!: (text: string) => void;
      constructor() {
        queueMicrotask(() => this.#open?.());
        const self = this as unknown as Record<string, () => void>;
        self[broken] = () => {
          throw null;
        };
      }
      send(text: string) {
        if (text.startsWith("h:")) this.#message("k:::null");
      }
      close() {}
      onOpen(handler: () => void) {
        this.#open = handler;
      }
      onMessage(handler: (text: string) => void) {
        this.#message = handler;
      }
      onClose() {}
      onError() {}
      offOpen() {}
      offMessage() {}
      offClose() {}
      offError() {}
    }
    GGSocketPool.setAdapter(Adapter as unknown as new (url: string) => SocketAdapter);
    const made = GGSocketPool.connect({ domain: other.url, path: "/broken" });
    if (broken === "close" || broken.startsWith("off")) {
      const socket = await made;
      const ended = socket.closed();
      socket.terminate();
      await ended;
    } else await expect(made).rejects.toBeInstanceOf(SERVER_ERROR);
    expect(kept.isOpen).toBe(true);
    await GGSocketPool.closeAll(false);
  });
});

describe("a logger that throws", () => {
  it("hides no failure of a callback: it goes to the console, as text when it cannot be shown", async () => {
    const written: unknown[][] = [];
    const spy = vi.spyOn(console, "error").mockImplementation((...entry) => {
      if (entry.length > 1) throw new Error("not showable");
      written.push(entry);
    });
    onTestFinished(() => spy.mockRestore());
    const logger = { debug() {}, warn() {}, error: failing[0]?.run as () => void };
    const { client, peer } = await connectedProbe({ logger });
    const closed = new Promise<void>((resolve) => client.onClose(() => resolve()));
    client.onDisconnect(failing[0]?.run as () => void);
    peer.ws.terminate();
    await closed;
    expect(written).toEqual([["Probe: the onDisconnect callback failed"]]);
    expect(ProbeApi.name).toBe("Probe");
  });
});
