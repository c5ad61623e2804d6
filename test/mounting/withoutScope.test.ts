import { GGLocator, GGLocatorKey } from "@grest-ts/locator";
import { IsString } from "@grest-ts/schema";
import { defineSocketContract, GGSocketGroup, GGSocketServer, localBus, webSocketSchema } from "@grest-ts/websocket";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { watchTheProcess } from "../hostile/watch.js";
import { Queue } from "../support/queue.js";
import { listen, nodeHost, portOf } from "./hosts.js";

watchTheProcess();

/** Outside of any scope the framework's keys throw, whatever is asked of them; only the stand-ins have a scope there. */
function forbidRootScope(): void {
  for (const member of ["get", "tryGet", "has", "set", "overwrite"] as const) {
    const original = GGLocatorKey.prototype[member] as (...args: unknown[]) => unknown;
    vi.spyOn(GGLocatorKey.prototype, member).mockImplementation(function (this: unknown, ...args: unknown[]) {
      if (!GGLocator.hasScope()) throw new Error("No locator scope is active");
      return original.apply(this, args) as never;
    });
  }
  onTestFinished(() => void vi.restoreAllMocks());
}

const Chat = webSocketSchema(
  defineSocketContract("Chat", {
    clientToServer: { greet: { input: IsString, success: IsString }, fail: { success: IsString } },
    serverToClient: { news: { input: IsString }, ask: { success: IsString } },
  }),
)
  .path("ws/chat")
  .done();

describe("without any scope of the framework", () => {
  let written: Queue<string>;
  beforeEach(() => {
    written = new Queue();
    for (const level of ["debug", "info", "warn", "error"] as const) {
      vi.spyOn(console, level).mockImplementation((text) => written.push(`${level} ${text}`));
    }
    forbidRootScope();
  });

  it("is what these tests say: a key throws", () => {
    expect(GGLocator.hasScope()).toBe(false);
    expect(() => new GGLocatorKey("any").has()).toThrow("No locator scope");
  });

  it("an API on a server of Node serves all there is, and logs to the console", async () => {
    const { server } = nodeHost();
    const bus = localBus();
    onTestFinished(() => bus.close());
    const group = new GGSocketGroup(Chat, { name: "all", bus });
    const answers = new Queue<string>();
    const chat = Chat.startServer(
      async (incoming, outgoing) => {
        incoming.on({
          greet: async (name) => `Hello ${name}`,
          fail: async () => {
            throw new Error("a defect");
          },
        });
        await group.add(outgoing);
        outgoing.ask().then((answer) => answers.push(answer), console.error);
      },
      { http: server, bus, keys: () => ["user:ann"] },
    );
    const raw = new GGSocketServer(server, { apiName: "Raw", path: "raw" });
    onTestFinished(async () => void (await Promise.all([chat.teardown(), raw.teardown()])));
    await listen(server);
    const client = Chat.createClient({ url: `ws://127.0.0.1:${portOf(server)}` });
    onTestFinished(() => client.close());
    const news = new Queue<string>();
    client.incoming.on({ news: (text) => void news.push(text), ask: async () => "an answer" });
    await client.connect();
    expect(await client.outgoing.greet("Ann")).toBe("Hello Ann");
    expect(await answers.next()).toBe("an answer");
    await group.news("to the group");
    await chat.to("user:ann").news("to the key");
    expect(await news.take(2)).toEqual(["to the group", "to the key"]);
    expect(written.unseen).toEqual([]);
    expect(await client.outgoing.fail().asResult()).toMatchObject({ type: "SERVER_ERROR" });
    expect(written.unseen).toEqual([expect.stringMatching(/^error Chat\.fail/)]);
    expect(await chat.closeConnections({ key: "user:ann" })).toBe(1);
    await chat.teardown();
    expect(written.unseen).toHaveLength(1);
  });

  it("says that there is no server, when none is given", () => {
    expect(() => Chat.register(() => {})).toThrow(
      new Error(
        "Chat: there is no HTTP server to listen on. Make a server of Node or a GGHttpServer, and pass it as {http}",
      ),
    );
  });

  it("a client that is given no address says so", async () => {
    const client = Chat.createClient();
    client.incoming.on({ news: () => {}, ask: async () => "" });
    await expect(client.connect()).rejects.toMatchObject({
      context: { displayMessage: expect.stringContaining("no url was given") },
    });
  });
});
