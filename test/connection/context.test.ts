import { AsyncLocalStorage } from "node:async_hooks";
import { GGContextKey } from "@grest-ts/context";
import { GG_NO_PERMISSIONS, IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  GG_WS_CONNECTION,
  GG_WS_MESSAGE,
  type WebSocketOutgoing,
  webSocketSchema,
} from "@grest-ts/websocket";
import { describe, expect, it } from "vitest";
import { Gate } from "../support/gate.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { serve, serveApi } from "../support/server.js";

const USER = new GGContextKey<string>("context_test_user", IsString);
const NOTE = new GGContextKey<string>("context_test_note", IsString);
const storage = new AsyncLocalStorage<string>();

const open = { permission: GG_NO_PERMISSIONS };
const contract = defineSocketContract("Ctx", {
  clientToServer: {
    look: { ...open, success: IsString },
    write: { ...open, input: IsString, success: IsString },
    slow: { ...open, input: IsString, success: IsString },
    later: { ...open },
  },
  serverToClient: { ask: { success: IsString } },
});

/** All that the context of the caller holds: user, note, connection, message. */
const seen = () =>
  [USER.get(), NOTE.get(), GG_WS_CONNECTION.get()?.path, GG_WS_MESSAGE.get()?.path]
    .map((value) => value ?? "-")
    .join(" ");

async function start() {
  const looks = new Queue<string>();
  const outgoings = new Queue<WebSocketOutgoing<typeof contract.methods.serverToClient>>();
  const gates = new Map<string, Gate>([
    ["ann", new Gate()],
    ["bob", new Gate()],
  ]);
  const entered = new Queue<string>();
  const { url } = await serveApi(
    webSocketSchema(contract)
      .path("ws/ctx")
      .use({ parseHandshake: ({ headers }) => void (headers.user && USER.set(headers.user)) })
      .done(),
    async (incoming, outgoing) => {
      looks.push(`connect ${seen()}`);
      await new Promise((resolve) => setImmediate(resolve));
      looks.push(`loaded ${seen()}`);
      outgoings.push(outgoing);
      incoming.on({
        look: () => seen(),
        write: (note) => {
          NOTE.set(note);
          return seen();
        },
        slow: async (user) => {
          const before = seen();
          entered.push(user);
          await gates.get(user)?.passed;
          return `${before} then ${seen()}`;
        },
        later: async () => {
          await new Promise((resolve) => setImmediate(resolve));
          looks.push(`later ${seen()}`);
        },
      });
      outgoing.onClose(() => looks.push(`close ${seen()}`));
    },
  );
  return { url, looks, outgoings, gates, entered };
}

async function call(peer: RawPeer, method: string, payload = ""): Promise<string | undefined> {
  peer.send(`r:Ctx.${method}:1:${payload}`);
  return /"data":"(.*)"/.exec(await peer.next())?.[1];
}

describe("the context of a connection", () => {
  it("reaches the connection handler, its messages and onClose, across awaits", async () => {
    const { url, looks } = await start();
    const peer = await RawPeer.connect(url, { user: "ann" });
    expect(await looks.take(2)).toEqual(["connect ann - /ws/ctx -", "loaded ann - /ws/ctx -"]);
    expect(await call(peer, "look")).toBe("ann - /ws/ctx Ctx.look");
    peer.send("m:Ctx.later::");
    expect(await looks.next()).toBe("later ann - /ws/ctx Ctx.later");
    peer.ws.terminate();
    expect(await looks.next()).toBe("close ann - /ws/ctx -");
  });

  it("is the connection's own, when the handlers of two interleave", async () => {
    const { url, gates, entered } = await start();
    const ann = await RawPeer.connect(url, { user: "ann" });
    const bob = await RawPeer.connect(url, { user: "bob" });
    const answers = [call(ann, "slow", '"ann"'), call(bob, "slow", '"bob"')];
    expect((await entered.take(2)).sort()).toEqual(["ann", "bob"]);
    gates.get("bob")?.open();
    await answers[1];
    gates.get("ann")?.open();
    const of = (user: string) => `${user} - /ws/ctx Ctx.slow`;
    expect(await Promise.all(answers)).toEqual([`${of("ann")} then ${of("ann")}`, `${of("bob")} then ${of("bob")}`]);
  });

  it("is not the caller's: outside there is none", async () => {
    const { url } = await start();
    const peer = await RawPeer.connect(url);
    expect(await call(peer, "look")).toBe("- - /ws/ctx Ctx.look");
    expect(seen()).toBe("- - - -");
  });

  it("runs onClose inside it also when that is added after the close, from anywhere", async () => {
    const { url, looks, outgoings } = await start();
    const peer = await RawPeer.connect(url, { user: "ann" });
    const outgoing = await outgoings.next();
    await looks.take(2);
    peer.ws.close();
    await looks.next();
    outgoing.onClose(() => looks.push(`late ${seen()}`));
    expect(looks.unseen).toEqual(["late ann - /ws/ctx -"]);
  });
});

describe("the context of a message", () => {
  it("is its own: what a handler sets, the next message does not see", async () => {
    const { url } = await start();
    const peer = await RawPeer.connect(url, { user: "ann" });
    expect(await call(peer, "write", '"mine"')).toBe("ann mine /ws/ctx Ctx.write");
    expect(await call(peer, "look")).toBe("ann - /ws/ctx Ctx.look");
  });

  it("holds across a question to the client", async () => {
    const Asking = webSocketSchema(contract).path("ws/asking").done();
    const { url } = await serveApi(Asking, (incoming, outgoing) =>
      incoming.on({
        look: async () => {
          NOTE.set("kept");
          await outgoing.ask();
          return seen();
        },
        write: () => "",
        slow: () => "",
        later: () => {},
      }),
    );
    const peer = await RawPeer.connect(url);
    peer.send("r:Ctx.look:9:");
    await peer.next();
    peer.send('s:Ctx.ask:1:{"success":true,"type":"OK","data":"yes"}');
    expect(await peer.next()).toContain('"data":"- kept /ws/asking Ctx.look"');
  });
});

describe("the async context of the registration", () => {
  it("is kept in every callback, wherever the server is started from", async () => {
    const stores = new Queue<string>();
    const note = (what: string) => void stores.push(`${what}: ${storage.getStore()}`);
    const { url } = await storage.run("at start", () =>
      serve((http) =>
        storage.run("at registration", () =>
          webSocketSchema(contract)
            .path("ws/ctx")
            .use({ parseHandshake: () => note("parse"), process: async () => note("process") })
            .done()
            .startServer(
              async (incoming, outgoing) => {
                note("connect");
                await Promise.resolve();
                outgoing.onClose(() => note("close"));
                incoming.on({
                  look: () => {
                    note("sync");
                    return "";
                  },
                  write: async () => {
                    await new Promise((resolve) => setImmediate(resolve));
                    note("async");
                    return "";
                  },
                  slow: () => "",
                  later: () => note("message"),
                });
              },
              {
                http,
                permissionResolver: () => {
                  note("resolver");
                  return null;
                },
                middlewares: [{ parseHandshake: () => note("parse 2") }],
              },
            ),
        ),
      ),
    );
    await storage.run("at the client", async () => {
      const peer = await RawPeer.connect(`${url}/ws/ctx`);
      await call(peer, "look");
      await call(peer, "write", '""');
      peer.send("m:Ctx.later::");
      await call(peer, "look");
      peer.ws.close();
      const expected = [
        "parse",
        "process",
        "parse 2",
        "resolver",
        "connect",
        "sync",
        "async",
        "message",
        "sync",
        "close",
      ];
      expect(await stores.take(expected.length)).toEqual(expected.map((what) => `${what}: at registration`));
    });
  });
});
