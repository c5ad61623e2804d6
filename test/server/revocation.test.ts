import { GGContextKey } from "@grest-ts/context";
import { IsString, NOT_AUTHORIZED } from "@grest-ts/schema";
import { defineSocketContract, type GGWebSocketMiddleware, webSocketSchema } from "@grest-ts/websocket";
import { expect, it, onTestFinished } from "vitest";
import { Gate } from "../support/gate.js";
import { RawPeer } from "../support/rawPeer.js";
import { recordingLogger, serveApi } from "../support/server.js";

const USER = new GGContextKey("revocation-user", IsString);
const contract = defineSocketContract("Rev", { clientToServer: { who: { success: IsString } }, serverToClient: {} });

async function start(process?: () => Promise<void>) {
  const valid = new Set(["ann", "bo"]);
  const auth: GGWebSocketMiddleware = {
    updateHandshake(context) {
      context.headers.user = "ann";
    },
    parseHandshake({ headers: { user = "" } }) {
      if (!valid.has(user)) throw new NOT_AUTHORIZED();
      USER.set(user);
    },
    process,
  };
  const Api = webSocketSchema(contract).path("ws/rev").use(auth).done();
  const { url, server, base } = await serveApi(Api, (incoming) => incoming.on({ who: () => USER.assert() }));
  return { Api, base, url, server, valid };
}

it("closes the connections of one user and no others", async () => {
  const { url, server } = await start();
  const [ann, bo, ann2] = [
    await RawPeer.connect(url, { user: "ann" }),
    await RawPeer.connect(url, { user: "bo" }),
    await RawPeer.connect(url, { user: "ann" }),
  ];
  expect(server.closeConnections(() => USER.get() === "ann")).toBe(2);
  for (const peer of [ann, ann2]) expect(await peer.closed).toEqual({ code: 1008, reason: "Revoked" });
  bo.send("r:Rev.who:1:");
  expect(await bo.next()).toBe('s:Rev.who:1:{"success":true,"type":"OK","data":"bo"}');
  expect(server.connectionCount).toBe(1);
  expect(server.closeConnections(() => USER.get() === "ann")).toBe(0);
});

it("takes a code and a reason, which is cut to what fits", async () => {
  const { url, server } = await start();
  const peer = await RawPeer.connect(url, { user: "ann" });
  server.closeConnections(() => true, { code: 4321, reason: "é".repeat(500) });
  expect(await peer.closed).toEqual({ code: 4321, reason: "é".repeat(61) });
});

it.each([1005, 1006, 1015, 1004, 999, 5_000, 0, -1, Number.NaN])(
  "closes without a code that may not be sent (%d)",
  async (code) => {
    const { url, server } = await start();
    const peer = await RawPeer.connect(url, { user: "ann" });
    expect(server.closeConnections(() => true, { code })).toBe(1);
    expect(await peer.closed).toEqual({ code: 1005, reason: "" });
  },
);

it("reaches a connection whose handshake is not done yet", async () => {
  const gate = new Gate();
  const arrived = new Gate();
  const { url, server } = await start(async () => {
    arrived.open();
    await gate.passed;
  });
  const peer = await RawPeer.open(url);
  peer.send('h:::{"user":"ann"}');
  await arrived.passed;
  expect(server.closeConnections(() => USER.get() === "ann")).toBe(1);
  gate.open();
  expect(await peer.closed).toEqual({ code: 1008, reason: "Revoked" });
  expect(peer.frames.unseen).toEqual([]);
  expect(server.connectionCount).toBe(0);
});

it("reaches a connection whose handshake is accepted and whose user is not resolved yet", async () => {
  const gate = new Gate();
  const arrived = new Gate();
  const Api = webSocketSchema(contract)
    .path("ws/rev")
    .use({
      async process() {
        // The handshake is accepted, and the user is still being resolved.
        arrived.open();
        await gate.passed;
        USER.set("ann");
      },
    })
    .done();
  const { url, server } = await serveApi(Api, (incoming) => incoming.on({ who: () => USER.assert() }));
  const peer = await RawPeer.open(url);
  peer.send("h:::{}");
  await arrived.passed;
  expect(server.closeConnections(() => USER.assert() === "bo")).toBe(0);
  expect(server.closeConnections(() => USER.assert() === "ann")).toBe(0);
  gate.open();
  expect(await peer.closed).toEqual({ code: 1008, reason: "Revoked" });
  expect(peer.frames.unseen).toEqual([]);
  expect(server.connectionCount).toBe(0);
  // It applies to handshakes in progress only.
  await RawPeer.connect(url);
});

it("rethrows a matcher's error after all other connections are handled", async () => {
  const { url, server } = await start();
  const [ann, bo] = [await RawPeer.connect(url, { user: "ann" }), await RawPeer.connect(url, { user: "bo" })];
  const match = () => {
    if (USER.get() === "ann") throw new Error("no idea");
    return true;
  };
  expect(() => server.closeConnections(match)).toThrow("no idea");
  expect((await bo.closed).code).toBe(1008);
  ann.send("r:Rev.who:1:");
  expect(await ann.next()).toContain('"data":"ann"');
});

it("keeps a client with reconnect from coming back", async () => {
  const { Api, base, server, valid } = await start();
  const client = Api.createClient({ url: base, reconnect: true, logger: recordingLogger() });
  onTestFinished(() => client.close());
  const end = new Promise((resolve) => client.onClose((reason) => resolve(reason)));
  await client.connect();
  valid.delete("ann");
  server.closeConnections(() => USER.get() === "ann");
  expect(await end).toBe("unrecoverable");
});
