import dns from "node:dns";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { haveEcosystem } from "../support/ecosystem.js";
import { makeFastify } from "./hosts.js";
import { apiNamed, clientOf, serveOn } from "./parts.js";

/** What a host name resolves to, where all its addresses are asked for. */
function resolveTo(name: string, addresses: readonly string[]): void {
  const lookup = dns.lookup as (...args: unknown[]) => void;
  const mocked = (...args: unknown[]): void => {
    const [host, options, callback] = args as [string, { all?: boolean }, (error: null, found: unknown) => void];
    if (host !== name || !options.all) return lookup(...args);
    process.nextTick(() =>
      callback(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      ),
    );
  };
  vi.spyOn(dns, "lookup").mockImplementation(mocked as never);
  onTestFinished(() => void vi.restoreAllMocks());
}

describe.skipIf(!haveEcosystem())("Fastify on a name with two addresses, for which it has two servers", () => {
  it("serves an API on both, and ends with its preClose hook", async () => {
    resolveTo("localhost", ["127.0.0.1", "127.0.0.2"]);
    const Chat = apiNamed("Chat");
    const app = makeFastify();
    const chat = serveOn(app.server, Chat);
    app.addHook("preClose", () => chat.teardown());
    await app.listen({ port: 0, host: "localhost" });
    onTestFinished(() => app.close());
    const addresses = app.addresses().map(({ address, port }) => `${address}:${port}`);
    expect(new Set(addresses).size).toBe(2);
    const clients = addresses.map((address) => clientOf(Chat, `ws://${address}`));
    for (const { client, news } of clients) {
      await client.connect();
      expect(await client.outgoing.greet("Ann")).toBe("Hello Ann from Chat");
      expect(await news.next()).toBe("welcome");
    }
    expect(chat.connectionCount).toBe(2);
    await app.close();
    expect(await Promise.all(clients.map(({ closed }) => closed.next()))).toEqual(["drop", "drop"]);
  });
});
