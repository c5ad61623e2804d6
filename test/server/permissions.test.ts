import { GGContextKey } from "@grest-ts/context";
import { GG_PERMISSIONS, GGHttp, GGHttpServer, GGRpc, httpSchema } from "@grest-ts/http";
import {
  ERROR,
  GG_ANY_PERMISSION,
  GG_NO_PERMISSIONS,
  GGContractClass,
  type GGContractMethod,
  type GGPermission,
  IsObject,
  IsString,
  NOT_AUTHORIZED,
} from "@grest-ts/schema";
import {
  defineSocketContract,
  type GGSocketMethodMap,
  type GGWebSocketMiddleware,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { RawPeer } from "../support/rawPeer.js";
import { ofConnection, serveApi, startHttp } from "../support/server.js";

type Scopes = ReadonlySet<string> | null;
const USER = new GGContextKey<string>("permissions_test_user", IsString);

const contract = defineSocketContract("Gate", {
  clientToServer: {
    open: { permission: GG_NO_PERMISSIONS, success: IsString },
    anyone: { permission: GG_ANY_PERMISSION, success: IsString },
    write: { permission: "chat:write", input: IsObject({ text: IsString.nonEmpty }), success: IsString },
    both: { permission: { allOf: ["a", "b"] }, success: IsString },
    either: { permission: { anyOf: ["a", "b"] }, success: IsString },
    nested: { permission: { allOf: ["a", { anyOf: ["b", { allOf: ["c", "d"] }] }] }, success: IsString },
    held: { permission: GG_NO_PERMISSIONS, success: IsString },
    note: { permission: "chat:write", input: IsString },
  },
  serverToClient: {},
});
const METHODS = ["open", "anyone", "write", "both", "either", "nested"] as const;

const asUser: GGWebSocketMiddleware = { parseHandshake: ({ headers }) => USER.set(headers.user ?? "unknown") };

async function start(
  resolve: () => Scopes | Promise<Scopes>,
  { connect, ...config }: WebSocketSchemaConfig & { connect?: GGPermission } = {},
) {
  const handled: string[] = [];
  const done = (name: string) => {
    handled.push(name);
    return name;
  };
  const made = webSocketSchema(contract).path("ws/gate").use(asUser);
  if (connect !== undefined) made.connectPermission(connect);
  const { url, server, logger } = await serveApi(
    made.done(),
    (incoming) => {
      handled.push("connection");
      incoming.on({
        open: () => done("open"),
        anyone: () => done("anyone"),
        write: ({ text }) => done(`write ${text}`),
        both: () => done("both"),
        either: () => done("either"),
        nested: () => done("nested"),
        held: () => [...(GG_PERMISSIONS.get()?.scopes ?? ["none"])].sort().join(),
        note: (text) => void done(`note ${text}`),
      });
    },
    { permissionResolver: resolve, ...config },
  );
  return { url, logger, handled, server };
}

/** Calls every method and returns `OK`, or the type of the error, of each. */
async function results(peer: RawPeer): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const method of METHODS) {
    peer.send(`r:Gate.${method}:1:${method === "write" ? '{"text":"t"}' : ""}`);
    found[method] = /"type":"(\w+)"/.exec(await peer.next())?.[1] ?? "?";
  }
  return found;
}

const ONLY_OPEN = (error: string) => ({
  open: "OK",
  anyone: error,
  write: error,
  both: error,
  either: error,
  nested: error,
});

describe("the gate of a message", () => {
  it("refuses all but public methods without an identity: NOT_AUTHORIZED", async () => {
    const { url, handled } = await start(() => null);
    expect(await results(await RawPeer.connect(url))).toEqual(ONLY_OPEN("NOT_AUTHORIZED"));
    expect(handled).toEqual(["connection", "open"]);
  });

  it("refuses an identity without the scope: FORBIDDEN", async () => {
    const { url, handled } = await start(() => new Set());
    expect(await results(await RawPeer.connect(url))).toEqual(ONLY_OPEN("FORBIDDEN"));
    expect(handled).toEqual(["connection", "open"]);
  });

  it.each<[string[], string[]]>([
    [["other"], ["open", "anyone"]],
    [["chat:write"], ["open", "anyone", "write"]],
    [["a"], ["open", "anyone", "either"]],
    [["b"], ["open", "anyone", "either"]],
    [
      ["a", "b"],
      ["open", "anyone", "both", "either", "nested"],
    ],
    [
      ["a", "c"],
      ["open", "anyone", "either"],
    ],
    [
      ["a", "c", "d"],
      ["open", "anyone", "either", "nested"],
    ],
    [
      ["b", "c", "d"],
      ["open", "anyone", "either"],
    ],
  ])("with the scopes %s allows %s", async (scopes, allowed) => {
    const { url } = await start(() => new Set(scopes));
    const got = await results(await RawPeer.connect(url));
    expect(METHODS.filter((method) => got[method] === "OK")).toEqual(allowed);
    expect(METHODS.filter((method) => got[method] === "FORBIDDEN")).toEqual(
      METHODS.filter((m) => !allowed.includes(m)),
    );
  });

  it.each<[Scopes, string]>([
    [null, "NOT_AUTHORIZED"],
    [new Set(["other"]), "FORBIDDEN"],
  ])("comes before the payload is even parsed (scopes %o)", async (scopes, type) => {
    const parse = vi.spyOn(JSON, "parse");
    onTestFinished(() => parse.mockRestore());
    const { url } = await start(() => scopes);
    const peer = await RawPeer.connect(url);
    peer.send("r:Gate.write:1:{nope", 'r:Gate.write:2:{"text":""}', "r:Gate.write:3:");
    for (const reply of await peer.frames.take(3)) expect(reply).toContain(`"type":"${type}"`);
    const parsed = parse.mock.calls.map(([text]) => text);
    expect(parsed).toEqual(expect.arrayContaining(["{}"])); // the handshake: the spy sees what the server parses
    expect(parsed).not.toContain("{nope");
    expect(parsed).not.toContain('{"text":""}');
  });

  it("comes before validation, which an allowed message still meets", async () => {
    const { url } = await start(() => new Set(["chat:write"]));
    const peer = await RawPeer.connect(url);
    peer.send("r:Gate.write:1:{nope", 'r:Gate.write:2:{"text":""}', 'r:Gate.write:3:{"text":"t"}');
    expect((await peer.frames.take(3)).map((reply) => /"type":"(\w+)"/.exec(reply)?.[1])).toEqual([
      "VALIDATION_ERROR",
      "VALIDATION_ERROR",
      "OK",
    ]);
  });

  it("says with its status and a display message what is refused, and nothing of the scopes", async () => {
    const { url } = await start(() => new Set(["hidden-scope"]));
    const peer = await RawPeer.connect(url);
    peer.send("r:Gate.both:7:");
    const reply = await peer.next();
    expect(JSON.parse(reply.slice("s:Gate.both:7:".length))).toEqual({
      success: false,
      type: "FORBIDDEN",
      statusCode: 403,
      context: {
        displayMessage: expect.stringContaining("Gate.both"),
        timestamp: expect.any(Number),
        ref: expect.any(String),
      },
    });
    expect(reply).not.toContain("hidden-scope");
  });

  it.each<[Scopes, string]>([
    [null, "NOT_AUTHORIZED"],
    [new Set(["other"]), "FORBIDDEN"],
  ])(
    "drops a refused fire-and-forget message: logged, never handled, the connection lives on",
    async (scopes, type) => {
      const { url, handled, logger } = await start(() => scopes);
      const peer = await RawPeer.connect(url);
      peer.send('m:Gate.note::"x"');
      expect(await peer.framesUntilAnswerTo("r:Gate.open:1:")).toEqual([]);
      expect(handled).toEqual(["connection", "open"]);
      expect(logger.entries).toEqual([
        {
          level: "warn",
          message: `Gate.note: a message ended with ${type}`,
          fields: { ...ofConnection, type, ref: expect.any(String) },
        },
      ]);
    },
  );

  it("answers at once, also while the connection handler has not given handlers yet", async () => {
    const made = webSocketSchema(contract).path("ws/gate").done();
    const { url } = await serveApi(made, () => new Promise(() => {}), { permissionResolver: () => null });
    const peer = await RawPeer.connect(url);
    peer.send("r:Gate.open:1:", "r:Gate.both:2:");
    expect(await peer.next()).toMatch(/^s:Gate\.both:2:.*NOT_AUTHORIZED/);
    await peer.roundTrip();
    expect(peer.frames.unseen).toEqual([]);
  });
});

describe("the scopes", () => {
  it("are resolved once per connection, in its context, after all middlewares", async () => {
    const calls: string[] = [];
    const { url } = await start(
      async () => {
        calls.push(`resolve for ${USER.get()}`);
        await new Promise((resolve) => setImmediate(resolve));
        return USER.get() === "ann" ? new Set(["a", "b"]) : null;
      },
      { middlewares: [{ process: async () => void calls.push(`last middleware of ${USER.get()}`) }] },
    );
    const ann = await RawPeer.connect(url, { user: "ann" });
    const bob = await RawPeer.connect(url, { user: "bob" });
    expect((await results(ann)).both).toBe("OK");
    expect((await results(ann)).both).toBe("OK");
    expect((await results(bob)).both).toBe("NOT_AUTHORIZED");
    expect(calls).toEqual(["last middleware of ann", "resolve for ann", "last middleware of bob", "resolve for bob"]);
  });

  it("are cached for the life of the connection: a revocation reaches the next one", async () => {
    let scopes: Scopes = new Set(["a", "b"]);
    const { url } = await start(() => scopes);
    const before = await RawPeer.connect(url);
    scopes = null;
    const after = await RawPeer.connect(url);
    expect([(await results(before)).both, (await results(after)).both]).toEqual(["OK", "NOT_AUTHORIZED"]);
  });

  it("are there for handlers as GG_PERMISSIONS, and are not without an identity", async () => {
    const { url } = await start(() => (USER.get() === "ann" ? new Set(["b", "a"]) : null));
    const held = async (user: string) => {
      const peer = await RawPeer.connect(url, { user });
      peer.send("r:Gate.held:1:");
      return /"data":"(.*)"/.exec(await peer.next())?.[1];
    };
    expect([await held("ann"), await held("bob"), await held("ann")]).toEqual(["a,b", "none", "a,b"]);
  });

  it("may be refused by the resolver: an ERROR is shown, anything else is a SERVER_ERROR and logged", async () => {
    const EXPIRED = ERROR.define("EXPIRED", 401);
    const { url, handled, logger } = await start(() => {
      if (USER.get() === "ann") throw new EXPIRED({ displayMessage: "log in again" });
      throw new Error("database down");
    });
    const refused = async (user: string) => {
      const peer = await RawPeer.open(url);
      peer.send(`h:::{"user":"${user}"}`);
      expect(await peer.closed).toEqual({ code: 4001, reason: "Handshake failed" });
      return peer.next();
    };
    expect(await refused("ann")).toMatch(/^x:::.*"type":"EXPIRED".*"displayMessage":"log in again"/);
    expect(logger.entries).toEqual([]);
    const frame = await refused("bob");
    expect(frame).toMatch(/^x:::.*"type":"SERVER_ERROR"/);
    expect(frame).not.toContain("database");
    expect(logger.entries).toHaveLength(1);
    expect(frame).toContain(`"ref":"${logger.entries[0]?.fields.ref}"`);
    expect(logger.entries[0]?.fields.error).toEqual(new Error("database down"));
    expect(handled).toEqual([]);
  });
});

describe("connectPermission", () => {
  it.each<[Scopes, string]>([
    [null, "NOT_AUTHORIZED"],
    [new Set(), "FORBIDDEN"],
    [new Set(["chat:read"]), "FORBIDDEN"],
  ])("refuses the scopes %o: x with %s, close 4001, no connection handler", async (scopes, type) => {
    const { url, handled, server, logger } = await start(() => scopes, { connect: "chat:open" });
    const peer = await RawPeer.open(url);
    peer.send("h:::{}", "r:Gate.open:1:");
    expect(await peer.closed).toEqual({ code: 4001, reason: "Handshake failed" });
    expect(peer.frames.unseen).toEqual([
      expect.stringMatching(new RegExp(`^x:::\\{"success":false,"type":"${type}","statusCode":40`)),
    ]);
    expect({ handled, open: server.connectionCount, logged: logger.entries }).toEqual({
      handled: [],
      open: 0,
      logged: [],
    });
  });

  it.each<[GGPermission, string[]]>([
    ["chat:open", ["chat:open"]],
    [GG_ANY_PERMISSION, ["whatever"]],
    [{ anyOf: ["x", { allOf: ["y", "z"] }] }, ["y", "z"]],
  ])("%o lets the scopes %s in", async (connect, scopes) => {
    const { url, handled } = await start(() => new Set(scopes), { connect });
    await RawPeer.connect(url);
    expect(handled).toEqual(["connection"]);
  });

  it("GG_NO_PERMISSIONS accepts every connection, while messages are gated on their own", async () => {
    const { url } = await start(() => null, { connect: GG_NO_PERMISSIONS });
    expect(await results(await RawPeer.connect(url))).toEqual(ONLY_OPEN("NOT_AUTHORIZED"));
  });

  it("does not resolve scopes after a middleware has refused", async () => {
    const resolver = vi.fn(() => null);
    const { url } = await start(resolver, {
      connect: "x",
      middlewares: [
        {
          parseHandshake() {
            throw new NOT_AUTHORIZED({ displayMessage: "by the middleware" });
          },
        },
      ],
    });
    const peer = await RawPeer.open(url);
    peer.send("h:::{}");
    expect(await peer.next()).toContain("by the middleware");
    expect(resolver).not.toHaveBeenCalled();
  });
});

describe("the check at start", () => {
  afterEach(() => void vi.restoreAllMocks());

  const socketApi = (name: string, clientToServer: GGSocketMethodMap, connect?: GGPermission) => {
    const made = webSocketSchema(defineSocketContract(name, { clientToServer, serverToClient: {} })).path(`ws/${name}`);
    if (connect !== undefined) made.connectPermission(connect);
    return made.done();
  };
  const httpApi = (name: string, methods: Readonly<Record<string, GGContractMethod>>) =>
    httpSchema(new GGContractClass(name, methods))
      .pathPrefix(name)
      .routes(Object.fromEntries(Object.keys(methods).map((method) => [method, GGRpc.POST(method)])));
  const handlersOf = (methods: GGSocketMethodMap) =>
    Object.fromEntries(Object.keys(methods).map((method) => [method, async () => undefined]));

  /** Starts a server that must refuse to start, and returns its error. */
  async function failure(register: (http: GGHttpServer) => void): Promise<string> {
    const http = new GGHttpServer({ port: 0 });
    register(http);
    const error = await http.start().then(
      () => undefined,
      (reason: Error) => reason,
    );
    onTestFinished(() => http.teardown());
    expect(error).toBeInstanceOf(Error);
    expect({ listening: http.httpServer.listening, port: http.port }).toEqual({ listening: false, port: undefined });
    return (error as Error).message;
  }

  it("refuses gated methods and connections without a resolver, and lists each with its fix", async () => {
    const message = await failure((http) => {
      socketApi("One", { a: { permission: "x:read" }, b: { permission: GG_NO_PERMISSIONS } }).register(() => {}, {
        http,
      });
      socketApi("Two", { c: { permission: { anyOf: ["y", "z"] } }, d: { permission: GG_ANY_PERMISSION } }).register(
        () => {},
        { http },
      );
      socketApi("Three", {}, "enter").register(() => {}, { http });
      socketApi("Fine", { e: { permission: "x" } }).register(() => {}, { http, permissionResolver: () => null });
    });
    expect(message).toContain('  One.a   requires "x:read"\n');
    expect(message).toMatch(/ {2}Two\.c {3}requires .*y.*z/);
    expect(message).toMatch(/ {2}Two\.d {3}requires /);
    expect(message).toContain('  Three (connectPermission)   requires "enter"');
    expect(message).toContain("permissionResolver");
    expect(message).not.toMatch(/One\.b|Fine\.e/);
  });

  it.each<[string, (http: GGHttpServer) => void]>([
    [
      "a method's permission",
      (http) => socketApi("Who", { a: { permission: GG_NO_PERMISSIONS } }).register(() => {}, { http }),
    ],
    ["a connectPermission", (http) => socketApi("Who", {}, GG_NO_PERMISSIONS).register(() => {}, { http })],
    [
      "an HTTP method's permission",
      (http) => {
        const methods = { a: { permission: GG_NO_PERMISSIONS } };
        new GGHttp(http).http(httpApi("Who", methods), handlersOf(methods));
      },
    ],
  ])("is strict for the whole server, HTTP and WebSocket, once %s is declared", async (_what, declare) => {
    const message = await failure((http) => {
      const methods = { h: {}, i: {} };
      new GGHttp(http).http(httpApi("Web", methods), handlersOf(methods));
      socketApi("Sock", { s: {}, t: { permission: GG_NO_PERMISSIONS }, u: {} }).register(() => {}, { http });
      declare(http);
    });
    for (const name of ["Web.h", "Web.i", "Sock.s", "Sock.u"]) expect(message).toContain(`  ${name}\n`);
    expect(message).not.toMatch(/Sock\.t|Who\./);
    expect(message).toContain("GG_NO_PERMISSIONS");
  });

  it("accepts a server where all is declared and resolved, or nothing is declared", async () => {
    const declared = { a: { permission: "x" }, b: { permission: GG_NO_PERMISSIONS } };
    await startHttp((http) => {
      new GGHttp(http).usePermissions(() => null).http(httpApi("Web", declared), handlersOf(declared));
      socketApi("Sock", declared, "y").register(() => {}, { http, permissionResolver: () => null });
    });
    await startHttp((http) => {
      new GGHttp(http).http(httpApi("Web", { a: {} }), handlersOf({ a: {} }));
      socketApi("Sock", { a: {} }).register(() => {}, { http });
    });
  });

  it("judges each server on its own", async () => {
    await serveApi(socketApi("Open", { a: {} }), () => {});
    await serveApi(socketApi("Shut", { a: { permission: "x" } }), () => {}, { permissionResolver: () => null });
  });

  it("holds for an API that is registered while the server listens", async () => {
    const gated = { a: { permission: "x" } };
    const open = { a: {} };
    const permissionResolver = () => null;
    const { http } = await startHttp((http) => socketApi("First", open).register(() => {}, { http }));
    expect(() => socketApi("Late", gated).register(() => {}, { http })).toThrow(
      "Late: nothing grants the permission of Late.a: pass a permissionResolver",
    );
    expect(() => socketApi("Door", open, "y").register(() => {}, { http, permissionResolver })).toThrow(
      "Door: Door.a must declare a permission",
    );
    expect(() => socketApi("Wired", open).register(() => {}, { http, permissionResolver })).toThrow("Wired.a");
    socketApi("Plain", open).register(() => {}, { http });
    socketApi("Fine", gated).register(() => {}, { http, permissionResolver });
    // From now on permissions are declared on this server.
    expect(() => socketApi("Last", open).register(() => {}, { http })).toThrow("Last.a");
    // What was refused has taken no path.
    socketApi("Last", gated).register(() => {}, { http, permissionResolver });
  });

  it("warns of a permission on a serverToClient method, which nothing enforces", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const pushes = webSocketSchema(
      defineSocketContract("Push", {
        clientToServer: { a: { permission: GG_NO_PERMISSIONS } },
        serverToClient: { secret: { permission: "x" }, open: { permission: GG_NO_PERMISSIONS }, plain: {} },
      }),
    )
      .path("ws/push")
      .done();
    await startHttp((http) => pushes.register(() => {}, { http }));
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls[0]?.[0])).toContain("Push.secret");
    expect(String(warn.mock.calls[0]?.[0])).not.toMatch(/Push\.open|Push\.plain/);
  });
});
