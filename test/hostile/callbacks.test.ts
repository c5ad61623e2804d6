import { GG_NO_PERMISSIONS, IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  type GGSocket,
  type GGWebSocketMiddleware,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import { describe, expect, it } from "vitest";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";
import { asResult, MISBEHAVIOURS, type Misbehaviour, once } from "./misbehaviours.js";
import { watchTheProcess } from "./watch.js";

// Whatever a program's callback does to a server: the process lives, its peer gets an answer where one is due, one log
// entry says whose callback it was, and other connections go on.

watchTheProcess();

const contract = defineSocketContract("Host", {
  clientToServer: {
    echo: { input: IsString, success: IsString },
    odd: { success: IsString },
  },
  serverToClient: {},
});
const Api = webSocketSchema(contract).path("ws").done();
type Misbehave = Misbehaviour["run"];
type Served = Awaited<ReturnType<typeof serveApi>>;

const handlers = (misbehave: Misbehave = () => "odd") => ({
  echo: (text: string) => text,
  odd: misbehave as () => string,
});

/** Serves the API with handlers that behave, unless `config` brings ones that do not. */
const serveHost = (config: WebSocketSchemaConfig = {}, schema: typeof Api = Api) =>
  serveApi(schema, (incoming) => incoming.on(handlers()), config);

/** Expects that another connection is made and answered. */
async function expectService(url: string): Promise<void> {
  const peer = await RawPeer.connect(url);
  peer.send('r:Host.echo:1:"x"');
  expect(await peer.next()).toBe('s:Host.echo:1:{"success":true,"type":"OK","data":"x"}');
}

/** Expects one entry of that text, or none at all. */
async function expectEntry({ logger, url }: Served, text: string | undefined): Promise<void> {
  if (text) expect((await logger.next()).message).toBe(text);
  await expectService(url);
  expect(logger.entries.map(({ message }) => message)).toEqual(text ? [text] : []);
}

/** Callbacks whose result counts for nothing: what each is called in the log, and what makes it run. */
const CALLBACKS: readonly [string, (misbehave: Misbehave) => Promise<Served>][] = [
  [
    "onClose",
    async (misbehave) => {
      const callback = once(misbehave, () => {});
      const served = await serveApi(Api, (incoming, outgoing) => {
        incoming.on(handlers());
        outgoing.onClose(callback);
      });
      await (await RawPeer.connect(served.url)).close();
      return served;
    },
  ],
  ["onConnection", (misbehave) => raw(misbehave as () => void)],
  [
    "setUnknownMessageHandler",
    (misbehave) => raw((socket) => socket.setUnknownMessageHandler(misbehave as () => void), "m:Nobody.knows::1"),
  ],
  ["onError", (misbehave) => raw((socket) => void socket.onError(misbehave as () => void), "m:Host.echo::{}")],
  ["onClose", (misbehave) => raw((socket) => void socket.onClose(misbehave as () => void), "close")],
  [
    "onTearDown",
    (misbehave) =>
      raw((socket) => {
        socket.onTearDown(misbehave as () => Promise<void>);
        void socket.teardown(1, 1);
      }, "closed"),
  ],
];

/** An API whose first connection is also a raw socket, to which something happens. */
async function raw(onSocket: (socket: GGSocket) => void, event?: string): Promise<Served> {
  const served = await serveHost();
  let isFirst = true;
  served.server.onConnection((socket) => {
    if (!isFirst) return;
    isFirst = false;
    return onSocket(socket);
  });
  const peer = await RawPeer.connect(served.url);
  if (event === "close") await peer.close();
  else if (event === "closed") await peer.closed;
  else if (event) {
    peer.send(event);
    await peer.roundTrip();
    // An invalid message is an entry of its own.
    if (event.startsWith("m:Host")) {
      await served.logger.next();
      served.logger.entries.shift();
    }
  }
  return served;
}

describe.each(CALLBACKS)("an %s callback of a server", (name, start) => {
  it.each(MISBEHAVIOURS)("that $name", async ({ run, fails }) => {
    await expectEntry(await start(run), fails ? `Host: the ${name} callback failed` : undefined);
  });
});

describe.each([
  ["a handler", "Host.odd", (misbehave: Misbehave) => serveApi(Api, (incoming) => incoming.on(handlers(misbehave)))],
  [
    "a raw handler",
    "Extra.odd",
    async (misbehave: Misbehave) => {
      const served = await serveHost();
      served.server.onConnection((socket) => socket.registerHandler({ path: "Extra.odd", handler: misbehave }));
      return served;
    },
  ],
])("%s", (_, path, start) => {
  it.each(MISBEHAVIOURS.filter(({ fails }) => fails))("that $name is answered with SERVER_ERROR", async ({ run }) => {
    const served = await start(run);
    const peer = await RawPeer.connect(served.url);
    peer.send(`r:${path}:1:`);
    expect(await peer.next()).toMatch(new RegExp(`^s:${path}:1:\\{"success":false,"type":"SERVER_ERROR"`));
    await expectEntry(served, `${path}: the handler failed`);
  });
});

describe("a connection handler", () => {
  it.each(MISBEHAVIOURS.map(asResult))("that $name", async ({ run, fails }) => {
    const misbehave = once(run, () => {});
    const served = await serveApi(Api, (incoming) => {
      incoming.on(handlers());
      return misbehave();
    });
    const peer = await RawPeer.open(served.url);
    peer.send("h:::{}");
    expect(await peer.next()).toBe("k:::null");
    if (fails) expect((await peer.closed).code).toBe(1011);
    await expectEntry(served, fails ? "Host: the connection handler failed" : undefined);
  });
});

describe.each(["parseHandshake", "process"] as const)("a middleware's %s", (step) => {
  it.each(MISBEHAVIOURS.map(asResult))("that $name", async ({ run, fails, name }) => {
    const misbehave = once(run, () => {});
    const Guarded = webSocketSchema(contract)
      .path("ws")
      .use({ [step]: misbehave } as GGWebSocketMiddleware)
      .done();
    const served = await serveApi(Guarded, (incoming) => incoming.on(handlers()));
    const peer = await RawPeer.open(served.url);
    peer.send("h:::{}");
    if (fails) {
      expect(await peer.next()).toMatch(/^x:::\{"success":false,"type":"SERVER_ERROR"/);
      expect((await peer.closed).code).toBe(4001);
    } else if (name !== "never settles") expect(await peer.next()).toBe("k:::null");
    await expectEntry(served as Served, fails ? "Host: a middleware failed" : undefined);
  });
});

const Gated = webSocketSchema(
  defineSocketContract("Host", {
    clientToServer: {
      echo: { input: IsString, success: IsString, permission: GG_NO_PERMISSIONS },
      gated: { success: IsString, permission: "admin" },
    },
    serverToClient: {},
  }),
)
  .path("ws")
  .done();

async function serveGated(permissionResolver: () => ReadonlySet<string>): Promise<Served> {
  const onConnection = (incoming: { on(handlers: object): void }) =>
    incoming.on({ echo: (text: string) => text, gated: () => "gated" });
  return (await serveApi(Gated, onConnection as never, { permissionResolver })) as never;
}

describe("a permission resolver", () => {
  const odd: readonly Pick<Misbehaviour, "name" | "run">[] = [
    { name: "returns a Set of other things than texts", run: () => new Set([1]) },
    { name: "returns an object", run: () => ({ admin: true }) },
    { name: "resolves with a list", run: async () => ["admin"] },
  ];
  const defects = MISBEHAVIOURS.filter(({ name }) => name !== "returns null" && name !== "never settles");

  it.each([...defects, ...odd])("that $name refuses the connection", async ({ run }) => {
    const permissionResolver = once<ReadonlySet<string>>(run, () => new Set(["admin"]));
    const served = await serveGated(permissionResolver);
    const peer = await RawPeer.open(served.url);
    peer.send("h:::{}");
    expect(await peer.next()).toMatch(/^x:::\{"success":false,"type":"SERVER_ERROR"/);
    expect((await peer.closed).code).toBe(4001);
    await expectEntry(served, "Host: the permission resolver failed");
  });

  it.each(["has", "size"])("whose scopes throw at `%s` permits nothing", async (member) => {
    class Scopes extends Set<string> {}
    Object.defineProperty(Scopes.prototype, member, {
      get() {
        throw new Error("no scopes today");
      },
    });
    const served = await serveGated(() => new Scopes(["admin"]));
    const peer = await RawPeer.connect(served.url);
    peer.send("r:Host.gated:1:", 'r:Host.echo:2:"x"');
    if (member === "has") expect(await peer.next()).toContain('s:Host.gated:1:{"success":false,"type":"SERVER_ERROR"');
    else expect(await peer.next()).toContain("s:Host.gated:1:");
    expect(await peer.next()).toContain('s:Host.echo:2:{"success":true');
  });
});
