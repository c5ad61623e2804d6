import { GGContextKey } from "@grest-ts/context";
import { IsAny, IsString, NOT_AUTHORIZED } from "@grest-ts/schema";
import { defineSocketContract, type GGWebSocketMiddleware, webSocketSchema } from "@grest-ts/websocket";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Gate } from "../support/gate.js";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";

// Mistakes that TypeScript accepts, and that must neither end the process nor bypass a check.

const contract = defineSocketContract("Down", { clientToServer: { ping: {} }, serverToClient: {} });
const Api = webSocketSchema(contract).path("ws/down").done();

const rejections: unknown[] = [];
const note = (reason: unknown) => void rejections.push(reason);
beforeEach(() => {
  rejections.length = 0;
  process.on("unhandledRejection", note);
});
afterEach(() => void process.off("unhandledRejection", note));

it("awaits an async parseHandshake: its rejection refuses the connection", async () => {
  const USER = new GGContextKey<string>("pending_test_user", IsString);
  const seen: (string | undefined)[] = [];
  const waiting: GGWebSocketMiddleware = {
    // TypeScript accepts a promise as `void`.
    parseHandshake: async ({ headers }) => {
      await Promise.resolve();
      if (headers.authorization !== "good") throw new NOT_AUTHORIZED();
      USER.set("ann");
    },
    process: async () => void seen.push(USER.get()),
  };
  const Guarded = webSocketSchema(contract).path("ws/down").use(waiting).done();
  const { url } = await serveApi(Guarded, () => {});
  const peer = await RawPeer.open(url);
  peer.send("h:::{}");
  expect(await peer.next()).toMatch(/^x:::.*NOT_AUTHORIZED/);
  await RawPeer.connect(url, { authorization: "good" });
  expect(seen).toEqual(["ann"]);
  expect(rejections).toEqual([]);
});

it("logs an async onClose callback that rejects, and raises no unhandled rejection", async () => {
  const closed = new Gate();
  const { url, logger } = await serveApi(Api, (_, outgoing) => {
    outgoing.onClose(async () => Promise.reject(new Error("in onClose")));
    outgoing.onClose(() => closed.open());
  });
  (await RawPeer.connect(url)).ws.close();
  await closed.passed;
  await new Promise((resolve) => setImmediate(resolve));
  expect(rejections).toEqual([]);
  expect(logger.entries.map((entry) => entry.fields.error)).toEqual([new Error("in onClose")]);
});

it.each([
  [
    "throws",
    () => {
      throw undefined;
    },
  ],
  ["rejects with", () => Promise.reject(undefined)],
])("a handler that %s undefined is logged under the reference that its SERVER_ERROR carries", async (_, run) => {
  const contract = defineSocketContract("Work", { clientToServer: { run: { success: IsAny } }, serverToClient: {} });
  const { url, logger } = await serveApi(webSocketSchema(contract).path("ws/work").done(), (incoming) =>
    incoming.on({ run }),
  );
  const peer = await RawPeer.connect(url);
  peer.send("r:Work.run:1:");
  const reply = await peer.next();
  expect(reply).toContain('"type":"SERVER_ERROR"');
  expect(logger.entries).toHaveLength(1);
  expect(reply).toContain(`"ref":"${logger.entries[0]?.fields.ref}"`);
});
