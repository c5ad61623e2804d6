import { GGHttpServer } from "@grest-ts/http";
import { IsString } from "@grest-ts/schema";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { RawPeer } from "../support/rawPeer.js";
import { listen, nodeHost, portOf } from "./hosts.js";
import { upgradeStatus } from "./parts.js";

type Package = Pick<typeof import("@grest-ts/websocket"), "defineSocketContract" | "webSocketSchema">;

/** Two copies of the package in this process, over neighbours of their own. */
async function copies(): Promise<readonly [Package, Package]> {
  const first = await import("@grest-ts/websocket");
  vi.resetModules();
  const marks = Object.getOwnPropertySymbols(globalThis).filter((key) => Symbol.keyFor(key)?.startsWith("grest-ts:"));
  const loaded = marks.map((mark) => [mark, Reflect.get(globalThis, mark)] as const);
  for (const mark of marks) Reflect.deleteProperty(globalThis, mark);
  onTestFinished(() => {
    for (const [mark, value] of loaded) Reflect.set(globalThis, mark, value);
  });
  const second = await import("@grest-ts/websocket");
  expect(second.webSocketSchema).not.toBe(first.webSocketSchema);
  return [first, second];
}

function api(name: string, { defineSocketContract, webSocketSchema }: Package) {
  const contract = defineSocketContract(name, { clientToServer: { name: { success: IsString } }, serverToClient: {} });
  return webSocketSchema(contract).path(`ws/${name}`).done();
}

async function ask(port: number, name: string): Promise<string> {
  const peer = await RawPeer.connect(`ws://127.0.0.1:${port}/ws/${name}`);
  peer.send(`r:${name}.name:1:`);
  return peer.next();
}

describe("two copies of the package on one server of Node", () => {
  it("serve their own APIs, refuse a path of the other, and end one by one", async () => {
    const [first, second] = await copies();
    const { server } = nodeHost();
    const one = api("One", first).startServer((incoming) => incoming.on({ name: async () => "one" }), { http: server });
    const two = api("Two", second).startServer((incoming) => incoming.on({ name: async () => "two" }), {
      http: server,
    });
    onTestFinished(async () => void (await Promise.all([one.teardown(), two.teardown()])));
    expect(() => api("One", second).register(() => {}, { http: server })).toThrow("One is registered twice");
    await listen(server);
    const port = portOf(server);
    expect(server.listenerCount("upgrade")).toBe(1);
    expect(await ask(port, "One")).toContain("one");
    expect(await ask(port, "Two")).toContain("two");
    await one.teardown();
    expect(await upgradeStatus(`http://127.0.0.1:${port}/ws/One`)).toBe(404);
    expect(await ask(port, "Two")).toContain("two");
  });

  it("may share the server of a GGHttpServer, one by the server itself", async () => {
    const [first, second] = await copies();
    const http = new GGHttpServer({ port: 0 });
    onTestFinished(() => http.teardown());
    api("One", first).register((incoming) => incoming.on({ name: async () => "one" }), { http });
    const two = api("Two", second).startServer((incoming) => incoming.on({ name: async () => "two" }), {
      http: http.httpServer,
    });
    onTestFinished(() => two.teardown());
    await http.start();
    expect(await ask(http.port as number, "One")).toContain("one");
    expect(await ask(http.port as number, "Two")).toContain("two");
  });
});
