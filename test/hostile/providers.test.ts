import { GGContextKey } from "@grest-ts/context";
import { GGLocatorScope } from "@grest-ts/locator";
import { GG_METRICS, type GGMetricsStore } from "@grest-ts/metrics";
import { ERROR, type GGSchema, type GGValidator, IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it } from "vitest";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";
import { MISBEHAVIOURS, type Misbehaviour, once } from "./misbehaviours.js";
import { watchTheProcess } from "./watch.js";

// Whatever the objects do that a program or a neighbouring package gives to a server: stores, validators, error classes.

watchTheProcess();

const contract = defineSocketContract("Given", {
  clientToServer: { echo: { input: IsString, success: IsString }, note: {} },
  serverToClient: { said: { input: IsString } },
});
const Api = webSocketSchema(contract).path("ws").done();
const handlers = { echo: (text: string) => text, note() {} };
const OK = 's:Given.echo:1:{"success":true,"type":"OK","data":"x"}';

const outcomes = MISBEHAVIOURS.filter(({ name }) => name !== "never settles");

describe("a metrics store", () => {
  // A promise of the store's own that rejects never reaches this package: keys return nothing.
  const readable = outcomes.filter(({ name }) => !name.startsWith("rejects"));
  const odd = (store: () => unknown) => ({ get: store }) as unknown as GGMetricsStore;
  const STORES: [string, GGMetricsStore][] = [
    ...readable.map(({ name, run }): [string, GGMetricsStore] => [`whose \`get\` ${name}`, odd(run)]),
    ...outcomes
      .filter(({ name }) => name.startsWith("throws"))
      .map(({ name, run }): [string, GGMetricsStore] => [
        `whose metrics' methods each do this: ${name}`,
        odd(() => ({ inc: run, dec: run, observe: run, set: run })),
      ]),
  ];

  it.each(STORES)("%s stops no message, and is one entry in the log", async (_, store) => {
    const scope = new GGLocatorScope("service");
    scope.setLifecycleOwner({});
    scope.set(GG_METRICS, store);
    const { url, logger, http } = await scope.run(() =>
      serveApi(Api, (incoming, outgoing) => {
        incoming.on(handlers);
        outgoing.said("hello");
      }),
    );
    for (let i = 0; i < 2; i++) {
      const peer = await RawPeer.connect(url);
      peer.send("m:Given.note::", "s:Given.said:9:", 'r:Given.echo:1:"x"');
      expect(await peer.frames.take(2)).toEqual(['m:Given.said::"hello"', OK]);
      await peer.close();
    }
    const peer = await RawPeer.open(url);
    peer.send("h:::{}");
    await http.teardown();
    expect(logger.entries.map(({ message }) => message)).toEqual(["Given: the metrics store failed"]);
  });
});

describe("a query validator", () => {
  const defects = outcomes.filter(({ name }) => name !== "returns an object with throwing getters");

  it.each(defects)("that $name ends the connection with 1011", async ({ run }) => {
    const safeParse = once<unknown>(run, () => ({ success: true, value: {} }));
    const Queried = webSocketSchema(contract)
      .path("ws")
      .queryOnConnect({ safeParse } as unknown as GGValidator<object>)
      .done();
    const { url, logger } = await serveApi(Queried, (incoming) => incoming.on(handlers));
    const peer = await RawPeer.open(`${url}?a=1`);
    expect((await peer.closed).code).toBe(1011);
    const other = await RawPeer.connect(`${url}?a=1`);
    other.send('r:Given.echo:1:"x"');
    expect(await other.next()).toBe(OK);
    expect(logger.entries.map(({ message }) => message)).toEqual(["Given: the query validator failed"]);
  });
});

describe.each(["input", "success"] as const)("a validator of a method's %s", (side) => {
  it.each(outcomes)("that $name is answered with an error", async ({ run }) => {
    const broken = { safeParse: run } as unknown as GGSchema<string>;
    const Broken = webSocketSchema(
      defineSocketContract("Given", {
        clientToServer: { echo: { input: IsString, success: IsString, [side]: broken }, note: {} },
        serverToClient: {},
      }),
    )
      .path("ws")
      .done();
    const { url, logger } = await serveApi(Broken, (incoming) => incoming.on(handlers));
    const peer = await RawPeer.connect(url);
    peer.send('r:Given.echo:1:"x"', "m:Given.echo::1", "r:Given.note:2:");
    expect(await peer.next()).toMatch(/^s:Given\.echo:1:\{"success":false,"type":"SERVER_ERROR"/);
    expect(await peer.next()).toMatch(/^s:Given\.note:2:\{"success":true/);
    expect(logger.entries.some(({ message }) => message.startsWith("Given.echo: "))).toBe(true);
  });
});

describe("an error class", () => {
  it.each(outcomes)("whose schema $name is answered with SERVER_ERROR", async ({ name, run }) => {
    const Broken = ERROR.define(`BROKEN_${outcomes.findIndex((one) => one.name === name)}`, 400, {
      safeParse: run,
    } as unknown as GGSchema<string>);
    const Declaring = webSocketSchema(
      defineSocketContract("Given", {
        clientToServer: { echo: { input: IsString, success: IsString, errors: [Broken] }, note: {} },
        serverToClient: {},
      }),
    )
      .path("ws")
      .done();
    const { url, logger } = await serveApi(Declaring, (incoming) =>
      incoming.on({
        ...handlers,
        echo() {
          throw new Broken("x");
        },
      }),
    );
    const peer = await RawPeer.connect(url);
    peer.send('r:Given.echo:1:"x"', "r:Given.note:2:");
    expect(await peer.next()).toMatch(/^s:Given\.echo:1:\{"success":false,"type":"SERVER_ERROR"/);
    expect(await peer.next()).toMatch(/^s:Given\.note:2:\{"success":true/);
    expect(logger.entries.map(({ message }) => message)).toEqual(["Given.echo: its error cannot be sent"]);
  });
});

describe("an object of handlers", () => {
  it("whose getter throws is answered with SERVER_ERROR", async () => {
    const { url, logger } = await serveApi(Api, (incoming) =>
      incoming.on({
        note() {},
        get echo(): (text: string) => string {
          throw new Error("mine");
        },
      }),
    );
    const peer = await RawPeer.connect(url);
    peer.send('r:Given.echo:1:"x"', "r:Given.note:2:");
    expect(await peer.next()).toMatch(/^s:Given\.echo:1:\{"success":false,"type":"SERVER_ERROR"/);
    expect(await peer.next()).toMatch(/^s:Given\.note:2:\{"success":true/);
    expect(logger.entries.map(({ message }) => message)).toEqual(["Given.echo: the handler failed"]);
  });
});

describe("addressOf", () => {
  it.each(outcomes)("that $name counts as the address of the peer, or as one of its own", async ({ run }) => {
    const { url } = await serveApi(Api, (incoming) => incoming.on(handlers), {
      addressOf: run as () => string,
      limits: { maxConnectionsPerAddress: 3 },
    });
    const peer = await RawPeer.connect(url);
    peer.send('r:Given.echo:1:"x"');
    expect(await peer.next()).toBe(OK);
  });
});

describe("the match of closeConnections()", () => {
  const NAME = new GGContextKey<string>("given_name", IsString);
  const serveNamed = () =>
    serveApi(
      webSocketSchema(contract)
        .path("ws")
        .use({ parseHandshake: ({ headers }) => NAME.set(headers.name ?? "") })
        .done(),
      (incoming) => incoming.on(handlers),
    );

  it.each(outcomes.filter(({ name }) => name.startsWith("throws")))(
    "that $name for one spares no other",
    async ({ run }: Misbehaviour) => {
      const { url, server } = await serveNamed();
      const ann = await RawPeer.connect(url, { name: "ann" });
      const bob = await RawPeer.connect(url, { name: "bob" });
      let hasThrown = false;
      try {
        server.closeConnections(() => (NAME.get() === "ann" ? (run() as boolean) : true));
      } catch {
        hasThrown = true;
      }
      expect(hasThrown).toBe(true);
      expect((await bob.closed).code).toBe(1008);
      ann.send('r:Given.echo:1:"x"');
      expect(await ann.next()).toBe(OK);
    },
  );

  it.each(outcomes.filter(({ name }) => name.startsWith("rejects")))(
    "that $name closes nothing, and is refused",
    async ({ run }) => {
      const { url, server } = await serveNamed();
      const peer = await RawPeer.connect(url);
      expect(() => server.closeConnections(run as () => boolean)).toThrow("not a promise");
      peer.send('r:Given.echo:1:"x"');
      expect(await peer.next()).toBe(OK);
    },
  );
});
